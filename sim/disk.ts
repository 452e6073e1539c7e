/**
 * A member's disk: a store in memory whose batches become durable after a virtual fsync, and what
 * is left of it when the process or the power goes. It outlives the member's lives.
 *
 * Beside the store it keeps a plain record of what was handed in and what is durable, by name: the
 * checks ask it what really survives, and never the member.
 */
import { type Fact, type FactRef, type FactState, refKey } from '../src/base/fact.ts'
import type { Hash } from '../src/base/hash.ts'
import { MemoryStore } from '../src/storage/memory-store.ts'
import type { Write } from '../src/storage/store.ts'
import type { Life } from './clock.ts'
import type { Random } from './random.ts'

type Image = ReturnType<MemoryStore['image']>

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
  /** Payloads that are sure to survive. */
  readonly payloads = new Set<Hash>()
  readonly #random: Random
  #store: MemoryStore | null = null
  #image: Image | null = null
  #founded: Image | null = null
  #fails = false

  constructor(random: Random) {
    this.#random = random
  }

  /** Opens the store for a new life. */
  open(life: Life): MemoryStore {
    const durability = () =>
      new Promise<void>((resolve, reject) => {
        const end = () => (this.#fails ? reject(new Error('the disk failed an fsync')) : resolve())
        life.after(this.#fsyncMs(), end)
      })
    const store =
      this.#image === null
        ? new MemoryStore({ durability })
        : MemoryStore.fromImage(this.#image, { durability })
    this.#store = store
    this.#fails = false
    this.#observe(store, life)
    return store
  }

  /**
   * The process is gone. Of the batches that were not durable the first few may have reached the
   * disk all the same; the rest is lost.
   */
  crash(atMs: number): { readonly lost: number } {
    const store = this.#store
    if (store === null) return { lost: 0 }
    const survivors = this.#random.int(0, store.undurable)
    const lost = store.undurable - survivors
    this.keep(store.image(survivors), atMs)
    return { lost }
  }

  /** What the disk has now, to put back later: an old copy. */
  copy(): Image | null {
    return this.#store?.image() ?? this.#image
  }

  /** From now on every fsync fails, until the store is opened again. */
  fail(): void {
    this.#fails = true
  }

  /** A new disk that knows the network and nothing else: user facts and payloads are gone. */
  wipe(atMs: number): void {
    this.keep(this.#founded, atMs)
  }

  /** What the disk has now is what a wiped one has, too. */
  founded(): void {
    this.#founded = this.copy()
  }

  /** Puts an image in place; what is not in it is gone. */
  keep(image: Image | null, atMs: number): void {
    this.#store = null
    this.#image = image
    const before = new Map(this.holdings)
    this.holdings.clear()
    this.payloads.clear()
    for (const [, facts] of image?.tables.facts ?? []) {
      for (const { fact, state } of facts.values()) {
        const key = refKey(fact)
        const known = before.get(key)
        const durableAtMs = known?.durableAtMs ?? atMs
        this.holdings.set(key, { fact, state, durableAtMs, agreedAtMs: known?.agreedAtMs ?? null })
      }
    }
    for (const blob of image?.tables.payloads.keys() ?? []) this.payloads.add(blob)
  }

  /** Whether fact and payload survive whatever happens to the process now. */
  isDurable(ref: FactRef, blob: Hash | null): boolean {
    const holding = this.holdings.get(refKey(ref))
    if (holding === undefined || holding.durableAtMs === null) return false
    return blob === null || this.payloads.has(blob)
  }

  /** In words, what is not there of a fact and its payload. */
  whatLacks(ref: FactRef, blob: Hash | null): string {
    const holding = this.holdings.get(refKey(ref))
    if (holding === undefined) return 'no such fact'
    if (holding.durableAtMs === null) return 'the fact, not durable yet'
    return blob === null || this.payloads.has(blob) ? 'all of it' : 'the fact without its payload'
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
        if (blob !== undefined) this.payloads.add(blob)
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
    this.holdings.set(key, { fact, state, durableAtMs: known?.durableAtMs ?? null, agreedAtMs })
  }

  #durable(write: Write, atMs: number): void {
    if (write.kind === 'payload' || write.kind === 'have') this.payloads.add(write.blob)
    if (write.kind !== 'fact') return
    const holding = this.holdings.get(refKey(write.held.fact))
    if (holding !== undefined) holding.durableAtMs ??= atMs
  }
}
