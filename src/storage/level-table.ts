/**
 * LevelDB as records that can be trusted: every read goes through the overlay, every record through
 * its checksum, and what is damaged is told and read as absent.
 *
 * Point reads of one moment are gathered into few `getMany`: a single awaited `get` costs a trip to
 * the thread pool, some dozen keys cost hardly more. Nothing reads synchronously: a stuck disk must
 * hold up who asked, and nobody else.
 */
import type { AbstractIteratorOptions } from 'abstract-level'
import type { Level } from 'level'
import { type Bytes, compareText } from '../base/bytes.ts'
import { VecheError } from '../base/veche-error.ts'
import type { Engine } from './engine.ts'
import { damageOfKey, isKey, type Range } from './keys.ts'
import { mergeRows, Overlay, type Row } from './overlay.ts'
import { unseal } from './records.ts'
import type { Damage } from './store.ts'

/** LevelDB as this store uses it: text keys, bytes as values. */
export type Database = Level<string, Bytes>
export const LEVEL_ENCODINGS = { keyEncoding: 'utf8', valueEncoding: 'view' } as const

/** A snapshot of the database, for reads that must fit together. */
export type Snapshot = ReturnType<Database['snapshot']>

/**
 * Single reads that are gathered into one: with more, who asked would all wait for the last of them,
 * and this thread and the one that reads take turns, each idle while the other works (decision 0038).
 */
const WAVE_KEYS_MAX = 32

/** Rows read from LevelDB at once, and their bytes. */
const PAGE_ROWS = 1000
const PAGE_BYTES = 1024 * 1024

interface Wave {
  readonly keys: string[]
  readonly done: Promise<(Bytes | undefined)[]>
}

/** Checked reads of LevelDB under the overlay. */
export class LevelTable {
  readonly overlay = new Overlay()
  readonly #engine: Engine
  readonly #onDamage: (damage: Damage) => void
  #wave: Wave | null = null

  constructor(engine: Engine, onDamage: (damage: Damage) => void) {
    this.#engine = engine
    this.#onDamage = onDamage
  }

  /** The payloads of records; `undefined` where there is none, or a damaged one. */
  async get(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const staged = keys.map(key => this.overlay.get(key))
    const absent = keys.filter((_, at) => staged[at] === undefined)
    const stored = absent.length === 0 ? [] : await this.#join(absent)
    let next = 0
    return keys.map((key, at) => {
      const op = staged[at]
      if (op !== undefined) return op.type === 'put' ? this.#open(key, op.value) : undefined
      const record = stored[next++]
      return record === undefined ? undefined : this.#open(key, record)
    })
  }

  /** The payload of one record: most calls of a socket read one of each table. */
  async one(key: string): Promise<Bytes | undefined> {
    const op = this.overlay.get(key)
    if (op !== undefined) return op.type === 'put' ? this.#open(key, op.value) : undefined
    const { keys, done } = this.#nextWave()
    const at = keys.push(key) - 1
    const record = (await done)[at]
    return record === undefined ? undefined : this.#open(key, record)
  }

  /** A record as it is, sound or not, for keeping it aside. */
  async raw(key: string): Promise<Bytes | undefined> {
    const op = this.overlay.get(key)
    if (op !== undefined) return op.type === 'put' ? op.value : undefined
    return (await this.#getMany([key]))[0]
  }

  /** Which records are there; a damaged one is. */
  async has(keys: readonly string[]): Promise<boolean[]> {
    const staged = keys.map(key => this.overlay.get(key))
    const absent = keys.filter((_, at) => staged[at] === undefined)
    const stored = absent.length === 0 ? [] : await this.#engine.use(db => db.hasMany(absent))
    let next = 0
    return staged.map(op => (op === undefined ? stored[next++]! : op.type === 'put'))
  }

  /** The first payloads of a range in the order of keys, damaged ones left out. */
  async range(range: Range, limit = Number.POSITIVE_INFINITY): Promise<Row[]> {
    const found: Row[] = []
    let { from } = range
    while (found.length < limit) {
      const wanted = Math.min(PAGE_ROWS, limit - found.length)
      const page = await this.#page({ from, until: range.until }, wanted)
      for (const [key, record] of page.rows) {
        const payload = this.#open(key, record)
        if (payload !== undefined && found.length < limit) found.push([key, payload])
      }
      if (page.next === null) break
      from = page.next
    }
    return found
  }

  /** One page of rows, sealed, and where the next one begins (null: there is none). */
  #page(range: Range, rowsMax: number): Promise<{ rows: Row[]; next: string | null }> {
    return this.#engine.use(db => this.#pageOf(db, range, rowsMax))
  }

