/**
 * The network clock of one member (PROTOCOL 4), with what others show of their wall clocks, and with its reserve on disk: every batch that carries
 * a stamp also carries a persisted clock that lies ahead of it, so a restart never goes back.
 */
import { toHex } from '../../base/bytes.ts'
import {
  type Bounds,
  boundsOf,
  clockMs,
  cutAt,
  hearClock,
  type NetworkClock,
  nextStamp,
  startClock,
  steerClock,
} from '../../base/clock.ts'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { isStamp, type Stamp, stampMs, stampOf } from '../../base/stamp.ts'
import type { Problem } from '../../control/protocol-network.ts'
import type { Store, Write } from '../../storage/store.ts'
import type { Clock } from '../ports.ts'

/** The reserve is renewed when less than this is left of it. */
const RESERVE_LOW_MS = 50
/** A clock this far ahead of the machine's jumped: the reserve of a few restarts brings less. */
const AHEAD_MS = 8 * limits.clockReserveMs
/** A clock that jumped ahead is kept on disk so often. */
const RENEWAL_MS = 1000
/** A wall clock counts until its member has been silent for this: longer than any hiccup. */
const WALL_MS = 10_000
const KEY = 'clock'

/** A wall clock as it was shown: ahead of the own monotonic clock by so much. */
interface Wall {
  readonly aheadMs: number
  readonly atMs: number
}

export class NetworkTime {
  readonly #clock: Clock
  readonly #network: NetworkClock
  /** Of other members, as their pings showed them. */
  readonly #walls = new Map<MemberId, Wall>()
  #reserve: Stamp
  #renewedAt = Number.NEGATIVE_INFINITY

  private constructor(clock: Clock, network: NetworkClock) {
    this.#clock = clock
    this.#network = network
    this.#reserve = network.last
  }

  /** Starts where the wall clock is, and never before what the store remembers. */
  static async start(clock: Clock, store: Store): Promise<NetworkTime> {
    const bytes = await store.meta(KEY)
    const hex = bytes === undefined ? '' : toHex(bytes)
    const network = startClock({
      monotonicMs: clock.monotonicMs(),
      wallMs: clock.wallMs(),
      persisted: isStamp(hex) ? hex : null,
    })
    return new NetworkTime(clock, network)
  }

  /** Milliseconds of the network clock. */
  nowMs(): number {
    return clockMs(this.#network, this.#clock.monotonicMs())
  }

  /** A new stamp, larger than every one before. */
  stamp(): Stamp {
    return nextStamp(this.#network, this.#clock.monotonicMs())
  }

  /** The settle cut of this moment, in milliseconds. */
  cut(): number {
    return cutAt(this.#network, this.#clock.monotonicMs())
  }

  /** Follows the clock of a roster member; answers what is to be told when it is too far ahead. */
  hear(stamp: Stamp, from: MemberId): Problem | undefined {
    const monotonicMs = this.#clock.monotonicMs()
    if (stampMs(stamp) <= this.nowMs()) return undefined
    const heard = { stamp, monotonicMs, bounds: this.#bounds() }
    if (hearClock(this.#network, heard) !== 'far') return undefined
    return {
      reason: 'clock',
      member: from,
      sentence: `Its clock is more than ${limits.clockAheadMs / 1000} s ahead of ${
        heard.bounds.mostMs === null ? "this machine's" : "most members'"
      }.`,
      nextStep: 'Set its wall clock right; it comes back within twice the time that it was ahead.',
    }
  }

  /** The wall clock of a roster member, as its ping shows it. */
  hearWall(wallMs: number, from: MemberId): void {
    const atMs = this.#clock.monotonicMs()
    this.#walls.set(from, { aheadMs: wallMs - atMs, atMs })
  }

  /**
   * Looks at the wall clocks, with every tick: where this clock is to come back to, and whether this
   * machine is itself the one whose clock is wrong. Answers what is to be told then.
   */
  steer(): Problem | undefined {
    const monotonicMs = this.#clock.monotonicMs()
    for (const [peer, { atMs }] of this.#walls) {
      if (monotonicMs - atMs > WALL_MS) this.#walls.delete(peer)
    }
    const bounds = this.#bounds()
    steerClock(this.#network, monotonicMs, bounds)
    const aheadMs = bounds.mostMs === null ? 0 : this.#clock.wallMs() - bounds.mostMs
    if (Math.abs(aheadMs) <= limits.clockAheadMs) return undefined
    return {
      reason: 'clock',
      sentence: `This machine's clock is more than ${limits.clockAheadMs / 1000} s ${
        aheadMs > 0 ? 'ahead of' : 'behind'
      } most members'.`,
      nextStep: 'Set it right: `timedatectl status` shows whether it follows network time.',
    }
  }

  #bounds(): Bounds {
    const monotonicMs = this.#clock.monotonicMs()
    const heardMs = [...this.#walls.values()].map(({ aheadMs }) => monotonicMs + aheadMs)
    return boundsOf(this.#clock.wallMs(), heardMs)
  }

  /** What must be written along with a batch, so that the persisted clock is ahead of its stamps. */
  reserve(): Write[] {
    const lastMs = stampMs(this.#network.last)
    return this.#keepAhead({ lastMs, lowMs: RESERVE_LOW_MS })
  }

  /**
   * What must be written without a batch, asked for with every tick and answered once a second: a
   * clock that followed others ahead of this machine's would go back at a restart, though nothing
   * was written meanwhile, and the others pass over what an older clock says. One that is near the
   * machine's needs nothing. It is kept no further ahead than a batch keeps it: restarts in a loop would
   * drive the clocks of all ahead, until one that was down for a while follows no more.
   */
  renewal(): Write[] {
    const monotonicMs = this.#clock.monotonicMs()
    if (monotonicMs - this.#renewedAt < RENEWAL_MS) return []
    this.#renewedAt = monotonicMs
    if (this.nowMs() - this.#clock.wallMs() <= AHEAD_MS) return []
    const lastMs = Math.max(this.nowMs(), stampMs(this.#network.last))
    return this.#keepAhead({ lastMs, lowMs: 0 })
  }

  #keepAhead(wanted: {
    readonly lastMs: number
    /** Nothing is written while more than this is left. */
    readonly lowMs: number
  }): Write[] {
    if (stampMs(this.#reserve) - wanted.lastMs > wanted.lowMs) return []
    this.#reserve = stampOf(wanted.lastMs + limits.clockReserveMs)
    return [{ kind: 'meta', key: KEY, value: Buffer.from(this.#reserve, 'hex') }]
  }
}
