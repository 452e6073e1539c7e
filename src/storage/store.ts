/**
 * The contract of a store: what a member keeps, and the one way to change it. Two engines fulfil
 * it (LevelDB and memory) and both pass test/compliance/store.ts, or the simulator would lie.
 *
 * Rules of every engine:
 * - `commit` is atomic, grouped and ordered: batches become durable in the order of the calls, a
 *   batch whole or not at all, and the promise resolves only when it is fsync'd. If an fsync fails
 *   the store is dead: `onFault` is told once, every later call rejects, and the process must end.
 * - Reads see every batch handed to `commit` before the read was called, durable or not yet.
 * - Every record carries its own checksum; a record that fails it is reported as damage, is not
 *   returned (it reads as absent), and is never overwritten silently.
 */
import type { Bytes } from '../base/bytes.ts'
import type { FactRef, HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import type { Glance } from '../base/glance.ts'
import type { Hash } from '../base/hash.ts'
import type { Stamp } from '../base/stamp.ts'

/** One change of a batch. */
export type Write =
  /** A fact with its state; `isNew` is false when only state or stamp of a held fact change. */
  | { readonly kind: 'fact'; readonly held: HeldFact; readonly isNew: boolean }
  /**
   * The item's summary; also keeps the index id-hash → id, and `dependedOnBy` via `links`. One of
   * no facts takes the item and its index away (no fact of it can be read any more).
   */
  | { readonly kind: 'item'; readonly summary: ItemSummary }
  /** The pending queue: `order` is unique and ascending. */
  | { readonly kind: 'pending'; readonly order: number; readonly ref: FactRef }
  | { readonly kind: 'unpending'; readonly order: number; readonly ref: FactRef }
  /** A payload of at most limits.inlinePayloadBytesMax, keyed by content. Also ends its `wanted`. */
  | { readonly kind: 'payload'; readonly blob: Hash; readonly bytes: Bytes }
  /** A payload that a held fact names and that is not here; ended by `payload` or `have`. */
  | { readonly kind: 'wanted'; readonly blob: Hash; readonly size: number }
  /** A large payload is whole in the blob folder (`PayloadWriter.finish` was awaited before). */
  | { readonly kind: 'have'; readonly blob: Hash }
  /** Back-links: `from` depends on / no longer depends on `to` (by its current heads). */
  | { readonly kind: 'link'; readonly from: ItemId; readonly to: ItemId }
  | { readonly kind: 'unlink'; readonly from: ItemId; readonly to: ItemId }
  /** The event log of `watch`: sequences are ascending and never reused. */
  | { readonly kind: 'event'; readonly sequence: number; readonly body: Bytes }
  | { readonly kind: 'trimEvents'; readonly before: number }
  /** Small named records: identity, network key, clock, vectors, invitations, settings. */
  | { readonly kind: 'meta'; readonly key: string; readonly value: Bytes | null }

/** A half-open range of ids in byte order. */
export interface IdRange {
  /** First id included; from the beginning if absent. */
  readonly from?: ItemId
  /** First id excluded; to the end if absent. */
  readonly until?: ItemId
}

export interface PendingEntry {
  readonly order: number
  readonly ref: FactRef
}

export interface WantedEntry {
  readonly blob: Hash
  readonly size: number
}

export interface EventEntry {
  readonly sequence: number
  readonly body: Bytes
}

/** Damage that a store found: what, where, in words a person can act on. */
export interface Damage {
  readonly what: 'fact' | 'item' | 'payload' | 'index' | 'journal' | 'engine'
  readonly id?: ItemId
  readonly version?: Hash
  readonly blob?: Hash
  readonly sentence: string
}

/**
 * The `meta` key that says that this member has a gap. A store that finds one while it opens writes
 * it before it says so, and it stays until the member is refilled and commits `null` for it.
 */
export const GAP_META_KEY = 'gap'

/**
 * The `meta` keys that are never removed once they are written, and that no other member knows: a
 * store keeps them twice. Who this member is, the key of its network, its addresses, and its vote.
 */
export const LASTING_META_KEYS: readonly string[] = [
  'identity',
  'network-key',
  'config',
  'roster/vote',
]

/** What the journal promised at the last opening against what is there. */
export interface StartReport {
  /** The store was closed in order. */
  readonly clean: boolean
  /** Facts and pending entries that the journal promised and that are gone (0 when all is well). */
  readonly factsMissing: number
  readonly pendingMissing: number
  /** True when counts or digests differ: the member has a gap and must refill (DESIGN 3). */
  readonly gap: boolean
  readonly damages: readonly Damage[]
  /** The last cut and root that the journal recorded, to hold the rebuilt tree against. */
  readonly lastCut: { readonly cut: number; readonly root: Hash; readonly items: number } | null
}

/**
 * Hears of the items that an opening counts: who builds on all of them needs not read them again.
 * An opening that repairs something counts anew, and begins again.
 */
export interface ItemsSeen {
  /** The last cut that the journal tells of, in ms (0: none): what is not newer is settled. */
  begin(lastCut: number): void
  /** A part of the items; `null` where not all of a part were seen. */
  see(part: SeenItems | null): void
}

/** Items as an opening saw them. */
export interface SeenItems {
  readonly items: number
  readonly facts: number
  /** Of those that are usual and not newer than the last cut: their entries in the tree, 64 bytes each. */
  readonly entries: Bytes
  /** Their facts, how many of them are not deleted, and the largest `added`. */
  readonly settledFacts: number
  readonly live: number
  readonly newest: Stamp
  /** All others. */
  readonly rest: readonly ItemId[]
}

/** Counts kept as batches are committed; all O(1). */
export interface StoreCounts {
  readonly items: number
  readonly facts: number
  readonly pending: number
  readonly wanted: number
}

/** Writes one large payload to disk, in order, resumable after a crash. */
export interface PayloadWriter {
  /** Bytes already here: 0, or what an earlier, interrupted writing left. */
  readonly offset: number
  /**
   * Appends; nobody changes the bytes afterwards. Resolves when the operating system has all that
   * was written, but for at most two of `limits.pieceBytes` (not fsync'd).
   */
  write(bytes: Bytes): Promise<void>
  /**
   * Checks size and SHA-256, fsyncs, renames into place, fsyncs the folder. Answers the blob.
   * A mismatch removes the partial file and answers `undefined`. From here on the payload is
   * here (`hasPayloads`), and stays so through a crash; `have` only ends its `wanted`.
   */
  finish(): Promise<Hash | undefined>
  /**
   * Closes and keeps the partial file for a later resumption (`keep`), or removes it. An upload is
   * always removed. After `finish`, or a second time, it does nothing.
   */
  close(fate: 'keep' | 'remove'): Promise<void>
}

export interface Store {
  readonly report: StartReport
  /** Called once, when the store can no longer keep its promise. */
  onFault(listener: (error: Error) => void): void
  /** Called for every damage found later on (a read whose checksum fails). */
  onDamage(listener: (damage: Damage) => void): void

  counts(): StoreCounts
  /**
   * The disk is nearly full: users' writes are to be refused with DISK_FULL before they are worked
   * out, while a reserve is left for what must be written. It becomes false when there is room.
   */
  isFull(): boolean
  /** Summaries of items by id; `undefined` where none is held. One round of reading for all. */
  items(ids: readonly ItemId[]): Promise<(ItemSummary | undefined)[]>
  /** The ids behind id-hashes (SHA-256 of the id); `undefined` where unknown. */
  idsOf(idHashes: readonly Hash[]): Promise<(ItemId | undefined)[]>
  /** Facts by name. */
  facts(refs: readonly FactRef[]): Promise<(HeldFact | undefined)[]>
  /** All facts of one item, in no promised order. */
  factsOf(id: ItemId): Promise<HeldFact[]>
  /** Summaries in byte order of ids. */
  scanItems(range: IdRange, limit: number): Promise<ItemSummary[]>
  /** Every item once, in byte order, in pages. */
  allItems(): AsyncIterable<readonly ItemSummary[]>
  /**
   * The same for the rebuild at the start, as little of each as that needs. A page is read while the
   * last one is worked on: nothing is written meanwhile.
   */
  glances(): AsyncIterable<readonly Glance[]>
  /** The pending queue from `after` (exclusive) on, in order. */
  pending(after: number, limit: number): Promise<PendingEntry[]>
  /** The place in the pending queue to use next is above this (−1 when none was ever used). */
  lastPendingOrder(): number
  wanted(after: Hash | null, limit: number): Promise<WantedEntry[]>
  dependedOnBy(id: ItemId, limit: number): Promise<ItemId[]>
  /** Events from `after` (exclusive) on. */
  events(after: number, limit: number): Promise<EventEntry[]>
  /** The first sequence kept (0 if none is), and the last ever written (0 before the first). */
  eventRange(): { readonly first: number; readonly last: number }
  meta(key: string): Promise<Bytes | undefined>

  /** Makes a batch durable. See the rules above. */
  commit(batch: readonly Write[]): Promise<void>

  /** Which payloads are here, whole. */
  hasPayloads(blobs: readonly Hash[]): Promise<boolean[]>
  /**
   * A whole payload of at most limits.inlinePayloadBytesMax bytes (or an inline one), verified
   * against its hash; `undefined` if it is not here or damaged (then damage was reported).
   */
  smallPayloads(blobs: readonly Hash[]): Promise<(Bytes | undefined)[]>
  /**
   * Bytes [offset, offset + length) of a payload of any size, in pieces; not verified as a whole.
   * Throws a VecheError: NOT_FOUND when it is not here, DAMAGED when it is shorter than it should.
   */
  readPayload(blob: Hash, offset: number, length: number): AsyncIterable<Bytes>
  /** Size of a payload that is here. */
  payloadSize(blob: Hash): Promise<number | undefined>
  /** Reads a whole payload and holds it against its hash. */
  verifyPayload(blob: Hash): Promise<'ok' | 'absent' | 'damaged'>
  /**
   * Takes a payload that does not match its hash out of the way (moved aside, not deleted); then it
   * is not here. A whole one stays: it may have come after somebody found the damage.
   */
  setAsidePayload(blob: Hash): Promise<void>
  /**
   * Begins or resumes the writing of a large payload. `expect` is known when it is fetched from
   * others; `null` while a client uploads it (then never resumed).
   */
  payloadWriter(
    expect: { readonly blob: Hash; readonly size: number } | null,
  ): Promise<PayloadWriter>

  /** Appends cut, root and item count to the journal (not fsync'd). */
  journalCut(entry: { readonly cut: number; readonly root: Hash; readonly items: number }): void
  /** Checks every record of every table; yields what is wrong, and progress. */
  verify(): AsyncIterable<{ readonly checked: number; readonly damages: readonly Damage[] }>
  /** Waits for all commits and closes; every later call rejects. */
  close(): Promise<void>
}
