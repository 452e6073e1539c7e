/**
 * Faults of clocks. Safety must not depend on them (PROTOCOL 4). What a wall clock that is over 60 s
 * wrong may cost is time: such a member follows the others late or is not followed, and is told of.
 *
 * A machine never gains more than is left within these 60 s. Beyond, its network clock is ahead of all
 * others until it has come back at half speed, and they agree on nothing meanwhile: sim/clocks.test.ts.
 */
import type { SimMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'

/** A wall clock that is set stays within this of the world's. */
const APART_MS = 25_000
/** A quartz may gain or lose so much in a run. */
const GAIN_MS = 25_000

/** How slow a clock may run for a while; the fastest is as much faster. */
export const SLOWEST_RATE = 0.5

export const clockFaults = {
  /** A wall clock is set. */
  clockJump(context) {
    const one = context.random.pick(context.world.members)
    // It is set back, and will come forward by as much again: with a jump between, by too much.
    if (one.skew.wallOffsetMs < -APART_MS) return false
    const ms = one.skew.wallOffsetMs + context.random.between(-15_000, 15_000)
    one.skew.wallOffsetMs = Math.max(-APART_MS, Math.min(APART_MS, ms))
    return told(context, one, `wall clock at ${Math.round(one.skew.wallOffsetMs)} ms`)
  },

  /** A wall clock is set back by minutes, and right again later. */
  clockBack(context) {
    const one = context.random.pick(context.world.members)
    const ms = context.random.between(60_000, 300_000)
    one.skew.wallOffsetMs -= ms
    context.lasts(context.duration(), () => {
      one.skew.wallOffsetMs += ms
      told(context, one, 'wall clock as before')
    })
    return told(context, one, `wall clock back by ${Math.round(ms / 1000)} s`)
  },

  /** A wall clock stands still. */
  clockStill(context) {
    const one = context.random.pick(context.world.members)
    one.skew.wallStands()
    context.lasts(context.duration(), () => {
      one.skew.wallGoesOn()
      told(context, one, 'wall clock goes on')
    })
    return told(context, one, 'wall clock stands')
  },

  /** Both clocks run at half to double speed for a while. */
  clockRate(context) {
    const one = context.random.pick(context.world.members)
    const before = one.skew.rate
    const rate = SLOWEST_RATE ** -context.random.between(-1, 1)
    const ms = context.duration()
    if (Math.abs(one.skew.gainedMs + ms * (rate - 1)) > GAIN_MS) return false
    one.skew.rate = rate
    context.lasts(ms, () => {
      one.skew.rate = before
      told(context, one, 'clocks run as before')
    })
    return told(context, one, `clocks run at ${rate.toFixed(2)}`)
  },
} satisfies Family

function told({ world }: FaultContext, one: SimMember, sentence: string): true {
  world.tell(one.id, sentence)
  return true
}
