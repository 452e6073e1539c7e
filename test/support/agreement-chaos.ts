/**
 * A random life of a world: members with overlapping facts, then cuts, one-way links, crashes,
 * pauses and writes for a while, then peace. One seed, one life.
 */
import type { Quorum } from '../../src/consensus/agreement/state.ts'
import { Chance } from './agreement-time.ts'
import { World } from './agreement-world.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly quorum: Quorum
  readonly members: number
  readonly loss: number
  readonly chaosMs: number
}

/** A world with random beginnings: who holds what, agreed or set aside, and whose clock is off. */
export function randomWorld(options: Omit<ChaosOptions, 'chaosMs'>): World {
  const chance = new Chance(options.seed ^ 0x5bd1e995)
  const world = new World({ ...options, delay: { min: 1, max: chance.pick([5, 40, 150]) } })
  const names = Array.from({ length: chance.between(0, 8) }, (_, at) => `n${at}`)
  const isFull = chance.fraction()
  world.members.forEach((member, at) => {
    member.skewMs = chance.pick([0, 0, 300, 10_000, -10_000])
    if (chance.isHit(0.2)) return
    for (const name of names) {
      if (chance.fraction() > isFull) continue
      if (chance.isHit(0.2)) world.haveAside(at + 1, name)
      else world.have(at + 1, name)
    }
  })
  return world
}

/** Lives through all that can happen; ends with all links up and all members started. */
export function liveThrough(world: World, options: ChaosOptions): void {
  const chance = new Chance(options.seed ^ 0x2545f491)
  const size = world.members.length
  let written = 0
  const until = world.agenda.now + options.chaosMs
  while (world.agenda.now < until) {
    world.run(chance.between(10, 1500))
    const at = chance.between(1, size)
    const member = world.member(at)
    switch (chance.between(0, 9)) {
      case 0:
        if (member.isAlive) member.crash()
        break
      case 1:
      case 2:
        if (!member.isAlive) world.start(at)
        break
      case 3:
        randomCut(world, chance)
        break
      case 4:
        world.network.block(chance.pick(world.ids), chance.pick(world.ids))
        break
      case 5:
        world.network.heal()
        break
      case 6:
        if (member.isAlive)
          member.pause(Math.min(chance.between(100, 7000), until - world.agenda.now))
        break
      default:
        if (member.isAlive) world.put(at, `w${written++}`)
    }
  }
  world.network.heal()
  world.start()
}

function randomCut(world: World, chance: Chance): void {
  const sides: number[][] = [[], [], []]
  const count = chance.between(2, 3)
  world.members.forEach((_, at) => {
    sides[chance.between(0, count - 1)]!.push(at + 1)
  })
  world.cut(...sides)
}
