/**
 * Facts on their way in the model: what a Source adds goes in batches to every member that it
 * reaches, numbered; numbers that never came are noticed by the next ping and asked for.
 */
import type { Stamp } from '../../src/base/stamp.ts'
import { reachedPeers } from '../../src/consensus/agreement/reach.ts'
import {
  addNumbers,
  assignSequence,
  createIncoming,
  createOutgoing,
  type Incoming,
  missingNumbers,
  type Outgoing,
} from '../../src/consensus/agreement/sequences.ts'
import type { ModelMember } from './agreement-member.ts'

/** Ranges of missing numbers that are asked for at once. */
const ASK_RANGES = 8

/** A fact on its way: its number, its name, and when it was added. */
export interface SentAdd {
  readonly sequence: number
  readonly name: string
  readonly added: Stamp
}

interface Outbox {
  readonly waiting: SentAdd[]
  isSending: boolean
}

export class ModelAdds {
  outgoing!: Outgoing
  readonly #member: ModelMember
  /** Computed from the disk at a start, so it outlives a crash. */
  readonly #incoming = new Map<string, Incoming>()
  #outbox = new Map<string, Outbox>()

  constructor(member: ModelMember) {
    this.#member = member
  }

  /** The member was opened under a new incarnation. */
  open(incarnation: string): void {
    this.outgoing = createOutgoing(incarnation)
    this.#outbox = new Map()
  }

  /** The disk is gone. */
  forget(): void {
    this.#incoming.clear()
  }

  /** Gives numbers and sends; answers what is to be agreed here. */
  send(names: readonly string[], stamp: () => Stamp): readonly SentAdd[] {
    const adds = names.map(name => {
      const added = stamp()
      const sequence = assignSequence(this.outgoing, this.#member.world.names.ref(name))
      return { sequence, name, added }
    })
    for (const peer of reachedPeers(this.#member.state)) this.#enqueue(peer.id, adds)
    return adds
  }

  #enqueue(to: string, adds: readonly SentAdd[]): void {
    const outbox = this.#outbox.get(to) ?? { waiting: [], isSending: false }
    this.#outbox.set(to, outbox)
    outbox.waiting.push(...adds)
    if (!outbox.isSending) this.#flush(to, outbox)
  }

  /** A batch is what gathered while the last one was on its way. */
  #flush(to: string, outbox: Outbox): void {
    outbox.isSending = outbox.waiting.length > 0
    if (!outbox.isSending) return
    const batch = outbox.waiting.splice(0)
    const { world, id } = this.#member
    const receiver = world.get(to)
    const { incarnation } = this.outgoing
    this.#member.tell(receiver, () => receiver.adds.receive(id, incarnation, batch))
    this.#member.later(world.network.delayMs(), () => this.#flush(to, outbox))
  }

  receive(from: string, incarnation: string, adds: readonly SentAdd[]): void {
    const incoming = this.#incomingOf(from, incarnation)
    for (const { sequence } of adds) addNumbers(incoming.numbers, sequence, sequence)
    this.#member.agreeAll(adds)
  }

  /** A member that is heard for the first time is taken up from where it stands. */
  #incomingOf(from: string, incarnation: string, upTo = 0): Incoming {
    const known = this.#incoming.get(from)
    if (known?.incarnation === incarnation) return known
    const created = createIncoming(from, incarnation)
    addNumbers(created.numbers, 1, upTo)
    this.#incoming.set(from, created)
    return created
  }

  /** Asks for numbers that the ping before told of and that have not come since. */
  fillGap(adder: ModelMember, incarnation: string, last: number): void {
    const incoming = this.#incomingOf(adder.id, incarnation, last)
    const known = incoming.last
    incoming.last = Math.max(incoming.last, last)
    const missing = missingNumbers(incoming.numbers, known, ASK_RANGES)
    if (missing.length === 0) return
    const me = this.#member
    me.tell(adder, () => {
      if (adder.adds.outgoing.incarnation !== incarnation) return
      const adds = adder.adds.#sentIn(missing)
      adder.tell(me, () => this.receive(adder.id, incarnation, adds))
    })
  }

  /** What was sent under these numbers and is agreed still. */
  #sentIn(ranges: readonly (readonly [number, number])[]): readonly SentAdd[] {
    const adds: SentAdd[] = []
    for (const [from, to] of ranges)
      for (let sequence = from; sequence <= to; sequence++) {
        const name = this.outgoing.sent.get(sequence)?.id ?? ''
        const added = this.#member.sets.agreed.get(name)
        if (added !== undefined) adds.push({ sequence, name, added })
      }
    return adds
  }
}
