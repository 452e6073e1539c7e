/**
 * A store on disk: facts, items, queues and small payloads in LevelDB, large payloads as files, a
 * journal beside them. This file is the contract's face; how it is kept is said where it is done:
 * the folder and its lock (store-folder.ts), the opening (level-open.ts, opening.ts), the way of a
 * batch (level-commit.ts), records and keys (records.ts, keys.ts), payloads (level-payloads.ts).
 */
import type { Bytes } from '../base/bytes.ts'
import type { FactRef, HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import type { Glance } from '../base/glance.ts'
import type { Hash } from '../base/hash.ts'
import { VecheError } from '../base/veche-error.ts'
import { setRecordsAside } from './aside.ts'
import type { BlobWriter } from './blob-writer.ts'
import { DiskRoom } from './disk-room.ts'
import { Engine } from './engine.ts'
import { diskFull, goneFolder, notReopened, storeFault } from './faults.ts'
import { keys, tableRange } from './keys.ts'
import { BatchEncoder } from './level-batch.ts'
import { LevelCommit } from './level-commit.ts'
import { type OpenFolder, openFolder } from './level-open.ts'
import { LevelPayloads } from './level-payloads.ts'
import { LevelReads } from './level-reads.ts'
import { LevelTable } from './level-table.ts'
import { type VerifyStep, verifyLevel } from './level-verify.ts'
import { seal, sizePayload } from './records.ts'
import {
  type Damage,
  type EventEntry,
  type IdRange,
  type ItemsSeen,
  LASTING_META_KEYS,
  type PayloadWriter,
  type PendingEntry,
  type StartReport,
  type Store,
  type StoreCounts,
  type WantedEntry,
  type Write,
} from './store.ts'
import { Tally } from './tally.ts'

/** How a folder is opened. */
export interface LevelStoreOptions {
  /** Make a store where the folder holds none. Default: refuse with NOT_A_STORE. */
  readonly create?: boolean
  /** Hears, in sentences, how far the move of an older store to today's format is. */
  readonly onUpgrade?: (sentence: string) => void
  /** Hears of the items that the opening counts. */
  readonly items?: ItemsSeen
  /** So many items are counted in two threads; default: HALVES_FROM (survey-items.ts). */
  readonly halvesFrom?: number
}

/**
 * Opens the store in a folder. Throws a VecheError: IN_USE (with the holder's pid), NOT_A_STORE,
 * NEWER_FORMAT, NO_PERMISSION, DISK_FULL, DAMAGED, or INTERNAL for any other fault of the disk.
 */
export async function openLevelStore(
  folder: string,
  options: LevelStoreOptions = {},
): Promise<LevelStore> {
  const early: Unwritten[] = []
  let tell = (what: Unwritten): void => void early.push(what)
  const open = await openFolder({
    folder,
    create: options.create === true,
    onJournalFailure: error => tell({ part: 'journal', error }),
    onCopyFailure: error => tell({ part: 'second copy of the identity', error }),
    onUpgrade: options.onUpgrade ?? (() => undefined),
    items: options.items,
    halvesFrom: options.halvesFrom,
  })
  const store = new LevelStore(folder, open)
  tell = what => store.notWritten(what)
  for (const what of early) tell(what)
  return store
}

/** A file beside the database that could not be written: nothing is lost by it alone. */
interface Unwritten {
  readonly part: 'journal' | 'second copy of the identity'
  readonly error: Error
}

/** An open store on disk; made by `openLevelStore`, and `close` must be called. */
export class LevelStore implements Store {
  readonly report: StartReport
  readonly #folder: string
  readonly #open: OpenFolder
  readonly #engine: Engine
  readonly #table: LevelTable
  readonly #encoder: BatchEncoder
  readonly #commits: LevelCommit
  readonly #reads: LevelReads
  readonly #payloads: LevelPayloads
  readonly #room: DiskRoom
  readonly #faultListeners: ((error: Error) => void)[] = []
  readonly #damageListeners: ((damage: Damage) => void)[] = []
  #trimming: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(folder: string, open: OpenFolder) {
    const { db, blobs, journal, opening, paths } = open
    const { items, wanted } = opening
    this.#folder = folder
    this.#open = open
    this.report = opening.report
    const tellDamage = (damage: Damage) => this.#tellDamage(damage)
    this.#engine = new Engine({
      db,
      check: reopened => this.#commits.check(reopened),
      onFault: error => this.#commits.fail(notReopened(folder, error)),
    })
    this.#table = new LevelTable(this.#engine, tellDamage)
    this.#encoder = new BatchEncoder({ tally: Tally.from(opening.tally), items, wanted })
    this.#reads = new LevelReads(this.#table, this.#encoder.tally, tellDamage)
    this.#payloads = new LevelPayloads(this.#table, blobs, tellDamage)
    this.#room = new DiskRoom(paths.database)
    this.#commits = new LevelCommit({
      engine: this.#engine,
      overlay: this.#table.overlay,
      encoder: this.#encoder,
      journal,
      group: opening.tally.group,
      onFault: error => this.#tellFault(error),
      faultOf: error => storeFault(folder, error),
      onTrimmed: first => this.#removeEvents(first),
    })
  }

  onFault(listener: (error: Error) => void): void {
    this.#faultListeners.push(listener)
  }

  onDamage(listener: (damage: Damage) => void): void {
    this.#damageListeners.push(listener)
  }

  /** Nothing is lost by it, but loss would go unnoticed, or could not be made good. */
  notWritten({ part, error }: Unwritten): void {
    const end = part === 'journal' ? ' Loss would go unnoticed.' : ''
    const sentence = `The ${part} cannot be written: ${error.message}.${end}`
    this.#tellDamage({ what: 'journal', sentence })
  }

  counts(): StoreCounts {
    const { items, wanted, tally } = this.#encoder
    return { items, facts: tally.facts, pending: tally.pending, wanted: wanted.size }
  }

  /** A folder that is gone kills the store: LevelDB would write on into files without a name. */
  isFull(bytes = 0): boolean {
    try {
      return this.#room.isFull(bytes)
    } catch (error) {
      if (!this.#isClosed) this.#commits.fail(goneFolder(this.#folder, error))
      return true
    }
  }

  async items(ids: readonly ItemId[]): Promise<(ItemSummary | undefined)[]> {
    return await this.#alive().items(ids)
  }

  async idsOf(idHashes: readonly Hash[]): Promise<(ItemId | undefined)[]> {
    return await this.#alive().idsOf(idHashes)
  }

  async facts(refs: readonly FactRef[]): Promise<(HeldFact | undefined)[]> {
    return await this.#alive().facts(refs)
  }

  async factsOf(id: ItemId): Promise<HeldFact[]> {
    return await this.#alive().factsOf(id)
  }

  async scanItems(range: IdRange, limit: number): Promise<ItemSummary[]> {
    return await this.#alive().scanItems(range, limit)
  }

  async *allItems(): AsyncGenerator<readonly ItemSummary[]> {
    yield* this.#alive().allItems()
  }

  async *glances(): AsyncGenerator<readonly Glance[]> {
    yield* this.#alive().glances()
  }

  async pending(after: number, limit: number): Promise<PendingEntry[]> {
    return await this.#alive().pending(after, limit)
  }

  lastPendingOrder(): number {
    return this.#encoder.tally.lastOrder
  }

  async wanted(after: Hash | null, limit: number): Promise<WantedEntry[]> {
    return await this.#alive().wanted(after, limit)
  }

  async dependedOnBy(id: ItemId, limit: number): Promise<ItemId[]> {
    return await this.#alive().dependedOnBy(id, limit)
  }

  async events(after: number, limit: number): Promise<EventEntry[]> {
    return await this.#alive().events(after, limit)
  }

  eventRange(): { readonly first: number; readonly last: number } {
    return this.#encoder.tally.eventRange()
  }

  async meta(key: string): Promise<Bytes | undefined> {
    return await this.#alive().meta(key)
  }

  async commit(batch: readonly Write[]): Promise<void> {
    this.#mustBeAlive()
    await this.#commits.add(batch)
    await this.#open.lasting.follow(batch)
  }

  async hasPayloads(blobs: readonly Hash[]): Promise<boolean[]> {
    this.#mustBeAlive()
    return await this.#payloads.has(blobs)
  }

  async smallPayloads(blobs: readonly Hash[]): Promise<(Bytes | undefined)[]> {
    this.#mustBeAlive()
    return await this.#payloads.small(blobs)
  }

  async *readPayload(blob: Hash, offset: number, length: number): AsyncGenerator<Bytes> {
    this.#mustBeAlive()
    yield* this.#payloads.read(blob, offset, length)
  }

  async payloadSize(blob: Hash): Promise<number | undefined> {
    this.#mustBeAlive()
    return await this.#payloads.size(blob)
  }

  async verifyPayload(blob: Hash): Promise<'ok' | 'absent' | 'damaged'> {
    this.#mustBeAlive()
    return await this.#payloads.verify(blob)
  }

  async setAsidePayload(blob: Hash): Promise<void> {
    this.#mustBeAlive()
    if (!(await this.#payloads.setAside(blob, this.#open.paths.damaged))) return
    await this.#commits.addOps([
      { type: 'del', key: keys.payload(blob) },
      { type: 'del', key: keys.have(blob) },
    ])
  }

  async payloadWriter(
    expect: { readonly blob: Hash; readonly size: number } | null,
  ): Promise<PayloadWriter> {
    this.#mustBeAlive()
    const writer = await this.#guard(this.#open.blobs.writer(expect))
    return {
      offset: writer.offset,
      write: async bytes => {
        this.#mustBeAlive()
        if (this.isFull(bytes.length))
          throw this.#commits.fault ?? storeFault(this.#folder, diskFull())
        await this.#guard(writer.write(bytes))
      },
      finish: async () => await this.#finish(writer),
      close: async fate => await writer.close(fate),
    }
  }

  journalCut(entry: { readonly cut: number; readonly root: Hash; readonly items: number }): void {
    if (!this.#isClosed) this.#open.journal.cut(entry)
  }

  async *verify(): AsyncGenerator<VerifyStep> {
    this.#mustBeAlive()
    const { db, blobs, paths } = this.#open
    const watch = (key: string) => this.#encoder.watch(key)
    const raw = (key: string) => this.#table.raw(key)
    const remove = (found: readonly string[]) => this.#commits.remove(found)
    const leave = await this.#engine.enter()
    try {
      await this.#commits.idle()
      yield { checked: 0, damages: await this.#mendLasting() }
      yield* verifyLevel({
        db,
        blobs,
        paths,
        repair: ops => this.#commits.addOps(ops),
        setAside: found => setRecordsAside(paths, found, { watch, raw, remove }),
        rebase: by => this.#commits.rebase(by),
      })
    } finally {
      leave()
    }
  }

  /** Writes what is kept twice anew where one place lost it, never over a newer record. */
  async #mendLasting(): Promise<readonly Damage[]> {
    const { db, lasting } = this.#open
    for (const name of LASTING_META_KEYS) this.#encoder.watch(keys.meta(name))
    const { damages, repairs } = await lasting.look(db)
    const open = repairs.filter(({ key }) => {
      return this.#encoder.unwatch(key) && this.#table.overlay.get(key) === undefined
    })
    if (open.length > 0) await this.#commits.addOps(open)
    return damages
  }

  /** Opens LevelDB anew, unless it is in use; a store that rests after work does it by itself. */
  async renew(): Promise<void> {
    await this.#engine.renew()
  }

  async close(): Promise<void> {
    if (this.#isClosed) throw closed()
    this.#isClosed = true
    const { blobs, journal, release } = this.#open
    try {
      await blobs.close()
      await this.#commits.idle()
      await this.#trimming
      if (this.#commits.fault === null) await this.#guard(journal.close())
      else await journal.abandon()
    } finally {
      await this.#engine.end()
      await release()
    }
  }

  #mustBeAlive(): void {
    if (this.#commits.fault !== null) throw this.#commits.fault
    if (this.#isClosed) throw closed()
  }

  /** The reads, while the store lives. */
  #alive(): LevelReads {
    this.#mustBeAlive()
    return this.#reads
  }

  /** Gives a whole payload its record; an fsync that failed kills the store. */
  async #finish(writer: BlobWriter): Promise<Hash | undefined> {
    this.#mustBeAlive()
    let blob: Hash | undefined
    try {
      blob = await writer.finish()
    } catch (error) {
      const fault = storeFault(this.#folder, error)
      if (fault.code !== 'DISK_FULL') this.#commits.fail(fault)
      throw fault
    }
    if (blob === undefined) return undefined
    const key = keys.have(blob)
    const value = seal(key, sizePayload(writer.size))
    await this.#commits.addOps([{ type: 'put', key, value }])
    return blob
  }

  #tellDamage(damage: Damage): void {
    const { what, id, version } = damage
    if ((what === 'fact' || what === 'engine') && id !== undefined && version !== undefined) {
      this.#encoder.noteDamaged({ id, version })
    }
    for (const listener of this.#damageListeners) listener(damage)
  }

  #tellFault(error: Error): void {
    for (const listener of this.#faultListeners) listener(error)
  }

  /** Removes trimmed events from the disk; they are out of sight already. */
  #removeEvents(first: number): void {
    const { from } = tableRange('e')
    this.#trimming = this.#trimming
      .then(() => this.#engine.use(db => db.clear({ gte: from, lt: keys.event(first) })))
      .catch((error: unknown) => this.#commits.fail(storeFault(this.#folder, error)))
  }

  async #guard<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work
    } catch (error) {
      throw storeFault(this.#folder, error)
    }
  }
}

function closed(): VecheError {
  return new VecheError('STOPPING', 'The store is closed.')
}
