/**
 * The two clocks of one machine, as its quartz and its operator make them. The monotonic one starts
 * anywhere and never goes back; it runs too fast or too slow, and its rate may change. The wall
 * clock runs by the same quartz, and may be set, or stand still.
 */
import type { Timeline } from './clock.ts'

/** Wall clocks of the world begin here unless a run draws another moment. */
export const EPOCH_MS = Date.UTC(2030, 0, 1)

/** Rates within this of 1 are those of real quartz: they stay after the faults. */
const USUAL_DRIFT = 0.05
/** A wall clock within this of the world's is not set right by anybody. */
const USUAL_APART_MS = 26_000

export class MachineClocks {
  /** Where the world's time began, by the calendar. */
  epochMs = EPOCH_MS
  /** How far the wall clock was set away from what it would show. */
  wallOffsetMs = 0
  readonly #timeline: Timeline
  #rate = 1
  /** Since when the rate is that, and what both clocks had gained or lost until then. */
  #sinceMs = 0
  #gainedMs = 0
  #bootMs = 0
  #wallStandsAtMs: number | null = null

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** Its seconds in a second of the world. */
  get rate(): number {
    return this.#rate
  }

  set rate(rate: number) {
    this.#gainedMs = this.gainedMs
    this.#sinceMs = this.#timeline.nowMs
    this.#rate = rate
  }

  /** What the quartz is ahead of the world's time. */
  get gainedMs(): number {
    return this.#gainedMs + (this.#timeline.nowMs - this.#sinceMs) * (this.#rate - 1)
  }

  /** The machine starts: its monotonic clock begins there. Only before anybody has read it. */
  boot(atMs: number): void {
    this.#bootMs = atMs
  }

  monotonicMs(): number {
    return this.#bootMs + this.#timeline.nowMs + this.gainedMs
  }

  wallMs(): number {
    return this.#wallStandsAtMs ?? this.#runningWallMs()
  }

  /** The wall clock stands still until `wallGoesOn`; then it shows what it would have shown. */
  wallStands(): void {
    this.#wallStandsAtMs ??= this.#runningWallMs()
  }

  wallGoesOn(): void {
    this.#wallStandsAtMs = null
  }

  /** Whether bounds on time may be asked of this machine. */
  get isUsual(): boolean {
    const isNear = Math.abs(this.wallMs() - this.#trueMs()) <= USUAL_APART_MS
    return isNear && Math.abs(this.#rate - 1) <= USUAL_DRIFT && this.#wallStandsAtMs === null
  }

  /** Somebody sets the clocks right, where they are worse than usual. */
  setRight(): void {
    this.wallGoesOn()
    if (Math.abs(this.#rate - 1) > USUAL_DRIFT) this.rate = 1
    if (!this.isUsual) this.wallOffsetMs = -this.gainedMs
  }

  #trueMs(): number {
    return this.epochMs + this.#timeline.nowMs
  }

  #runningWallMs(): number {
    return this.#trueMs() + this.gainedMs + this.wallOffsetMs
  }
}
