/**
 * Finds links that look alive and are not: every member says something each second, so a link over
 * which nothing came for `linkSilenceMs` works one way at most, or leads to a machine that is gone.
 * It is cut and made anew; so is one whose frames come while its gossip is dead.
 *
 * Invariant: silence is not concluded from one's own absence. After a pause of this process (a
 * suspended laptop, a long computation) the silence of the others begins anew.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Clock, Timer } from '../ports.ts'

const LOOK_MS = 500
/** A look that comes so late means that we were not there ourselves. */
const LATE_MS = 1000

/** What the watchdog reads of a link, and sets anew after a pause; monotonic milliseconds. */
export interface WatchedLink {
  readonly peer: MemberId
  heardAt: number
  gossipHeardAt: number
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly links: () => readonly WatchedLink[]
  /** Cuts a link for this reason. */
  readonly cut: (peer: MemberId, reason: string) => void
}

export class Watchdog {
  readonly #options: WatchdogOptions
  #timer: Timer | null = null

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  start(): void {
    const { clock } = this.#options
    const plannedMs = clock.monotonicMs() + LOOK_MS
    this.#timer = clock.after(LOOK_MS, () => {
      this.#look(clock.monotonicMs(), plannedMs)
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #look(nowMs: number, plannedMs: number): void {
    const wasAway = nowMs > plannedMs + LATE_MS
    for (const link of this.#options.links()) {
      if (wasAway) {
        link.heardAt = nowMs
        link.gossipHeardAt = nowMs
        continue
      }
      if (nowMs - link.heardAt > limits.linkSilenceMs)
        this.#options.cut(link.peer, 'Nothing was heard over this link.')
      else if (nowMs - link.gossipHeardAt > limits.gossipSilenceMs)
        this.#options.cut(link.peer, 'No gossip was heard from this member.')
    }
  }
}
