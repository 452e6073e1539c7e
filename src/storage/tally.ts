/**
 * What a store promised, in a few numbers: how many facts and pending entries it holds, the XOR of
 * their versions, and the last numbers used. An XOR can be kept up to date with every batch and
 * folded anew from the records in any order, and two sets of hashes with one XOR are not met by
 * accident. Held against what is found at the next opening it tells whether something vanished.
 */

import type { Hash } from '../base/hash.ts'
import { HashXor } from './hash-xor.ts'

/** A tally after one group of batches. */
export interface TallyRecord {
  /** Number of the group; each group that a store made durable has the next one. */
  readonly group: number
  readonly facts: number
  readonly factsXor: Hash
  readonly pending: number
  readonly pendingXor: Hash
  /** The largest place in the pending queue that was ever used; −1 before the first. */
  readonly lastOrder: number
  /** The oldest event kept (0: none was ever written) and the newest ever written. */
  readonly firstEvent: number
  readonly lastEvent: number
}

/** What two tallies say about loss. */
export interface Loss {
  readonly factsMissing: number
  readonly pendingMissing: number
  readonly differs: boolean
}

/** What is to be added to a tally, and toggled in it. */
export type TallyChange = Pick<TallyRecord, 'facts' | 'factsXor' | 'pending' | 'pendingXor'>

/** The change that leads from one tally to another. */
export function changeOf(from: TallyRecord, to: TallyRecord): TallyChange {
  const xor = (a: Hash, b: Hash): Hash => {
    const both = new HashXor(a)
    both.toggle(b)
    return both.value()
  }
  return {
    facts: to.facts - from.facts,
    factsXor: xor(from.factsXor, to.factsXor),
    pending: to.pending - from.pending,
    pendingXor: xor(from.pendingXor, to.pendingXor),
  }
}

/** The running tally of a store. */
export class Tally {
  group = 0
  facts = 0
  pending = 0
  lastOrder = -1
  firstEvent = 0
  lastEvent = 0
  readonly #factsXor = new HashXor()
  readonly #pendingXor = new HashXor()

  /** A tally that goes on from a record. */
  static from(record: TallyRecord): Tally {
    const tally = new Tally()
    tally.group = record.group
    tally.facts = record.facts
    tally.pending = record.pending
    tally.lastOrder = record.lastOrder
    tally.firstEvent = record.firstEvent
    tally.lastEvent = record.lastEvent
    tally.#factsXor.toggle(record.factsXor)
    tally.#pendingXor.toggle(record.pendingXor)
    return tally
  }

  addFact(version: Hash): void {
    this.facts += 1
    this.#factsXor.toggle(version)
  }

  /** The record of a fact is not here any more. */
  removeFact(version: Hash): void {
    this.facts -= 1
    this.#factsXor.toggle(version)
  }

  /** Changes what is promised; changes may come in any order with what is written meanwhile. */
  change({ facts, factsXor, pending, pendingXor }: TallyChange): void {
    this.facts += facts
    this.pending += pending
    this.#factsXor.toggle(factsXor)
    this.#pendingXor.toggle(pendingXor)
  }

  addPending(order: number, version: Hash): void {
    this.pending += 1
    this.#pendingXor.toggle(version)
    if (order > this.lastOrder) this.lastOrder = order
  }

  removePending(version: Hash): void {
    this.pending -= 1
    this.#pendingXor.toggle(version)
  }

  addEvent(sequence: number): void {
    if (this.firstEvent === 0 || this.firstEvent > this.lastEvent) this.firstEvent = sequence
    this.lastEvent = sequence
  }

  /** Events before a sequence are gone. */
  trimEvents(before: number): void {
    if (before > this.firstEvent) this.firstEvent = Math.min(before, this.lastEvent + 1)
  }

  /** The sequences of the events that are kept; `first` is 0 when none is. */
  eventRange(): { readonly first: number; readonly last: number } {
    const isEmpty = this.firstEvent > this.lastEvent
    return { first: isEmpty ? 0 : this.firstEvent, last: this.lastEvent }
  }

  record(): TallyRecord {
    const { group, facts, pending, lastOrder, firstEvent, lastEvent } = this
    return {
      group,
      facts,
      factsXor: this.#factsXor.value(),
      pending,
      pendingXor: this.#pendingXor.value(),
      lastOrder,
      firstEvent,
      lastEvent,
    }
  }
}

/** What is missing of a promise in what was found. */
export function lossOf(promised: TallyRecord, found: TallyRecord): Loss {
  return {
    factsMissing: Math.max(0, promised.facts - found.facts),
    pendingMissing: Math.max(0, promised.pending - found.pending),
    differs:
      promised.facts !== found.facts ||
      promised.factsXor !== found.factsXor ||
      promised.pending !== found.pending ||
      promised.pendingXor !== found.pendingXor,
  }
}

/**
 * The loss that an opening found. `recorded` is the tally inside the store, written with the last
 * group, and must equal what is found exactly. The journal's may lie behind it (its line is
 * appended after the group is durable, and a crash may come between) and never ahead: a journal
 * that knows of a later group proves that this group was lost.
 */
export function lossAtStart(tallies: {
  readonly journal: TallyRecord | null
  readonly recorded: TallyRecord
  readonly found: TallyRecord
}): Loss {
  const { journal, recorded, found } = tallies
  const inside = lossOf(recorded, found)
  if (journal === null || journal.group < recorded.group) return inside
  const outside = lossOf(journal, found)
  return {
    factsMissing: Math.max(inside.factsMissing, outside.factsMissing),
    pendingMissing: Math.max(inside.pendingMissing, outside.pendingMissing),
    differs: inside.differs || outside.differs || journal.group > recorded.group,
  }
}
