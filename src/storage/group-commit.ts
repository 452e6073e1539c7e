/**
 * Grouped commit: batches are handed in one after the other, and at any time one group of them is
 * being made durable. What is handed in meanwhile gathers and becomes the next group, so that a
 * hundred writers share one fsync. Groups end in order, a batch is in one group whole, and after
 * the first failure nothing is ever written again: a disk that failed an fsync has forgotten pages
 * that it calls clean, and trying again would lie.
 */

interface Group<Batch> {
  readonly batches: Batch[]
  bytes: number
  readonly done: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** How groups are made durable, how large they get, and who hears of a failure. */
export interface GroupCommitOptions<Batch> {
  /** Makes the batches of one group durable, all or none; called for one group at a time. */
  readonly write: (batches: readonly Batch[], bytes: number) => Promise<void>
  /** A group takes no further batch when it holds so many bytes. */
  readonly groupBytesMax: number
  /** Called once, with the first failure. */
  readonly onFault: (fault: Error) => void
}

/** The queue of batches on their way to the disk. */
export class GroupCommit<Batch> {
  readonly #options: GroupCommitOptions<Batch>
  readonly #waiting: Group<Batch>[] = []
  #running: Promise<void> | null = null
  #fault: Error | null = null

  constructor(options: GroupCommitOptions<Batch>) {
    this.#options = options
  }

  /** The failure that ended it, if one did. */
  get fault(): Error | null {
    return this.#fault
  }

  /** Hands a batch in; resolves when it is durable, rejects when it may not be. */
  add(batch: Batch, bytes: number): Promise<void> {
    if (this.#fault !== null) return Promise.reject(this.#fault)
    let group = this.#waiting.at(-1)
    if (group === undefined || group.bytes >= this.#options.groupBytesMax) {
      group = newGroup<Batch>()
      this.#waiting.push(group)
    }
    group.batches.push(batch)
    group.bytes += bytes
    this.#running ??= this.#run()
    return group.done
  }

  /** Resolves when nothing is under way any more, however it ended. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  /** Ends everything for a failure that happened elsewhere on the same disk. */
  fail(fault: Error): void {
    if (this.#fault !== null) return
    this.#fault = fault
    this.#options.onFault(fault)
    for (const group of this.#waiting.splice(0)) group.reject(fault)
  }

  async #run(): Promise<void> {
    // One turn of waiting lets all batches of the same moment into the first group.
    await Promise.resolve()
    for (let group = this.#waiting.shift(); group !== undefined; group = this.#waiting.shift()) {
      try {
        await this.#options.write(group.batches, group.bytes)
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)))
        group.reject(this.#fault!)
        break
      }
      group.resolve()
    }
    this.#running = null
  }
}

function newGroup<Batch>(): Group<Batch> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  return { batches: [], bytes: 0, done: promise, resolve, reject }
}
