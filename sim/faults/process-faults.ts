/**
 * Faults of processes: killed, without power, stopped in order, standing still.
 */
import type { SimMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'

export const processFaults = {
  /** `kill -9`: what was handed to the kernel is kept. */
  kill: context => crash(context, 'kill'),

  /** The machine loses its power: what was not fsync'd may be gone. */
  power: context => crash(context, 'power'),

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
    if (one === undefined) return false
    const ms = context.duration()
    context.world.pause(one, ms)
    context.lasts(ms, () => undefined)
    return true
  },
} satisfies Family

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
