/**
 * A store in memory: the whole contract without a disk, for members that need no folder and for
 * the simulator. It is deterministic: no time, no chance; promises resolve as microtasks.
 *
 * Crashes: with the option `durability` batches become durable only when the caller says so, in
 * groups as on a real disk. `image()` is what a crash would leave, `MemoryStore.fromImage` opens a
 * store on it. An image is plain tables: a test may also let facts rot in it or drop them.
 */
import type { Bytes } from '../base/bytes.ts'
import { type FactRef, type HeldFact, type ItemId, type ItemSummary, refKey } from '../base/fact.ts'
import { type Glance, glanceOf } from '../base/glance.ts'
import { type Hash, hashBytes } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import { GroupCommit } from './group-commit.ts'
import {
  copyPartial,
  emptyImage,
  type JournalLine,
  type MemoryImage,
  type MemoryStoreOptions,
  showItems,
  startReport,
  wantedPartial,
} from './memory-image.ts'
import { openMemoryWriter, type PartialPayloads, placing } from './memory-payloads.ts'
import { bytesOf, type Change, MemoryTables, RECORD_BYTES, type Rot } from './memory-tables.ts'
import { rotIn, rottenFact, rottenItem, rottenPayload, verifyTables } from './memory-verify.ts'
import { take } from './sorted-map.ts'
import {
  type Damage,
  type EventEntry,
  GAP_META_KEY,
  type IdRange,
  type PayloadWriter,
  type PendingEntry,
  type StartReport,
  type Store,
  type StoreCounts,
  type WantedEntry,
  type Write,
} from './store.ts'
import type { TallyRecord } from './tally.ts'

/** Lines of the journal that may be lost together; older ones have long been on the disk. */
const JOURNAL_LINES_MAX = 64

/** A store without a disk. */
export class MemoryStore implements Store {
  readonly report: StartReport
  /** All that was handed in; what reads see. */
  #live: MemoryTables
  /** What is durable: the same tables where nothing is held back. */
  readonly #durable: MemoryTables
  readonly #partial: PartialPayloads
  readonly #writing = new Set<Hash>()
  readonly #commits: GroupCommit<Change>
  /** Changes that are live and not durable, in order. */
  readonly #undurable: Change[] = []
  /** How many of them the group has that is being written. */
  #inFlight = 0
  /** Large payloads whose files are being put in place. */
  readonly #placing = new Map<Hash, Bytes>()
  readonly #faultListeners: ((error: Error) => void)[] = []
  readonly #damageListeners: ((damage: Damage) => void)[] = []
  /** The journal's lines since it was begun anew, the last ones. */
  #journal: JournalLine[]
  readonly #durability: MemoryStoreOptions['durability']
  #isClosed = false
  #isClean = false
  #isFull = false

