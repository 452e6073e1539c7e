/**
 * Faults of disks: power cuts by both methods of the plan, a disk filled from outside, syncs that
 * take long, syncs that fail, and an old copy put back, which is the one fault that destroys what was
 * durable. After each power cut the disk is read before the member starts.
 */
import type { Daemon } from '../daemon.ts'
import type { Dice } from '../dice.ts'
import { wait } from '../time.ts'
import { dumpCrash, type FaultKind, type World, withMember, withMembers } from './fault.ts'

/** A daemon whose disk fails must have ended after so long; LevelDB may first finish a table. */
const END_MS = 30_000

/** A daemon whose disk was full may see it only now. */
const GRACE_MS = 1500

/** One, or now and then all at once: then only what was fsync'd is anywhere. */
function howMany({ daemons }: World, dice: Dice): number {
  const areFree = daemons.every(({ isUp, isBusy }) => isUp && !isBusy)
  return areFree && dice.chance(0.3) ? daemons.length : 1
}

async function comeBack(world: World, dice: Dice, daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    daemon.mayEnd = false
    dumpCrash(world, daemon)
  }
  await world.phase.wait(dice.chance(0.5) ? 0 : dice.int(0, 6000))
  await Promise.all(daemons.map(daemon => daemon.start()))
}

const shutDown: FaultKind = {
  name: 'power cut: the disk stops',
  weight: 4,
  run: (world, dice) =>
    withMembers(world, dice, howMany(world, dice), async daemons => {
      const stops = daemons.map(({ id }) => world.tape.lasting('power cut: the disk stops', [id]))
      for (const daemon of daemons) daemon.mayEnd = true
      await Promise.all(daemons.map(daemon => daemon.disk.shutDown()))
      // It may see that its disk is gone and must not tell anybody what is not on it.
      if (dice.chance(0.5)) await wait(dice.int(0, 800))
      await Promise.all(daemons.map(daemon => daemon.kill()))
      await Promise.all(daemons.map(daemon => daemon.disk.comeBack()))
      await comeBack(world, dice, daemons)
      for (const stop of stops) stop()
    }),
}

const copied: FaultKind = {
  name: 'power cut: what the disk had',
  weight: 4,
  run: (world, dice) =>
    withMembers(world, dice, howMany(world, dice), async daemons => {
      const name = 'power cut: what the disk had'
      const stops = daemons.map(({ id }) => world.tape.lasting(name, [id]))
      // It stands still meanwhile: nothing may be acknowledged that the copy is too early for.
      for (const daemon of daemons) {
        daemon.mayEnd = true
        daemon.signal('SIGSTOP')
      }
      await Promise.all(daemons.map(daemon => daemon.disk.copy()))
      await Promise.all(daemons.map(daemon => daemon.kill()))
      await Promise.all(daemons.map(daemon => daemon.disk.useCopy()))
      await comeBack(world, dice, daemons)
      for (const stop of stops) stop()
    }),
}

const full: FaultKind = {
  name: 'disk full',
  weight: 2,
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      const stop = world.tape.lasting('disk full', [daemon.id])
      daemon.mayEnd = true
      daemon.disk.fill(dice.pick([0, 0, 64 * 1024, 2_000_000]))
      await world.phase.wait(dice.int(1000, 15_000))
      if (dice.chance(0.2)) {
        world.tape.once('kill', [daemon.id])
        await daemon.kill()
      }
      daemon.disk.drain()
      await wait(GRACE_MS)
      daemon.mayEnd = false
      await daemon.start()
      stop()
    }),
}

const slow: FaultKind = {
  name: 'slow disk',
  weight: 2,
  needs: 'fsyncShim',
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      const stop = world.tape.lasting('slow disk', [daemon.id])
      daemon.slow(String(dice.pick([20, 200, 1000, 4000])))
      await world.phase.wait(dice.int(1000, 12_000))
      daemon.slow('0')
      stop()
    }),
}

const failing: FaultKind = {
  name: 'fsync fails',
  weight: 1,
  needs: 'fsyncShim',
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      const stop = world.tape.lasting('fsync fails', [daemon.id])
      daemon.mayEnd = true
      daemon.slow('fail')
      const begin = performance.now()
      while (daemon.isUp && performance.now() - begin < END_MS) await wait(50)
      const stillThere = daemon.isUp
      await daemon.kill()
      daemon.slow('0')
      if (stillThere) {
        world.findings.push(`${daemon.name} went on for ${END_MS} ms though no fsync succeeded`)
      }
      await comeBack(world, dice, [daemon])
      stop()
    }),
}

const oldCopy: FaultKind = {
  name: 'old copy put back',
  weight: 1,
  run: (world, dice) =>
    withMember(world, dice, async daemon => {
      const { id, disk } = daemon
      const stopFirst = world.tape.lasting('kill', [id])
      await daemon.kill()
      await disk.keep()
      await daemon.start()
      stopFirst()
      await world.phase.wait(dice.int(500, 20_000))
      const stop = world.tape.lasting('kill', [id])
      await daemon.kill()
      dumpCrash(world, daemon)
      world.tape.once('old copy put back', [id], [id])
      await disk.useCopy()
      await comeBack(world, dice, [daemon])
      stop()
    }),
}

export const diskFaults: readonly FaultKind[] = [shutDown, copied, full, slow, failing, oldCopy]
