/**
 * What a store in memory holds, as plain tables, and what one batch does to them. Values are
 * immutable and shared between copies, so that a copy costs the keys only. Everything happens in
 * the order of the calls; nothing here asks for time or chance.
 */
import { type Bytes, compareAscii, compareText } from '../base/bytes.ts'
import type { FactRef, HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import { refKey } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import { idHashOf } from '../base/id-hash.ts'
import { unreachable } from '../base/invariant.ts'
import { SortedMap } from './sorted-map.ts'
import type { Write } from './store.ts'
import { Tally, type TallyRecord } from './tally.ts'

const compareNumber = (a: number, b: number): number => a - b

/** What a fact or a summary of common size takes on a real disk. */
export const RECORD_BYTES = 400

/** A change of the tables, made to the live ones at once and to the durable ones later. */
export type Change = (tables: MemoryTables) => void

/** A record or payload that rots. */
export type Rot =
  | { readonly kind: 'fact'; readonly ref: FactRef }
  | { readonly kind: 'item'; readonly id: ItemId }
  | { readonly kind: 'payload'; readonly blob: Hash }

/** All tables of a store in memory; made from others it is an independent copy. */
export class MemoryTables {
  readonly items: SortedMap<ItemId, ItemSummary>
  readonly idsByHash: Map<Hash, ItemId>
  readonly facts: Map<ItemId, Map<Hash, HeldFact>>
  readonly pending: SortedMap<number, FactRef>
  readonly payloads: Map<Hash, Bytes>
  readonly wanted: SortedMap<Hash, number>
  /** By the item that others depend on. */
  readonly links: Map<ItemId, SortedMap<ItemId, true>>
  readonly events: SortedMap<number, Bytes>
  readonly metas: Map<string, Bytes>
  /** Facts (by `refKey`) whose record rotted: they read as absent until they are written again. */
  readonly rotten: Set<string>
  /** Items whose summary rotted; the same goes for them. */
  readonly rottenItems: Set<ItemId>
  readonly tally: Tally

  constructor(from?: MemoryTables) {
    this.items = from?.items.copy() ?? new SortedMap(compareText)
    this.idsByHash = new Map(from?.idsByHash)
    this.facts = new Map(mapEach(from?.facts, facts => new Map(facts)))
    this.pending = from?.pending.copy() ?? new SortedMap(compareNumber)
    this.payloads = new Map(from?.payloads)
    this.wanted = from?.wanted.copy() ?? new SortedMap(compareAscii)
    this.links = new Map(mapEach(from?.links, links => links.copy()))
    this.events = from?.events.copy() ?? new SortedMap(compareNumber)
    this.metas = new Map(from?.metas)
    this.rotten = new Set(from?.rotten)
    this.rottenItems = new Set(from?.rottenItems)
    this.tally = from === undefined ? new Tally() : Tally.from(from.tally.record())
  }

  /** A copy, as it is after some changes. */
  after(changes: readonly Change[]): MemoryTables {
    const tables = new MemoryTables(this)
    for (const change of changes) change(tables)
    return tables
  }

  /** Carries out one batch. */
  apply(batch: readonly Write[]): void {
    for (const write of batch) this.#write(write)
    this.tally.group += 1
  }

  /** The tally as the tables themselves have it, whatever was promised, of some facts or all. */
  fold(isCounted: (ref: FactRef) => boolean = () => true): TallyRecord {
    const found = new Tally()
    for (const [id, facts] of this.facts) {
      for (const version of facts.keys()) {
        if (!isCounted({ id, version })) continue
        found.addFact(version)
      }
    }
    for (const [order, ref] of this.pending.range()) found.addPending(order, ref.version)
    return { ...this.tally.record(), ...countsOf(found.record()) }
  }

  #write(write: Write): void {
    switch (write.kind) {
      case 'fact':
        return this.#putFact(write.held)
      case 'item':
        return this.#putItem(write.summary)
      case 'pending':
        if (this.pending.has(write.order)) this.#removePending(write.order)
        this.pending.set(write.order, write.ref)
        this.tally.addPending(write.order, write.ref.version)
        return
      case 'unpending':
        return this.#removePending(write.order)
      case 'payload':
        this.payloads.set(write.blob, write.bytes)
        this.wanted.delete(write.blob)
        return
      case 'wanted':
        this.wanted.set(write.blob, write.size)
        return
      case 'have':
        this.wanted.delete(write.blob)
        return
      case 'link':
        return this.#link(write.from, write.to)
      case 'unlink':
        this.links.get(write.to)?.delete(write.from)
        return
      case 'event':
        this.events.set(write.sequence, write.body)
        this.tally.addEvent(write.sequence)
        return
      case 'trimEvents':
        return this.#trimEvents(write.before)
      case 'meta':
        if (write.value === null) this.metas.delete(write.key)
        else this.metas.set(write.key, write.value)
        return
      default:
        return unreachable(write)
    }
  }

  #putFact(held: HeldFact): void {
    const { id, version } = held.fact
    const facts = this.facts.get(id) ?? new Map<Hash, HeldFact>()
    if (!facts.has(version)) this.tally.addFact(version)
    facts.set(version, held)
    this.facts.set(id, facts)
    if (this.rotten.size > 0) this.rotten.delete(refKey({ id, version }))
  }

  #putItem(summary: ItemSummary): void {
    const { id, facts } = summary
    if (this.rottenItems.size > 0) this.rottenItems.delete(id)
    if (facts === 0) {
      this.items.delete(id)
      this.idsByHash.delete(idHashOf(id))
      return
    }
    this.items.set(id, summary)
    this.idsByHash.set(idHashOf(id), id)
  }

  #removePending(order: number): void {
    const ref = this.pending.get(order)
    if (ref === undefined) return
    this.pending.delete(order)
    this.tally.removePending(ref.version)
  }

  #link(from: ItemId, to: ItemId): void {
    const links = this.links.get(to) ?? new SortedMap<ItemId, true>(compareText)
    links.set(from, true)
    this.links.set(to, links)
  }

  #trimEvents(before: number): void {
    const gone = [...this.events.range({ until: before })].map(([sequence]) => sequence)
    for (const sequence of gone) this.events.delete(sequence)
    this.tally.trimEvents(before)
  }
}

function countsOf(record: TallyRecord) {
  const { facts, factsXor, pending, pendingXor } = record
  return { facts, factsXor, pending, pendingXor }
}

function* mapEach<Key, Value>(
  map: ReadonlyMap<Key, Value> | undefined,
  copy: (value: Value) => Value,
): Generator<[Key, Value]> {
  for (const [key, value] of map ?? []) yield [key, copy(value)]
}

/** About how many bytes a batch has: payloads exactly, records at a round figure. */
export function bytesOf(batch: readonly Write[]): number {
  let bytes = 0
  for (const write of batch) {
    bytes += RECORD_BYTES
    if (write.kind === 'payload') bytes += write.bytes.length
    if (write.kind === 'event') bytes += write.body.length
  }
  return bytes
}
