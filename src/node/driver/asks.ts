/**
 * What other members ask, so many at a time for each of them. A question takes some bytes and its
 * answer up to half a MiB, and a frame holds thousands of questions: a member that errs would have
 * us read, hash and keep without an end. Who asks for more than may wait is told of, not answered;
 * silence is an answer that every asker knows.
 *
 * Invariant: an honest member never waits here, since it asks for far less at once.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Clock } from '../ports.ts'

interface Waiting {
  readonly weight: number
  readonly start: () => void
}

interface Asker {
  /** Weights of what is being answered. */
  running: number
  readonly waiting: Waiting[]
  /** The next turn of those that wait is planned. */
  isPlanned: boolean
}

export class Asks {
  readonly #clock: Clock
  readonly #askers = new Map<MemberId, Asker>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Answers a question now or when it is its turn; undefined when too many wait already. `weight`
   * tells how much of `asksAtOnceMax` it takes.
   */
  answer(from: MemberId, work: () => void | Promise<void>, weight = 1): Promise<void> | undefined {
    const asker = this.#askers.get(from) ?? { running: 0, waiting: [], isPlanned: false }
    this.#askers.set(from, asker)
    if (asker.waiting.length === 0 && asker.running + weight <= limits.asksAtOnceMax) {
      return this.#run(from, asker, work, weight)
    }
    if (asker.waiting.length >= limits.asksWaitingMax) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const start = () => void this.#run(from, asker, work, weight).then(resolve, reject)
    asker.waiting.push({ weight, start })
    return promise
  }

  async #run(
    from: MemberId,
    asker: Asker,
    work: () => void | Promise<void>,
    weight: number,
  ): Promise<void> {
    asker.running += weight
    try {
      await work()
    } finally {
      asker.running -= weight
      if (asker.waiting.length > 0) this.#next(asker)
      else if (asker.running === 0) this.#askers.delete(from)
    }
  }

  /** In a later turn of the loop, so that others are heard meanwhile. */
  #next(asker: Asker): void {
    if (asker.isPlanned) return
    asker.isPlanned = true
    this.#clock.after(0, () => {
      asker.isPlanned = false
      for (;;) {
        const next = asker.waiting[0]
        if (next === undefined || asker.running + next.weight > limits.asksAtOnceMax) return
        asker.waiting.shift()
        next.start()
      }
    })
  }
}
