/** Steady writing: who can carry a load keeps its status under it (S003-20, G5). */
import { describe, expect, it } from 'vitest'
import { sized } from '../../../sim/size.ts'
import { limits } from '../../../src/base/limits.ts'
import { World } from '../../support/agreement-world.ts'

/** Members each write so often a second until a moment. */
function writeSteadily(world: World, perSecond: number, ms: number): void {
  const until = world.agenda.now + ms
  world.members.forEach((_, index) => {
    let count = 0
    const next = () => {
      if (world.agenda.now >= until) return
      if (world.member(index + 1).isAlive) world.put(index + 1, `m${index + 1}/${count++}`)
      world.agenda.after(1000 / perSecond, next)
    }
    world.agenda.after((1000 / perSecond / world.members.length) * index, next)
  })
}

function quietWorld(members: number): World {
  const world = new World({ members, delay: { min: 5, max: 80 } }).start()
  world.runUntil(() => world.isWhole(), 10_000)
  return world
}

describe('under a steady load', () => {
  const minutes = sized({ everyday: 1, deep: 10 })
  it(`S003-20: 5 members at 100 writes/s each, 5 to 80 ms apart: no demotion in ${minutes} min`, () => {
    const world = quietWorld(5)
    const before = world.lines.length
    writeSteadily(world, 100, minutes * 60_000)
    world.run(minutes * 60_000)
    expect(world.lines.slice(before)).toEqual([])
    expect(world.members.map(({ state }) => state.lastCheck?.of)).toEqual([4, 4, 4, 4, 4])
    world.run(3000)
    expect(world.isWhole()).toBe(true)
    world.expectNothingLost()
  })

  it('S003-20: equal sets within the settle time and a second after the last write', () => {
    const world = quietWorld(5)
    writeSteadily(world, 20, 5000)
    world.run(5000)
    world.run(limits.settleMs + 1200)
    expect(new Set(world.members.map(({ sets }) => sets.settledHash)).size).toBe(1)
    expect(world.member(1).sets.agreed.size).toBe(500)
  })

  it('a lost add heals before the check and costs nobody the status', () => {
    const world = quietWorld(5)
    const before = world.lines.length
    world.network.loss = 0.02
    writeSteadily(world, 5, 30_000)
    world.run(35_000)
    expect(world.lines.slice(before)).toEqual([])
    expect(world.isWhole()).toBe(true)
  })

  it('a broken link between two of five costs nobody the status', () => {
    const world = quietWorld(5)
    world.network.block('m4', 'm5')
    world.network.block('m5', 'm4')
    world.run(12_000)
    const before = world.lines.length
    const ms = sized({ everyday: 20_000, ci: 60_000, deep: 60_000 })
    writeSteadily(world, 20, ms)
    world.run(ms)
    expect(world.lines.slice(before)).toEqual([])
    world.run(6000)
    expect(world.isWhole()).toBe(true)
  })

  it('a ring of five, in which adds reach two of four others, keeps its Sources', () => {
    const world = quietWorld(5)
    world.link([1, 2], [2, 3], [3, 4], [4, 5], [5, 1])
    world.run(12_000)
    const before = world.lines.length
    writeSteadily(world, 1, 60_000)
    world.run(60_000)
    expect(world.lines.slice(before)).toEqual([])
    world.run(6000)
    expect(world.isWhole()).toBe(true)
  })

  it('a member that is killed and comes back costs nobody else the status', () => {
    for (const members of [3, 5]) {
      const world = quietWorld(members)
      world.run(limits.checkMs)
      const before = world.lines.length
      writeSteadily(world, 20, 200_000)
      for (let round = 0; round < sized({ everyday: 4, ci: 10, deep: 10 }); round++) {
        const at = (round % members) + 1
        world.member(at).crash()
        world.run(world.chance.between(200, 9000))
        world.start(at)
        world.runUntil(() => world.member(at).isSource, 10_000)
        world.run(world.chance.between(3000, 8000))
      }
      expect(world.lines.slice(before).filter(line => line.from === 'source')).toEqual([])
    }
  })

  it('S003-20: with 7 members and 2 Sources the network is synchronized and writes go on', () => {
    const world = new World({ members: 7 })
    world.members.forEach((_, index) => {
      world.have(index + 1, 'k')
    })
    world.start(1, 2)
    world.runUntil(() => world.sources().length === 2, 10_000)
    world.compareMs = 60_000 // the five others are still comparing all the while
    for (let at = 3; at <= 7; at++)
      world.have(at, ...Array.from({ length: 5 }, (_, n) => `${at}.${n}`))
    world.start()
    world.run(5000)
    expect(world.members.map(({ state }) => state.status).sort()).toEqual([
      'source',
      'source',
      ...Array.from({ length: 5 }, () => 'source-sync'),
    ])
    world.put(1, 'written')
    world.run(2000)
    expect(world.members.every(({ sets }) => sets.agreed.has('written'))).toBe(true)
    expect(world.sources()).toEqual([1, 2])
  })
})