  async #pageOf(db: Database, range: Range, rowsMax: number) {
    // The overlay is read in the same step in which the iterator takes its snapshot.
    const staged = this.overlay.range(range)
    const iterator = db.iterator({ ...pageOptions(range), fillCache: true })
    try {
      const stored = (await iterator.nextv(rowsMax)) as Row[]
      const last = stored.at(-1)
      if (last === undefined || stored.length < rowsMax) {
        // nextv may stop early at its bound of bytes: only an empty answer is the end
        const more = last === undefined ? [] : ((await iterator.nextv(1)) as Row[])
        if (more.length === 0) return { rows: mergeRows(stored, staged), next: null }
        stored.push(...more)
      }
      const end = stored.at(-1)![0]
      const next = `${end}\u0000`
      const within = staged.filter(op => compareText(op.key, end) <= 0)
      return { rows: mergeRows(stored, within), next }
    } catch (error) {
      throw unreadable(range, error)
    } finally {
      await iterator.close()
    }
  }

  /** Joins the next gathered read. */
  async #join(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const wave = this.#nextWave()
    const from = wave.keys.length
    wave.keys.push(...keys)
    return (await wave.done).slice(from, from + keys.length)
  }

  #nextWave(): Wave {
    if (this.#wave === null || this.#wave.keys.length >= WAVE_KEYS_MAX) this.#wave = this.#newWave()
    return this.#wave
  }

  #newWave(): Wave {
    const keys: string[] = []
    const read = async () => {
      await Promise.resolve() // all reads of this moment join
      this.#wave = null // a full one of the same moment has gone ahead
      return await this.#getMany(keys)
    }
    return { keys, done: read() }
  }

  async #getMany(keys: string[]): Promise<(Bytes | undefined)[]> {
    try {
      return await this.#engine.use(db => db.getMany(keys))
    } catch (error) {
      if (keys.length > 1) return await Promise.all(keys.map(key => this.#getAlone(key)))
      this.#tellUnreadable(keys[0]!, error)
      return [undefined]
    }
  }

  /** One key of a wave that failed: the damage is told of those only that cannot be read. */
  async #getAlone(key: string): Promise<Bytes | undefined> {
    try {
      return await this.#engine.use(db => db.get(key))
    } catch (error) {
      this.#tellUnreadable(key, error)
      return undefined
    }
  }

  #tellUnreadable(key: string, error: unknown): void {
    if (!this.#engine.isOpen) throw error
    const sentence = `${damageOfKey(key).sentence} LevelDB says: ${reasonOf(error)}.`
    this.#onDamage({ ...damageOfKey(key), what: 'engine', sentence })
  }

  #open(key: string, record: Bytes): Bytes | undefined {
    const payload = unseal(key, record)
    if (payload === undefined) this.#onDamage(damageOfKey(key))
    return payload
  }
}

/**
 * All rows of a range, sealed and as LevelDB has them, in pages; for openings and for verify. What
 * has no key of ours is passed over: aside.ts looks after it.
 */
export async function* sealedPages(
  db: Database,
  range: Range,
  snapshot?: Snapshot,
): AsyncGenerator<Row[]> {
  const options = { ...pageOptions(range), ...(snapshot && { snapshot }) }
  const iterator = db.iterator(options)
  const nextPage = async () => (await iterator.nextv(PAGE_ROWS)) as Row[]
  try {
    for (let next = nextPage(); ; ) {
      const page = await next
      if (page.length === 0) return
      next = nextPage() // another thread reads while this one looks at what it has
      next.catch(() => undefined) // told to who asks for the page; an early end asks no more
      yield page.filter(([key]) => isKey(key))
    }
  } finally {
    await iterator.close()
  }
}

/** All keys of a range in pages, those that are ours. */
export async function* keyPages(db: Database, range: Range): AsyncGenerator<string[]> {
  const iterator = db.keys({ gte: range.from, lt: range.until, fillCache: false })
  try {
    for (;;) {
      const page = await iterator.nextv(PAGE_ROWS)
      if (page.length === 0) return
      yield page.filter(isKey)
    }
  } finally {
    await iterator.close()
  }
}

function pageOptions({ from, until }: Range) {
  const options = { gte: from, lt: until, fillCache: false, highWaterMarkBytes: PAGE_BYTES }
  return options satisfies AbstractIteratorOptions<string, Bytes> & { highWaterMarkBytes: number }
}

function unreadable(range: Range, error: unknown): VecheError {
  const sentence =
    `LevelDB cannot read a part of the store (${reasonOf(error)}): ` +
    'start again, then it is repaired, and what is lost is fetched from the others.'
  return new VecheError('DAMAGED', sentence, { from: range.from }, error)
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