  constructor(options: MemoryStoreOptions = {}, image: MemoryImage = emptyImage()) {
    const { durability } = options
    this.#durable = new MemoryTables(image.tables)
    this.#partial = wantedPartial(image)
    this.report = startReport(image)
    if (options.items !== undefined) showItems(image, options.items)
    if (this.report.gap) this.#durable.metas.set(GAP_META_KEY, new Uint8Array([1]))
    this.#live = durability === undefined ? this.#durable : new MemoryTables(this.#durable)
    this.#durability = durability
    this.#journal = [{ tally: this.#durable.tally.record(), cut: image.lastCut }]
    this.#commits = new GroupCommit({
      write: (changes, bytes) => this.#makeDurable(changes, bytes),
      groupBytesMax: limits.groupBytesMax,
      onFault: fault => {
        for (const listener of this.#faultListeners) listener(fault)
      },
    })
  }

  /** Opens a store on what another one left. The image itself is not touched. */
  static fromImage(image: MemoryImage, options: MemoryStoreOptions = {}): MemoryStore {
    return new MemoryStore(options, image)
  }

  /**
   * What a crash at this moment leaves: all that is durable, of the batches that are not the first
   * `surviving` (a disk may have written more than it promised), and partial payloads as written.
   */
  image(surviving = 0): MemoryImage {
    const { tally, cut } = this.#journal.at(-1)!
    return {
      tables: this.#durable.after(this.#undurable.slice(0, surviving)),
      partial: copyPartial(this.#partial),
      journal: tally,
      lastCut: cut,
      clean: this.#isClean,
    }
  }

  /**
   * What a crash may leave or lose beside that, each on its own: the group being written, as a whole
   * (the first `inFlight` batches), payload files being put in place, the journal's last lines.
   */
  get unsynced(): {
    readonly inFlight: number
    readonly placing: ReadonlyMap<Hash, Bytes>
    readonly journal: readonly JournalLine[]
  } {
    return { inFlight: this.#inFlight, placing: this.#placing, journal: this.#journal }
  }

  /**
   * Lets a record or payload rot where it lies; it is told of when it is read. What is being written
   * anew takes its place, for a reader at once.
   */
  rot(what: Rot): void {
    rotIn(this.#durable, what)
    if (this.#live !== this.#durable) this.#live = this.#durable.after(this.#undurable)
  }

  /** How many batches were handed in and are not durable. */
  get undurable(): number {
    return this.#undurable.length
  }

  /** Whether a payload survives any crash; a large one does before its record is written. */
  isPlaced(blob: Hash): boolean {
    return this.#durable.payloads.has(blob)
  }

  /** Lets the disk be full, or not any more. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull
  }

  isFull(): boolean {
    return this.#isFull
  }

  onFault(listener: (error: Error) => void): void {
    this.#faultListeners.push(listener)
  }

  onDamage(listener: (damage: Damage) => void): void {
    this.#damageListeners.push(listener)
  }

  counts(): StoreCounts {
    const { items, wanted, tally } = this.#live
    return { items: items.size, facts: tally.facts, pending: tally.pending, wanted: wanted.size }
  }

  async items(ids: readonly ItemId[]): Promise<(ItemSummary | undefined)[]> {
    this.#mustBeAlive()
    return ids.map(id => this.#sound(this.#live.items.get(id)))
  }

  async idsOf(idHashes: readonly Hash[]): Promise<(ItemId | undefined)[]> {
    this.#mustBeAlive()
    return idHashes.map(hash => this.#live.idsByHash.get(hash))
  }

  async facts(refs: readonly FactRef[]): Promise<(HeldFact | undefined)[]> {
    this.#mustBeAlive()
    return refs.map(({ id, version }) => {
      const held = this.#live.facts.get(id)?.get(version)
      return held === undefined || this.#isRotten(held) ? undefined : held
    })
  }

  async factsOf(id: ItemId): Promise<HeldFact[]> {
    this.#mustBeAlive()
    const facts = [...(this.#live.facts.get(id)?.values() ?? [])]
    return this.#live.rotten.size === 0 ? facts : facts.filter(held => !this.#isRotten(held))
  }

  async scanItems(range: IdRange, limit: number): Promise<ItemSummary[]> {
    this.#mustBeAlive()
    const found: ItemSummary[] = []
    for (const [, summary] of this.#live.items.range(range)) {
      if (found.length >= limit) break
      if (this.#sound(summary) !== undefined) found.push(summary)
    }
    return found
  }

  async *allItems(): AsyncGenerator<readonly ItemSummary[]> {
    for (let from: ItemId | undefined; ; ) {
      const page = await this.scanItems(from === undefined ? {} : { from }, limits.pageMax)
      const last = page.at(-1)
      if (last === undefined) return
      yield page
      from = `${last.id}\u0000`
    }
  }

  async *glances(): AsyncGenerator<readonly Glance[]> {
    for await (const page of this.allItems()) yield page.map(glanceOf)
  }

  async pending(after: number, limit: number): Promise<PendingEntry[]> {
    this.#mustBeAlive()
    const range = this.#live.pending.range({ from: after + 1 })
    return take(range, limit, (order, ref) => ({ order, ref }))
  }

  lastPendingOrder(): number {
    return this.#live.tally.lastOrder
  }

  async wanted(after: Hash | null, limit: number): Promise<WantedEntry[]> {
    this.#mustBeAlive()
    const range = this.#live.wanted.range(after === null ? {} : { from: `${after}\u0000` })
    return take(range, limit, (blob, size) => ({ blob, size }))
  }

  async dependedOnBy(id: ItemId, limit: number): Promise<ItemId[]> {
    this.#mustBeAlive()
    const links = this.#live.links.get(id)
    return links === undefined ? [] : take(links.range(), limit, from => from)
  }

  async events(after: number, limit: number): Promise<EventEntry[]> {
    this.#mustBeAlive()
    const range = this.#live.events.range({ from: after + 1 })
    return take(range, limit, (sequence, body) => ({ sequence, body }))
  }

  eventRange(): { readonly first: number; readonly last: number } {
    return this.#live.tally.eventRange()
  }

  async meta(key: string): Promise<Bytes | undefined> {
    this.#mustBeAlive()
    return this.#live.metas.get(key)
  }

  async commit(batch: readonly Write[]): Promise<void> {
    this.#mustBeAlive()
    await this.#change(tables => tables.apply(batch), bytesOf(batch))
  }

  async hasPayloads(blobs: readonly Hash[]): Promise<boolean[]> {
    this.#mustBeAlive()
    return blobs.map(blob => this.#live.payloads.has(blob))
  }

  async smallPayloads(blobs: readonly Hash[]): Promise<(Bytes | undefined)[]> {
    this.#mustBeAlive()
    return blobs.map(blob => {
      const bytes = this.#live.payloads.get(blob)
      if (bytes === undefined || bytes.length > limits.inlinePayloadBytesMax) return undefined
      return this.#verified(blob, bytes) ? bytes : undefined
    })
  }

  async *readPayload(blob: Hash, offset: number, length: number): AsyncGenerator<Bytes> {
    this.#mustBeAlive()
    const bytes = this.#live.payloads.get(blob)
    if (bytes === undefined) throw new VecheError('NOT_FOUND', `The payload ${blob} is not here.`)
    const end = Math.min(offset + length, bytes.length)
    for (let at = offset; at < end; at += limits.chunkBytes) {
      yield bytes.subarray(at, Math.min(at + limits.chunkBytes, end))
    }
  }

  async payloadSize(blob: Hash): Promise<number | undefined> {
    this.#mustBeAlive()
    return this.#live.payloads.get(blob)?.length
  }

  async verifyPayload(blob: Hash): Promise<'ok' | 'absent' | 'damaged'> {
    this.#mustBeAlive()
    const bytes = this.#live.payloads.get(blob)
    if (bytes === undefined) return 'absent'
    return this.#verified(blob, bytes) ? 'ok' : 'damaged'
  }

  async setAsidePayload(blob: Hash): Promise<void> {
    this.#mustBeAlive()
    const bytes = this.#live.payloads.get(blob)
    if (bytes === undefined || hashBytes(bytes) === blob) return
    this.#live.payloads.delete(blob)
    this.#durable.payloads.delete(blob)
  }

  async payloadWriter(
    expect: { readonly blob: Hash; readonly size: number } | null,
  ): Promise<PayloadWriter> {
    this.#mustBeAlive()
    return openMemoryWriter({
      expect,
      partial: this.#partial,
      open: this.#writing,
      isFull: () => this.#isFull,
      keep: async (blob, bytes) => {
        this.#mustBeAlive()
        await this.#keepPayload(blob, bytes)
      },
    })
  }

  journalCut(entry: { readonly cut: number; readonly root: Hash; readonly items: number }): void {
    this.#promise(this.#journal.at(-1)!.tally, entry)
  }

  async *verify(): AsyncGenerator<{ readonly checked: number; readonly damages: Damage[] }> {
    this.#mustBeAlive()
    yield* verifyTables(new MemoryTables(this.#live))
  }

  async close(): Promise<void> {
    this.#mustBeAlive()
    await this.#commits.idle()
    this.#isClosed = true
    this.#isClean = this.#commits.fault === null
    this.#journal = this.#journal.slice(-1) // fsync'd
  }

  #mustBeAlive(): void {
    if (this.#commits.fault !== null) throw this.#commits.fault
    if (this.#isClosed) throw new VecheError('STOPPING', 'The store is closed.')
  }

  #change(change: Change, bytes: number): Promise<void> {
    change(this.#live)
    if (this.#live !== this.#durable) this.#undurable.push(change)
    return this.#commits.add(change, bytes)
  }

  /**
   * A large payload is here when its file is durable, not before: acknowledgments count on it. The
   * record that it gets then says nothing that an opening would not find out by the file.
   */
  async #keepPayload(blob: Hash, bytes: Bytes): Promise<void> {
    if (this.#durability !== undefined) {
      const placed = this.#durability(bytes.length)
      await placing(this.#placing, { blob, bytes, placed }, error => this.#commits.fail(error))
    }
    this.#durable.payloads.set(blob, bytes)
    await this.#change(tables => tables.payloads.set(blob, bytes), RECORD_BYTES)
  }

  async #makeDurable(changes: readonly Change[], bytes: number): Promise<void> {
    if (this.#durability !== undefined) {
      this.#inFlight = changes.length
      await this.#durability(bytes)
      this.#inFlight = 0
      for (const change of this.#undurable.splice(0, changes.length)) change(this.#durable)
    }
    this.#promise(this.#durable.tally.record(), this.#journal.at(-1)!.cut)
  }

  #promise(tally: TallyRecord, cut: StartReport['lastCut']): void {
    this.#journal.push({ tally, cut })
    if (this.#journal.length > JOURNAL_LINES_MAX) this.#journal = this.#journal.slice(-1)
  }

  /** A summary that can be read. */
  #sound(summary: ItemSummary | undefined): ItemSummary | undefined {
    if (summary === undefined || !this.#live.rottenItems.has(summary.id)) return summary
    this.#tellDamage(rottenItem(summary.id))
    return undefined
  }

  #isRotten({ fact }: HeldFact): boolean {
    if (!this.#live.rotten.has(refKey(fact))) return false
    this.#tellDamage(rottenFact({ fact }))
    return true
  }

  #verified(blob: Hash, bytes: Bytes): boolean {
    if (hashBytes(bytes) === blob) return true
    this.#tellDamage(rottenPayload(blob))
    return false
  }

  #tellDamage(damage: Damage): void {
    for (const listener of this.#damageListeners) listener(damage)
  }
}
