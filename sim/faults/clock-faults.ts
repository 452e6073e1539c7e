/**
 * Faults of clocks.
 */
import type { Family } from './context.ts'

/** Wall clocks stay within this of the world's. */
const APART_MS = 25_000

export const clockFaults = {
  /** A wall clock is set. */
  clockJump({ world, random }) {
    const one = random.pick(world.members)
    const ms = one.skew.wallOffsetMs + random.between(-15_000, 15_000)
    one.skew.wallOffsetMs = Math.max(-APART_MS, Math.min(APART_MS, ms))
    world.tell(one.id, `wall clock at ${Math.round(one.skew.wallOffsetMs)} ms`)
    return true
  },
} satisfies Family
