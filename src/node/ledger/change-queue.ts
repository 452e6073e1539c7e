/**
 * Changes that wait to be worked out, and when the next batch of them is begun. Whatever a batch costs
 * besides its facts (an fsync, a frame to each member and its acknowledgment) is shared by all that are
 * in it, so one that would hold few waits for the batch that is on its way to the disk; what comes
 * meanwhile joins it (decision 0034). With many at hand the next one is worked out while the last one
 * is being made durable.
 */
import type { ItemId } from '../../base/fact.ts'
import type { Batch } from './batch.ts'

/** Changes worked out in one batch, so that a flood does not hold the loop. */
const BATCH_MAX = 512
/** Batches handed to the store and not yet durable: one at the disk, and one that gathers meanwhile. */
const IN_FLIGHT_MAX = 2
/** So many facts are worth a second one: twice what 64 clients of one member have on their way. */
const SECOND_FACTS_MIN = 128

/** Changes of one caller. */
export interface Job {
  readonly ids: () => Iterable<ItemId>
  /** Facts that are changed, about. */
  readonly facts: number
  /** In a batch of its own, which waits for no other. */
  readonly alone: boolean
  readonly apply: (batch: Batch) => Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class ChangeQueue {
  readonly #turn: () => Promise<void>
  readonly #jobs: Job[] = []
  #weight = 0
  #inFlight = 0
  #wake: (() => void) | null = null

  /** `turn` resolves when all that has arrived by then was looked at. */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0
  }

  push(job: Job): void {
    this.#jobs.push(job)
    this.#weight += weightOf(job)
    this.#wakeUp()
  }

  /** The jobs of the next batch, when it is time for it: up to one that wants to be alone, or that one. */
  async next(): Promise<readonly Job[]> {
    while (!this.#isTime()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    await this.#turn()
    const alone = this.#jobs.slice(0, BATCH_MAX).findIndex(job => job.alone)
    const jobs = this.#jobs.splice(0, alone === -1 ? BATCH_MAX : Math.max(1, alone))
    for (const job of jobs) this.#weight -= weightOf(job)
    return jobs
  }

  /** A batch was handed to the store. */
  begun(): void {
    this.#inFlight += 1
  }

  /** It is durable. */
  ended(): void {
    this.#inFlight -= 1
    this.#wakeUp()
  }

  #isTime(): boolean {
    if (this.#inFlight === 0) return true
    return this.#inFlight < IN_FLIGHT_MAX && this.#weight >= SECOND_FACTS_MIN
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = null
  }
}

function weightOf({ alone, facts }: Job): number {
  return alone ? SECOND_FACTS_MIN : facts
}
