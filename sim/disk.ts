/**
 * A member's disk: a store in memory whose batches become durable after a virtual fsync, and what
 * is left of it when the process or the power goes. It outlives the member's lives.
 *
 * Beside the store it keeps a plain record of what was handed in, what is durable and what was
 * destroyed since, by name: the checks ask it what really survives, and never the member.
 */
import { type Fact, type FactRef, type FactState, refKey } from '../src/base/fact.ts'
import { type Hash, hashBytes } from '../src/base/hash.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { PlantedBug } from '../src/consensus/agreement/state.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import type { Rot } from '../src/storage/memory-tables.ts'
import { rotIn } from '../src/storage/memory-verify.ts'
import type { ItemsSeen, Write } from '../src/storage/store.ts'
import type { Life } from './clock.ts'
import { afterCrash, type DiskImage } from './disk-crash.ts'
import type { Random } from './random.ts'

/** What nobody fsyncs a kernel writes after about so long. */
const WRITEBACK_MS = 5000

/** How long an fsync takes; changed by faults while a run goes on. */
export interface DiskWeather {
  fsyncMs: readonly [number, number]
  /** Some take much longer. */
  slowChance: number
  slowMs: readonly [number, number]
}

export const FAIR_DISK: Readonly<DiskWeather> = {
  fsyncMs: [0.3, 2],
  slowChance: 0,
  slowMs: [100, 2000],
}

/** A fact as a disk has it. */
export interface Holding {
  readonly fact: Fact
  state: FactState
  /** Since when it is sure to survive; null while it is not. */
  durableAtMs: number | null
  /** When it was first handed in as agreed; null: never. */
  agreedAtMs: number | null
}

export class Disk {
  readonly weather: DiskWeather = { ...FAIR_DISK }
  readonly holdings = new Map<string, Holding>()
  /** What some fact of them stands on (`refKey`): its parents, and the heads that its writer saw. */
  readonly #stoodOn = new Set<string>()
  /** Payloads that are sure to survive. */
  readonly payloads = new Set<Hash>()
  /**
   * The fault atlas: facts (by `refKey`) and payloads that were durable and that a fault destroyed,
   * by rot, by a wiped or an old disk. What was promised of them was true when it was said.
   */
  readonly destroyed = new Set<string>()
  /** How often something rotted, and how much of that was looked for since. */
  rots = 0
  /** An fsync failed because a fault said so: the process ends by it, and must. */
  hasFailed = false
  readonly #random: Random
  readonly #rottenPayloads = new Set<Hash>()
  /** A planted bug: payloads of this life by the time at which the kernel has written them. */
  readonly #writtenAtMs = new Map<Hash, number>()
  readonly #forgetsPayloads: boolean
  #store: MemoryStore | null = null
  #image: DiskImage | null = null
  #founded: DiskImage | null = null
  #rotsFound = 0
  #fails = false
  #isFull = false
  /** While an fsync does not come to its end: those that wait for it. */
  #stuck: (() => void)[] | null = null

  constructor(random: Random, planted: ReadonlySet<PlantedBug> = new Set()) {
    this.#random = random
    this.#forgetsPayloads = planted.has('forget-payload-sync')
  }

