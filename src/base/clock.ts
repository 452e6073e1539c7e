/**
 * The network clock (PROTOCOL 4): it starts from wall time, follows the furthest clock that is
 * heard, so that all have one cut to within the network delay, and never goes back. How far it
 * follows, and where it comes back to, is judged by the wall clocks of many machines: by its own
 * alone, members would judge one clock differently and stay apart. One that is ahead of all wall
 * clocks runs at half speed until it is not. Pure: both machine clocks are passed in.
 */
import { limits } from './limits.ts'
import { type Stamp, stampCounter, stampMs, stampOf } from './stamp.ts'

const COUNTER_MAX = 0xffff
/** Slow enough to be back soon, fast enough that cuts go on. */
const SLOW = 0.5
/** This far ahead nothing is done: wall clocks are known to within the network delay only. */
const SLACK_MS = 1000

export interface NetworkClock {
  /** What it showed at `atMs` of the monotonic clock. */
  shownMs: number
  atMs: number
  /** At `atMs`, where it comes back to if it is ahead of that; null: it knows no such place. */
  backToMs: number | null
  /** The last stamp given out; the next one is larger. */
  last: Stamp
}

/** What the wall clocks that a member knows mean for its network clock, at one moment. */
export interface Bounds {
  /** Who is beyond this is not followed. */
  readonly limitMs: number
  /** See `NetworkClock`. */
  readonly backToMs: number | null
  /** What most wall clocks are near; null: there are too few to tell. */
  readonly mostMs: number | null
}

/** Starts where the wall clock is, but never before `persisted` (kept ahead by a reserve). */
export function startClock(options: {
  readonly monotonicMs: number
  readonly wallMs: number
  readonly persisted: Stamp | null
}): NetworkClock {
  const floor = options.persisted === null ? 0 : stampMs(options.persisted) + 1
  const startMs = Math.max(0, Math.floor(options.wallMs), floor)
  return { shownMs: startMs, atMs: options.monotonicMs, backToMs: null, last: stampOf(startMs) }
}

/** Milliseconds of the network clock, without using up a stamp. */
export function clockMs(clock: NetworkClock, monotonicMs: number): number {
  return Math.floor(exactMs(clock, monotonicMs))
}

function exactMs({ shownMs, atMs, backToMs }: NetworkClock, monotonicMs: number): number {
  const passedMs = monotonicMs - atMs
  if (backToMs === null) return shownMs + passedMs
  // At half speed, and as soon as it is back at full speed; also over a long standstill.
  const slowMs = Math.max(shownMs + passedMs * SLOW, backToMs + SLACK_MS + passedMs)
  return Math.min(shownMs + passedMs, slowMs)
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
 * Judges by wall clocks: the own one and those that others showed lately, as they stand now. With
 * three or more the middle one is the measure: it lies among the right ones as long as fewer than
 * half are wrong, and is the same for all. Of two none can say which is wrong: each keeps to its
 * own, and comes back only to the later of both. Who is alone goes on at the pace of its machine.
 */
export function boundsOf(ownWallMs: number, heardMs: readonly number[]): Bounds {
  // Network clocks begin with 1970: a wall clock before that would call each of them far ahead.
  const ownMs = Math.max(0, ownWallMs)
  const sorted = [ownMs, ...heardMs.map(ms => Math.max(0, ms))].sort((a, b) => a - b)
  const middleMs = sorted[Math.floor(sorted.length / 2)] ?? ownMs
  const mostMs = sorted.length > 2 ? middleMs : null
  const believed = sorted.filter(ms => ms <= middleMs + limits.clockAheadMs)
  return {
    limitMs: (mostMs ?? ownMs) + limits.clockAheadMs,
    // Never below the own one: whoever shows a false wall clock can slow nobody whose own is right.
    backToMs: heardMs.length === 0 ? null : Math.max(ownMs, believed.at(-1) ?? ownMs),
    mostMs,
  }
}

/** Takes new bounds; from now on the clock comes back to them. */
export function steerClock(clock: NetworkClock, monotonicMs: number, bounds: Bounds): void {
  clock.shownMs = exactMs(clock, monotonicMs)
  clock.atMs = monotonicMs
  clock.backToMs = bounds.backToMs
}

/**
 * Hears a roster member's clock and follows it when it is ahead; answers `far`, which is to be
 * reported, when it lies beyond the limit. Such a one is not followed at all, not even up to the
 * limit: the limits of two members differ by as much as what they know of wall clocks.
 */
export function hearClock(
  clock: NetworkClock,
  heard: { readonly stamp: Stamp; readonly monotonicMs: number; readonly bounds: Bounds },
): 'followed' | 'behind' | 'far' {
  const heardMs = stampMs(heard.stamp)
  const ownMs = exactMs(clock, heard.monotonicMs)
  if (heardMs <= ownMs) return 'behind'
  // Two that come back side by side from beyond the limit do not name each other.
  if (heardMs > heard.bounds.limitMs) return heardMs <= ownMs + SLACK_MS ? 'behind' : 'far'
  steerClock(clock, heard.monotonicMs, heard.bounds)
  clock.shownMs = heardMs
  return 'followed'
}

/** The settle cut at a moment: the last whole second at least `limits.settleMs` back. */
export function cutAt(clock: NetworkClock, monotonicMs: number): number {
  return Math.max(0, Math.floor((clockMs(clock, monotonicMs) - limits.settleMs) / 1000) * 1000)
}
