/**
 * The moments of a world: one monotonic clock for all members, the network clock a fixed stretch
 * ahead of it, cuts at its whole seconds, and stamps of added facts.
 */
import { limits } from '../../src/base/limits.ts'
import { STAMP_ZERO, type Stamp, stampMs, stampOf } from '../../src/base/stamp.ts'

/** Monotonic time at which every exploration begins; long after a machine's own beginning. */
export const BEGIN_MS = 100_000
const EPOCH_MS = 1_000_000_000

/** The cut that all members have at a moment. */
export function cutOf(now: number): number {
  return Math.floor((EPOCH_MS + now - limits.settleMs) / 1000) * 1000
}

/** The network clock's milliseconds. */
export function networkMs(now: number): number {
  return EPOCH_MS + now
}

/** Added at 0 is the smallest stamp; all others stand behind what was said in the same moment. */
export function stampOfMs(ms: number): Stamp {
  return ms === 0 ? STAMP_ZERO : stampOf(ms, 1)
}

/** Milliseconds of such a stamp. */
export function msOfStamp(stamp: Stamp): number {
  return stampMs(stamp)
}
