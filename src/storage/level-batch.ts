/**
 * From the writes of a batch to the records of LevelDB, and what they do to the counts. The counts
 * run ahead of the disk like the overlay does; a group promises those after its last batch.
 *
 * Facts are counted when they are new. One exception: a fact whose record was found damaged reads
 * as absent, so it comes again as new from another member, but was counted when it first came.
 */
import type { Bytes } from '../base/bytes.ts'
import { utf8 } from '../base/bytes.ts'
import { type FactRef, type ItemId, type ItemSummary, refKey } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import { idHashOf } from '../base/id-hash.ts'
import { unreachable } from '../base/invariant.ts'
import { factOfKey, hashOfKey, keys } from './keys.ts'
import type { Op } from './overlay.ts'
import { factPayload, itemPayload, refPayload, seal, sizePayload } from './records.ts'
import type { Write } from './store.ts'
import type { Tally, TallyRecord } from './tally.ts'

/** A batch ready for LevelDB. */
export interface StagedBatch {
  readonly ops: readonly Op[]
  readonly bytes: number
  /** The counts after this batch; its group number is given when it is written. */
  readonly tally: TallyRecord
}

const NOTHING: Bytes = new Uint8Array(0)

/** Encodes batches in the order of their calls, and keeps the counts. */
export class BatchEncoder {
  readonly tally: Tally
  /** Items held. */
  items: number
  /** Payloads that are wanted and not here. */
  readonly wanted: Set<Hash>
  /** Facts whose damaged record was read, by `refKey`. */
  readonly #damaged = new Set<string>()
  /** Keys of damaged records that are being set aside. */
  readonly #watched = new Set<string>()

  constructor(start: { tally: Tally; items: number; wanted: Set<Hash> }) {
    this.tally = start.tally
    this.items = start.items
    this.wanted = start.wanted
  }

  /** The record of a fact was found damaged: when it comes again it is no new one. */
  noteDamaged(ref: FactRef): void {
    this.#damaged.add(refKey(ref))
  }

  /** A damaged record is about to be set aside, unless it is written before that. */
  watch(key: string): void {
    this.#watched.add(key)
  }

  /** Ends the watching; false when the record was written since it began. */
  unwatch(key: string): boolean {
    return this.#watched.delete(key)
  }

  /** Takes a watched record out; undefined when it was written anew since `watch`. */
  removal(key: string): Op | undefined {
    if (!this.unwatch(key)) return undefined
    const ref = key[0] === 'f' ? factOfKey(key) : undefined
    if (ref !== undefined) {
      this.tally.removeFact(ref.version)
      this.#damaged.delete(refKey(ref)) // when it comes again it is new
    }
    if (key[0] === 'w') this.wanted.delete(hashOfKey(key))
    return { type: 'del', key }
  }

  /** Records are written that are no batch of the contract. */
  noteWritten(ops: readonly Op[]): void {
    if (this.#watched.size === 0) return
    for (const op of ops) if (op.type === 'put') this.#watched.delete(op.key)
  }

  /** Turns a batch into records. */
  encode(batch: readonly Write[]): StagedBatch {
    const ops: Op[] = []
    let bytes = 0
    const put = (key: string, payload: Bytes): void => {
      const value = seal(key, payload)
      bytes += key.length + value.length
      ops.push({ type: 'put', key, value })
    }
    const remove = (key: string): void => {
      bytes += key.length
      ops.push({ type: 'del', key })
    }
    const newFacts = this.#countNewFacts(batch)
    for (const write of batch) this.#encodeOne(write, { put, remove, newFacts })
    this.noteWritten(ops)
    return { ops, bytes, tally: this.tally.record() }
  }

  #encodeOne(write: Write, to: Target): void {
    switch (write.kind) {
      case 'fact':
        return to.put(keys.fact(write.held.fact), factPayload(write.held))
      case 'item':
        return this.#encodeItem(write.summary, to)
      case 'pending':
        this.tally.addPending(write.order, write.ref.version)
        return to.put(keys.pending(write.order), refPayload(write.ref))
      case 'unpending':
        this.tally.removePending(write.ref.version)
        return to.remove(keys.pending(write.order))
      case 'payload':
        to.put(keys.payload(write.blob), write.bytes)
        return this.#endWanted(write.blob, to)
      case 'wanted':
        this.wanted.add(write.blob)
        return to.put(keys.wanted(write.blob), sizePayload(write.size))
      case 'have':
        return this.#endWanted(write.blob, to)
      case 'link':
        return to.put(keys.link(write.from, write.to), NOTHING)
      case 'unlink':
        return to.remove(keys.link(write.from, write.to))
      case 'event':
        this.tally.addEvent(write.sequence)
        return to.put(keys.event(write.sequence), write.body)
      case 'trimEvents':
        return this.tally.trimEvents(write.before)
      case 'meta':
        if (write.value === null) return to.remove(keys.meta(write.key))
        return to.put(keys.meta(write.key), write.value)
      default:
        return unreachable(write)
    }
  }

  /** An item is new when all its facts are of this batch; only then its index is written. */
  #encodeItem(summary: ItemSummary, to: Target): void {
    const { id } = summary
    if (summary.facts === 0) {
      this.items -= 1
      to.remove(keys.idHash(idHashOf(id)))
      return to.remove(keys.item(id))
    }
    if (to.newFacts.get(id) === summary.facts) {
      to.newFacts.delete(id)
      this.items += 1
      to.put(keys.idHash(idHashOf(id)), utf8(id))
    }
    to.put(keys.item(id), itemPayload(summary))
  }

  #endWanted(blob: Hash, to: Target): void {
    if (this.wanted.delete(blob)) to.remove(keys.wanted(blob))
  }

  #countNewFacts(batch: readonly Write[]): Map<ItemId, number> {
    const counts = new Map<ItemId, number>()
    for (const write of batch) {
      if (write.kind !== 'fact' || !write.isNew) continue
      const { id, version } = write.held.fact
      counts.set(id, (counts.get(id) ?? 0) + 1)
      if (this.#damaged.size > 0 && this.#damaged.delete(refKey({ id, version }))) continue
      this.tally.addFact(version)
    }
    return counts
  }
}

interface Target {
  readonly put: (key: string, payload: Bytes) => void
  readonly remove: (key: string) => void
  /** New facts of the batch by item. */
  readonly newFacts: Map<ItemId, number>
}
