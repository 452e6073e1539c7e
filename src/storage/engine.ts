/**
 * The one door to LevelDB while a store is open. What work leaves in LevelDB's memory (write buffers,
 * blocks, and each table that was looked into, mapped whole) stays until it is closed. So when a store
 * rests after work, LevelDB is closed and opened again behind the back of its users (decision 0035):
 * only while nobody is inside, and who comes meanwhile waits.
 */
import type { Database } from './level-table.ts'

/** A store rests when hardly anything was asked of it for so long. */
const REST_MS = 10_000
/** A member that rests writes its clock and looks something up now and then. */
const REST_USES = 100
/** Few calls are work, too, when they write so many bytes. */
const WORK_BYTES = 8 * 1024 * 1024

export interface EngineOptions {
  readonly db: Database
  /** Throws when LevelDB, opened again, is not what it was when it was closed. */
  readonly check: (db: Database) => Promise<void>
  /** LevelDB did not come back: nothing can be read or written any more. */
  readonly onFault: (error: unknown) => void
  readonly restMs?: number
}

export class Engine {
  readonly #options: EngineOptions
  #users = 0
  #renewal: Promise<void> | null = null
  #isEnded = false
  #uses = 0
  /** Since LevelDB was opened: what was written, and whether there was work. */
  #bytes = 0
  #hasWorked = false
  /** Looks back at the last while; runs only while something is asked. */
  #timer: NodeJS.Timeout | null = null

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** Whether LevelDB takes calls: not after its end, nor after an opening that failed. */
  get isOpen(): boolean {
    return this.#options.db.status === 'open'
  }

  /** Runs work with LevelDB, which stays open for it; `bytes` is what it writes. */
  async use<Value>(work: (db: Database) => Promise<Value>, bytes = 0): Promise<Value> {
    const leave = await this.enter(bytes)
    try {
      return await work(this.#options.db)
    } finally {
      leave()
    }
  }

  /** Keeps LevelDB open until the function that this resolves with is called. */
  async enter(bytes = 0): Promise<() => void> {
    while (this.#renewal !== null) await this.#renewal
    this.#users += 1
    this.#uses += 1
    this.#bytes += bytes
    if (this.#timer === null) this.#watch()
    return this.#leave
  }

  readonly #leave = (): void => {
    this.#users -= 1
  }

  /** Closes LevelDB and opens it again, unless somebody is inside. */
  async renew(): Promise<void> {
    if (this.#isEnded || !this.isOpen) return
    if (this.#renewal === null && this.#users === 0) this.#renewal = this.#reopen()
    await this.#renewal
  }

  /** From now on nothing is opened anew: LevelDB is about to be closed. */
  async end(): Promise<void> {
    this.#isEnded = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#renewal
  }

  /**
   * Waits for rest. Whatever was more than rest is worth an opening afterwards: each call may have had
   * a whole table mapped.
   */
  #watch(): void {
    const before = this.#uses
    const look = () => {
      this.#timer = null
      if (this.#uses - before > REST_USES || this.#bytes >= WORK_BYTES) this.#hasWorked = true
      if (this.#uses - before > REST_USES || this.#users > 0) return this.#watch()
      if (this.#hasWorked) void this.renew() // never rejects: a failure is told
    }
    this.#timer = setTimeout(look, this.#options.restMs ?? REST_MS).unref()
  }

  async #reopen(): Promise<void> {
    const { db, check, onFault } = this.#options
    try {
      await db.close()
      await db.open({ createIfMissing: false }) // an empty one in place of one that is gone would be a lie
      await check(db)
      this.#bytes = 0
      this.#hasWorked = false
    } catch (error) {
      onFault(error)
    } finally {
      this.#renewal = null
    }
  }
}
