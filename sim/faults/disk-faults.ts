/**
 * Faults of disks: full, slow, stuck, failing an fsync.
 */
import type { Family } from './context.ts'

/** An fsync of a disk that is shared with somebody greedy. */
const SLOW_MS = [20, 600] as const
/** The longest that a stuck fsync takes: what a kernel waits for a path or a controller. */
const STUCK_MS = [500, 60_000] as const

export const diskFaults = {
  /** Below the reserve: users' writes and large payloads are refused until there is room. */
  diskFull(context) {
    const one = context.random.pick(context.world.members)
    one.disk.setFull(true)
    context.world.tell(one.id, 'disk full')
    context.lasts(context.duration(), () => {
      one.disk.setFull(false)
      context.world.tell(one.id, 'disk has room')
    })
    return true
  },

  /** Every fsync takes long. */
  diskSlow(context) {
    const one = context.random.pick(context.world.members)
    const { weather } = one.disk
    const before = weather.fsyncMs
    weather.fsyncMs = [...SLOW_MS]
    context.world.tell(one.id, 'disk slow')
    context.lasts(context.duration(), () => {
      weather.fsyncMs = before
      context.world.tell(one.id, 'disk as before')
    })
    return true
  },

  /** No fsync comes to its end for a while. */
  diskStuck(context) {
    const one = context.random.pick(context.world.members)
    const ms = Math.min(context.random.between(...STUCK_MS), 3 * context.duration())
    one.disk.stick()
    context.world.tell(one.id, `disk stuck for ${Math.round(ms)} ms`)
    context.lasts(ms, () => {
      one.disk.unstick()
      context.world.tell(one.id, 'disk goes on')
    })
    return true
  },

  /** An fsync fails: the process must end, and comes back on what is really there. */
  diskFail(context) {
    const { world, random } = context
    const one = random.shuffled(world.members).find(({ member }) => member !== null)
    if (one === undefined) return false
    one.disk.fail()
    world.tell(one.id, 'every fsync fails')
    context.lasts(context.duration(), () => {
      one.disk.mend()
      world.start(one)
    })
    return true
  },
} satisfies Family
