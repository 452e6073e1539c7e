/**
 * Faults of processes: ended without a word at any moment, one or all at once, and standing still for
 * a while. Of some that were ended the disk is read before they start again.
 */
import type { Daemon } from '../daemon.ts'
import type { Dice } from '../dice.ts'
import { dumpCrash, type FaultKind, uuids, type World, withMember, withMembers } from './fault.ts'

/** Reading a whole store takes its time: not after each kill. */
const DUMP_CHANCE = 0.3

async function killAndStart(world: World, dice: Dice, daemons: readonly Daemon[]): Promise<void> {
  // It lasts until the last of them answers again: until then an answer may be lost.
  const stops = daemons.map(daemon => world.tape.lasting('kill', [daemon.id]))
  await Promise.all(daemons.map(daemon => daemon.kill()))
  for (const daemon of daemons) if (dice.chance(DUMP_CHANCE)) dumpCrash(world, daemon)
  await world.phase.wait(dice.chance(0.5) ? 0 : dice.int(0, 8000))
  await Promise.all(daemons.map(daemon => daemon.start()))
  for (const stop of stops) stop()
}

const kill: FaultKind = {
  name: 'kill',
  weight: 10,
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      await killAndStart(world, dice, [daemon])
      // Sometimes again while it is still opening and catching up.
      if (dice.chance(0.3)) {
        await world.phase.wait(dice.int(0, 1500))
        if (daemon.isUp) await killAndStart(world, dice, [daemon])
      }
    }),
}

const killAll: FaultKind = {
  name: 'kill of all',
  weight: 1,
  run: (world, dice) =>
    withMembers(world, dice, world.daemons.length, daemons => killAndStart(world, dice, daemons)),
}

const pause: FaultKind = {
  name: 'pause',
  weight: 3,
  run: (world, dice) =>
    withMembers(world, dice, dice.chance(0.3) ? 2 : 1, async daemons => {
      const stop = world.tape.lasting('pause', uuids(daemons))
      for (const daemon of daemons) daemon.signal('SIGSTOP')
      await world.phase.wait(dice.pick([dice.int(50, 3000), dice.int(3000, 15_000)]))
      for (const daemon of daemons) daemon.signal('SIGCONT')
      stop()
    }),
}

export const processFaults: readonly FaultKind[] = [kill, killAll, pause]
