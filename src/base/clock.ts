/**
 * The network clock (PROTOCOL 4): a monotonic clock plus an offset that starts from wall time and
 * only grows. Members raise their offset to the furthest clock they hear, so all have one cut to
 * within the network delay. Pure: both machine clocks are passed in.
 */
import { limits } from './limits.ts'
import { type Stamp, stampCounter, stampMs, stampOf } from './stamp.ts'

const COUNTER_MAX = 0xffff

export interface NetworkClock {
  /** Added to the monotonic clock; only grows. */
  offsetMs: number
  /** The last stamp given out; the next one is larger. */
  last: Stamp
}

/** Starts where the wall clock is, but never before `persisted` (kept ahead by a reserve). */
export function startClock(options: {
  readonly monotonicMs: number
  readonly wallMs: number
  readonly persisted: Stamp | null
}): NetworkClock {
  const floor = options.persisted === null ? 0 : stampMs(options.persisted) + 1
  const startMs = Math.max(0, Math.floor(options.wallMs), floor)
  return { offsetMs: startMs - options.monotonicMs, last: stampOf(startMs) }
}

/** Milliseconds of the network clock, without using up a stamp. */
export function clockMs(clock: NetworkClock, monotonicMs: number): number {
  return Math.floor(monotonicMs + clock.offsetMs)
}

/** A new stamp, larger than every one given out before. */
export function nextStamp(clock: NetworkClock, monotonicMs: number): Stamp {
  const fromTime = stampOf(clockMs(clock, monotonicMs))
  clock.last = fromTime > clock.last ? fromTime : successor(clock.last)
  return clock.last
}

function successor(stamp: Stamp): Stamp {
  const counter = stampCounter(stamp)
  return counter < COUNTER_MAX ? stampOf(stampMs(stamp), counter + 1) : stampOf(stampMs(stamp) + 1)
}

/**
 * Hears a roster member's clock. Follows it when it is ahead, up to `limits.clockAheadMs` above
 * the own wall clock; answers `far` when it lies beyond that, which is to be reported.
 */
export function hearClock(
  clock: NetworkClock,
  heard: { readonly stamp: Stamp; readonly monotonicMs: number; readonly wallMs: number },
): 'followed' | 'behind' | 'far' {
  const aheadMs = stampMs(heard.stamp) - clockMs(clock, heard.monotonicMs)
  if (aheadMs <= 0) return 'behind'
  const roomMs = heard.wallMs + limits.clockAheadMs - clockMs(clock, heard.monotonicMs)
  if (aheadMs > roomMs) {
    if (roomMs > 0) clock.offsetMs += roomMs
    return 'far'
  }
  clock.offsetMs += aheadMs
  return 'followed'
}

/** The settle cut at a moment: the last whole second at least `limits.settleMs` back. */
export function cutAt(clock: NetworkClock, monotonicMs: number): number {
  return Math.max(0, Math.floor((clockMs(clock, monotonicMs) - limits.settleMs) / 1000) * 1000)
}