  /** Opens the store for a new life; `items` hears of what is in it. */
  open(life: Life, items?: ItemsSeen): MemoryStore {
    const options = { durability: () => this.#fsync(life), ...(items && { items }) }
    const store =
      this.#image === null ? new MemoryStore(options) : MemoryStore.fromImage(this.#image, options)
    store.setFull(this.#isFull)
    this.#store = store
    this.#fails = false
    this.hasFailed = false
    this.#observe(store, life)
    return store
  }

  /** The process is gone; of what was not durable some may have reached the disk all the same. */
  crash(atMs: number, how: 'kill' | 'power' = 'kill'): { readonly lost: number } {
    const store = this.#store
    if (store === null) return { lost: 0 }
    const { image, lost } = afterCrash(store, how, this.#random)
    for (const [blob, writtenAtMs] of this.#writtenAtMs) {
      if (how === 'power' && writtenAtMs > atMs) image.tables.payloads.delete(blob)
    }
    this.#writtenAtMs.clear()
    this.#takeOver(image, atMs)
    return { lost }
  }

  /** What the disk has now, to put back later: an old copy. */
  copy(): DiskImage | null {
    return this.#store?.image() ?? this.#image
  }

  /** From now on every fsync fails, until the store is opened again. */
  fail(): void {
    this.#fails = true
  }

  /** It may fail no more. */
  mend(): void {
    this.#fails = false
  }

  /** Full, or not any more. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull
    this.#store?.setFull(isFull)
  }

  /** No fsync comes to its end until `heal`: a controller that resets itself, a lost path. */
  stick(): void {
    this.#stuck ??= []
  }

  /** Whether it does all that a disk should. */
  get isFair(): boolean {
    const { slowChance, fsyncMs } = this.weather
    const isSlow = slowChance > 0 || fsyncMs[1] > FAIR_DISK.fsyncMs[1]
    return !(isSlow || this.#isFull || this.#fails || this.#stuck !== null)
  }

  /** The disk is a good one again; what it lost is lost. */
  heal(): void {
    Object.assign(this.weather, FAIR_DISK)
    this.mend()
    this.setFull(false)
    this.unstick()
  }

  unstick(): void {
    const waiting = this.#stuck ?? []
    this.#stuck = null
    for (const end of waiting) end()
  }

  /** Something that is durable rots where it lies. */
  rot(what: Rot): void {
    this.rots += 1
    if (this.#store !== null) this.#store.rot(what)
    else if (this.#image !== null) rotIn(this.#image.tables, what)
    if (what.kind === 'payload') {
      this.payloads.delete(what.blob)
      this.#rottenPayloads.add(what.blob)
      this.destroyed.add(what.blob)
    } else if (what.kind === 'fact') {
      const key = refKey(what.ref)
      const holding = this.holdings.get(key)
      if (holding !== undefined) holding.durableAtMs = null
      this.destroyed.add(key)
    }
  }

  /** Something rotted that nobody has looked for. */
  get isRotten(): boolean {
    return this.rots > this.#rotsFound
  }

  /** All that rotted until then was looked for. */
  scrubbed(rots: number): void {
    this.#rotsFound = Math.max(this.#rotsFound, rots)
  }

  /** A new disk that knows the network and nothing else: user facts and payloads are gone. */
  wipe(atMs: number): void {
    this.keep(this.#founded, atMs)
  }

  /** What the disk has now is what a wiped one has, too. */
  founded(): void {
    this.#founded = this.copy()
  }

  /**
   * Puts another image in place (a new disk, an old copy): what is not in it is destroyed, and what
   * had rotted in it is rotten again.
   */
  keep(image: DiskImage | null, atMs: number): void {
    const before = [...this.holdings].filter(([, { durableAtMs }]) => durableAtMs !== null)
    const keys = [...before.map(([key]) => key), ...this.payloads]
    this.#rottenPayloads.clear()
    for (const [blob, bytes] of image?.tables.payloads ?? []) {
      if (hashBytes(bytes) !== blob) this.#rottenPayloads.add(blob)
    }
    const records = (image?.tables.rotten.size ?? 0) + (image?.tables.rottenItems.size ?? 0)
    if (this.#rottenPayloads.size + records > 0) this.rots += 1
    this.#takeOver(image, atMs)
    for (const key of keys) {
      if (!this.holdings.has(key) && !this.payloads.has(key)) this.destroyed.add(key)
    }
  }

  /** Whether fact and payload survive whatever happens to the process now. */
  isDurable(ref: FactRef, blob: Hash | null): boolean {
    const holding = this.holdings.get(refKey(ref))
    if (holding === undefined || holding.durableAtMs === null) return false
    return blob === null || this.#isWhole(blob)
  }

  /** Whether both are durable, or were until a fault destroyed them. */
  wasDurable(ref: FactRef, blob: Hash | null): boolean {
    const holding = this.holdings.get(refKey(ref))
    const hadFact = (holding?.durableAtMs ?? null) !== null || this.destroyed.has(refKey(ref))
    return hadFact && (blob === null || this.#isWhole(blob) || this.destroyed.has(blob))
  }

  /** Whether some fact that is held stands on a fact: as its child, or written on its branch. */
  hasChild(ref: FactRef): boolean {
    return this.#stoodOn.has(refKey(ref))
  }

  /** In words, what is not there of a fact and its payload. */
  whatLacks(ref: FactRef, blob: Hash | null): string {
    const holding = this.holdings.get(refKey(ref))
    if (holding === undefined) return 'no such fact'
    if (holding.durableAtMs === null) return 'the fact, not durable yet'
    return blob === null || this.#isWhole(blob) ? 'all of it' : 'the fact without its payload'
  }

  /** The file of a large payload is in its place before its writer is told so. */
  #isWhole(blob: Hash): boolean {
    if (this.payloads.has(blob)) return true
    return this.#store?.isPlaced(blob) === true && !this.#rottenPayloads.has(blob)
  }

  /** What is in an image is what there is. */
  #takeOver(image: DiskImage | null, atMs: number): void {
    this.#store = null
    this.#image = image
    const before = new Map(this.holdings)
    this.holdings.clear()
    this.#stoodOn.clear()
    this.payloads.clear()
    for (const [, facts] of image?.tables.facts ?? []) {
      for (const { fact, state } of facts.values()) {
        const key = refKey(fact)
        const known = before.get(key)
        const isRotten = image?.tables.rotten.has(key) === true
        const durableAtMs = isRotten ? null : (known?.durableAtMs ?? atMs)
        if (isRotten) this.destroyed.add(key)
        else this.destroyed.delete(key)
        this.#hold(key, { fact, state, durableAtMs, agreedAtMs: known?.agreedAtMs ?? null })
      }
    }
    for (const [blob, bytes] of image?.tables.payloads ?? []) {
      // What had rotted may have come again, and survived though nobody was told that it would.
      if (!this.#rottenPayloads.has(blob) || hashBytes(bytes) === blob) this.#hasPayload(blob)
    }
  }

  #fsync(life: Life): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (): void => {
      if (this.#stuck !== null && life.alive) {
        this.#stuck.push(() => life.after(0, end))
        return
      }
      if (!this.#fails) return resolve()
      this.hasFailed = true
      reject(new VecheError('INTERNAL', 'The disk failed an fsync.')) // as the real store says it
    }
    life.after(this.#fsyncMs(), end)
    return promise
  }

  #fsyncMs(): number {
    const { fsyncMs, slowChance, slowMs } = this.weather
    return this.#random.between(...(this.#random.chance(slowChance) ? slowMs : fsyncMs))
  }

  #observe(store: MemoryStore, life: Life): void {
    const commit = store.commit.bind(store)
    store.commit = async batch => {
      for (const write of batch) this.#handedIn(write, life.timeline.nowMs)
      await commit(batch)
      for (const write of batch) this.#durable(write, life.timeline.nowMs)
    }
    const payloadWriter = store.payloadWriter.bind(store)
    store.payloadWriter = async expect => {
      const writer = await payloadWriter(expect)
      const finish = writer.finish.bind(writer)
      writer.finish = async () => {
        const blob = await finish()
        if (blob !== undefined) this.#hasPayload(blob)
        if (blob !== undefined && this.#forgetsPayloads) {
          this.#writtenAtMs.set(blob, life.timeline.nowMs + WRITEBACK_MS)
        }
        return blob
      }
      return writer
    }
  }

  #handedIn(write: Write, atMs: number): void {
    if (write.kind !== 'fact') return
    const { fact, state } = write.held
    const key = refKey(fact)
    const known = this.holdings.get(key)
    const agreedAtMs = known?.agreedAtMs ?? (state.kind === 'agreed' ? atMs : null)
    this.#hold(key, { fact, state, durableAtMs: known?.durableAtMs ?? null, agreedAtMs })
  }

  #hold(key: string, holding: Holding): void {
    const { id, parents, base } = holding.fact
    this.holdings.set(key, holding)
    for (const version of parents) this.#stoodOn.add(refKey({ id, version }))
    for (const above of base ?? []) {
      for (const version of above.heads) this.#stoodOn.add(refKey({ id: above.id, version }))
    }
  }

  #durable(write: Write, atMs: number): void {
    if (write.kind === 'payload') this.#hasPayload(write.blob)
    if (write.kind !== 'fact') return
    const key = refKey(write.held.fact)
    const holding = this.holdings.get(key)
    if (holding !== undefined) holding.durableAtMs ??= atMs
    this.destroyed.delete(key)
  }

  #hasPayload(blob: Hash): void {
    this.payloads.add(blob)
    this.#rottenPayloads.delete(blob)
    this.destroyed.delete(blob)
  }
}
