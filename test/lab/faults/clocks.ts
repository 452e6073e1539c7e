/**
 * Faults of clocks: the wall clock of a daemon jumps while it runs, by seconds or by years, and back
 * again later. Timers go by the monotonic clock, which stands where it stood.
 */
import { type FaultKind, withMember } from './fault.ts'

const DAY_S = 86_400
const JUMPS_S = [-10 * 365 * DAY_S, -DAY_S, -3600, -40, -5, 5, 40, 3600, DAY_S, 15 * 365 * DAY_S]

const jump: FaultKind = {
  name: 'clock jump',
  weight: 2,
  needs: 'faketime',
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      const stop = world.tape.lasting('clock jump', [daemon.id])
      const seconds = dice.pick(JUMPS_S)
      daemon.clock(seconds)
      await world.phase.wait(dice.int(1000, 12_000))
      if (dice.chance(0.3)) {
        world.tape.once('kill', [daemon.id])
        await daemon.kill()
        // It starts with the wrong clock, and is told the right one later.
        await daemon.start()
        await world.phase.wait(dice.int(500, 5000))
      }
      daemon.clock(0)
      stop()
    }),
}

export const clockFaults: readonly FaultKind[] = [jump]
