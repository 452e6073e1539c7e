/**
 * How often a member ticks. While anything moves, a tick is due ten times a second: it bounds how late
 * a cut, a refill or a silence is noticed. A member at rest finds nothing to do in nine of ten, and each costs
 * a seventh of a millisecond, since the processor's caches have forgotten it since the last one.
 *
 * Invariant: who is not Source, has worked lately, or misses anybody of its roster, does not rest.
 */
import type { AgreementState } from '../../consensus/agreement/state.ts'

const TICK_MS = 100
/** Four a second: a quarter of a second is little beside a ping's second. */
const RESTING_TICK_MS = 250
/** Nothing was written, compared or decided for so long: retries after work are over, too. */
const REST_MS = 3000
/** A ping and a half: whoever is silent for longer is watched closely again. */
const HEARD_LATELY_MS = 1500

export class Pace {
  #workedAt = Number.NEGATIVE_INFINITY

  /** Something was written, compared or decided. */
  worked(now: number): void {
    this.#workedAt = now
  }

  /** Milliseconds until the next tick. */
  tickMs({ source, peers }: Pick<AgreementState, 'source' | 'peers'>, now: number): number {
    if (source === null || now - this.#workedAt < REST_MS) return TICK_MS
    for (const { heardAt } of peers.values()) {
      if (now - heardAt > HEARD_LATELY_MS) return TICK_MS
    }
    return RESTING_TICK_MS
  }
}
