/**
 * Faults of processes: killed, without power, stopped in order, standing still.
 */
import type { SimMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'

const LONG_MS = 120_000

export const processFaults = {
  /** `kill -9`: what was handed to the kernel is kept. */
  kill: context => crash(context, 'kill'),

  /** The machine loses its power: what was not fsync'd may be gone. */
  power: context => crash(context, 'power'),

  /**
   * Several lose their power or their processes at once: they return one by one, or together, and
   * whoever is first has nobody to ask.
   */
  blackout(context) {
    const { world, random } = context
    const some = random.shuffled(world.members).filter(({ life }) => life !== null)
    if (some.length < 2) return false
    const how = random.pick(['kill', 'power'] as const)
    const together = random.chance(0.5) ? context.duration() : null
    for (const one of some.slice(0, random.int(2, some.length))) {
      world.crash(one, how)
      const downMs = together === null ? context.duration() : together + random.between(0, 500)
      context.lasts(downMs, () => world.start(one))
    }
    return true
  },

  /** The process ends in order. */
  stop(context) {
    const one = running(context)
    if (one === undefined || one.member === null) return false
    context.world.stop(one)
    context.lasts(context.duration(), () => context.world.start(one))
    return true
  },

  /** SIGSTOP, SIGCONT. */
  pause(context) {
    const one = running(context)
    return one !== undefined && pause(context, [one], context.duration())
  },

  /** Several stand still at once: their machine does, or the one that all of them run on. */
  pauseMany(context) {
    const { world, random } = context
    const some = random.shuffled(world.members).filter(({ life }) => life !== null)
    const count = random.int(2, Math.max(2, some.length))
    return pause(context, some.slice(0, count), context.duration())
  },

  /** One stands still for long: a laptop whose lid is closed. */
  pauseLong(context) {
    const one = running(context)
    return one !== undefined && pause(context, [one], context.random.between(1000, LONG_MS))
  },
} satisfies Family

function pause(context: FaultContext, some: readonly SimMember[], ms: number): boolean {
  for (const one of some) context.world.pause(one, ms)
  context.lasts(ms, () => undefined)
  return some.length > 0
}

function crash(context: FaultContext, how: 'kill' | 'power'): boolean {
  const one = running(context)
  if (one === undefined) return false
  context.world.crash(one, how)
  context.lasts(context.duration(), () => context.world.start(one))
  return true
}

/** Some member whose process runs. */
function running({ world, random }: FaultContext): SimMember | undefined {
  return random.shuffled(world.members).find(({ life }) => life !== null)
}
