/**
 * Situations that broke plainer rules in the prototypes (PROTOCOL 13), each as a small world. Those
 * of elections are in counter-sync.test.ts, those of empty members in empty.test.ts, those of cuts
 * in splits.test.ts.
 */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import type { Quorum } from '../../../src/consensus/agreement/state.ts'
import { sizeOf } from '../../support/agreement-deep.ts'
import { Chance } from '../../support/agreement-time.ts'
import { World, type WorldOptions } from '../../support/agreement-world.ts'

function worldWith(options: WorldOptions, names: readonly string[] = ['k']): World {
  const world = new World(options)
  world.members.forEach((_, index) => {
    world.have(index + 1, ...names)
  })
  return world
}

/** Whether the member at the end of the list lost its status since. */
function demotions(world: World, since = 0): string[] {
  return world.lines
    .slice(since)
    .filter(line => line.from === 'source')
    .map(line => `${line.at} ${line.member}: ${line.sentence}`)
}

/** Leaves some links, some of them in one direction only; answers whether those of both connect all. */
function linkAtRandom(world: World, chance: Chance): boolean {
  const size = world.members.length
  world.link()
  const connected = new Set([1])
  const pairs: (readonly [number, number])[] = []
  for (let a = 1; a <= size; a++)
    for (let b = a + 1; b <= size; b++) {
      const kind = chance.fraction()
      if (kind < 0.6) world.network.unblock(`m${a}`, `m${b}`)
      if (kind >= 0.45) continue
      world.network.unblock(`m${b}`, `m${a}`)
      pairs.push([a, b], [b, a])
    }
  for (const from of connected) for (const [a, b] of pairs) if (a === from) connected.add(b)
  return connected.size === size
}

describe('clocks', () => {
  it('10 s apart: members have one cut, elect, and stay Source under writes', () => {
    const world = worldWith({ members: 3 })
    world.member(2).skewMs = 10_000
    world.member(3).skewMs = -10_000
    world.start()
    world.runUntil(() => world.isWhole(), 8000)
    const since = world.lines.length
    for (let n = 0; n < 200; n++) {
      world.put((n % 3) + 1, `w${n}`)
      world.run(100)
    }
    world.run(4000)
    expect(demotions(world, since)).toEqual([])
    expect(world.isWhole()).toBe(true)
    expect(new Set(world.members.map(({ sets }) => sets.cut)).size).toBe(1)
  })

  it('set apart after a cut: the cut of time never goes back and the sides meet', () => {
    const world = worldWith({ members: 4 }).start()
    world.runUntil(() => world.isWhole(), 8000)
    world.cut([1, 2], [3, 4])
    for (const at of [3, 4]) {
      world.member(at).skewMs = 20_000
      world.member(at).crash()
    }
    world.start()
    world.run(15_000)
    world.network.heal()
    world.runUntil(() => world.isWhole(), 30_000)
  })
})

describe('links', () => {
  it('a chain of five with relayed pings elects, and all come to one set', () => {
    for (const quorum of ['visible', 'roster'] as const) {
      const world = worldWith({ members: 5, quorum })
      world.have(1, 'one').have(3, 'three').have(5, 'five')
      world.link([1, 2], [2, 3], [3, 4], [4, 5])
      world.start()
      world.runUntil(() => world.sources().length > 0, 10_000)
      // The ends reach one neighbour each, so with `roster` they can be no Source.
      const wanted = quorum === 'visible' ? [1, 2, 3, 4, 5] : [2, 3, 4]
      world.run(40_000)
      expect(world.sources()).toEqual(wanted)
      for (const at of wanted)
        expect([...world.member(at).sets.agreed.keys()].sort()).toEqual(
          quorum === 'visible' ? ['five', 'k', 'one', 'three'] : ['k', 'three'],
        )
      world.network.heal()
      world.runUntil(() => world.isWhole(), 15_000)
      world.expectNothingLost()
    }
  })

  it('a ring of five with quorum `roster` has Sources within 10 s and keeps them', () => {
    const world = worldWith({ members: 5, quorum: 'roster' })
    world.have(1, 'one').have(4, 'four')
    world.link([1, 2], [2, 3], [3, 4], [4, 5], [5, 1])
    world.start()
    world.runUntil(() => world.sources().length > 0, 10_000)
    world.runUntil(() => world.isWhole(), 20_000)
    const since = world.lines.length
    world.run(60_000)
    expect(demotions(world, since)).toEqual([])
  })

  it('slow gossip beside fast streams keeps everybody reached and Source', () => {
    const world = worldWith({ members: 4 })
    world.network.gossipExtraMs = 400
    world.start()
    world.runUntil(() => world.isWhole(), 10_000)
    const since = world.lines.length
    world.run(120_000)
    expect(world.lines.slice(since)).toEqual([])
  })

  it('that connect all in any way give a Source within 10 s and one set for good', () => {
    for (let seed = 1; seed <= sizeOf(150, 2000); seed++) {
      const chance = new Chance(seed)
      const world = new World({ members: chance.between(3, 7), seed, delay: { min: 1, max: 80 } })
      for (const at of world.members.keys())
        for (const name of ['a', 'b', 'c', 'd']) if (chance.isHit(0.5)) world.have(at + 1, name)
      if (!linkAtRandom(world, chance)) continue
      world.start()
      world.runUntil(() => world.sources().length > 0, 10_000)
      world.runUntil(() => world.isWhole(), 60_000)
      world.run(20_000)
      const since = world.lines.length
      world.run(20_000)
      expect([seed, world.lines.slice(since)]).toEqual([seed, []])
    }
  })

  it('one direction cut between two of five costs nobody but these two anything', () => {
    const world = worldWith({ members: 5 }).start()
    world.runUntil(() => world.isWhole(), 8000)
    world.network.block('m1', 'm2')
    const since = world.lines.length
    for (let n = 0; n < 60; n++) {
      world.put((n % 5) + 1, `w${n}`)
      world.run(500)
    }
    expect(demotions(world, since).filter(line => !/ m[12]:/.test(line))).toEqual([])
    world.network.heal()
    world.runUntil(() => world.isWhole(), 20_000)
    world.expectNothingLost()
  })
})

describe('Sources', () => {
  it('on both sides of a cut for 14 s hand all in after the heal, within 20 s', () => {
    for (const quorum of ['visible', 'roster'] as readonly Quorum[])
      for (let seed = 1; seed <= 10; seed++) {
        const world = worldWith({ members: 5, quorum, seed }).start()
        world.runUntil(() => world.isWhole(), 8000)
        world.cut([1, 2, 3], [4, 5])
        for (let n = 0; n < 28; n++) {
          world.put((n % 5) + 1, `w${n}`)
          world.run(500)
        }
        world.network.heal()
        world.runUntil(() => world.isWhole(), 20_000)
        world.expectNothingLost()
      }
  })

  it('an idle pair finds a match in every period, though its hashes never change', () => {
    const world = worldWith({ members: 2 }).start()
    world.runUntil(() => world.isWhole(), 8000)
    world.run(1000) // both checks of a period lie in one turn of what follows
    for (let period = 0; period < 20; period++) {
      world.run(limits.checkMs)
      if (period > 0)
        expect(world.members.map(({ state }) => state.lastCheck?.marked)).toEqual([1, 1])
    }
    expect(demotions(world)).toEqual([])
  })

  it('a member that becomes Source 50 ms before the check of another topples nobody', () => {
    for (let offset = 0; offset < 20; offset++) {
      const world = worldWith({ members: 3 })
      world.start(1, 2)
      world.runUntil(() => world.sources().length === 2, 8000)
      const { checkAt } = world.member(1).state.source!
      world.run(Math.max(0, checkAt + 5000 - world.agenda.now - 2200 + 50 * offset))
      world.start(3)
      world.run(30_000)
      expect(demotions(world)).toEqual([])
      expect(world.sources()).toEqual([1, 2, 3])
    }
  })

  it('S003-26: a member that comes back with thousands of facts set aside drains them', () => {
    const world = worldWith({ members: 3 })
    const many = Array.from({ length: 3000 }, (_, at) => `old-${at}`)
    world.haveAside(3, ...many)
    world.start(1, 2)
    world.runUntil(() => world.sources().length === 2, 8000)
    world.start(3)
    world.runUntil(() => world.isWhole(), 30_000)
    expect(demotions(world)).toEqual([])
    expect(world.member(1).sets.agreed.size).toBe(3001)
  })

  it('S003-26: a joining member takes what it lacks, is Source, and its own writes follow', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `n${at}`)
    const world = new World({ members: 3 })
    world.have(1, ...names).have(2, ...names)
    world.start(1, 2)
    world.runUntil(() => world.sources().length === 2, 8000)
    world.start(3)
    world.put(3, 'mine')
    expect(world.member(3).sets.pending.has('mine')).toBe(true)
    world.runUntil(() => world.isWhole(), 10_000)
    expect(world.member(1).sets.agreed.has('mine')).toBe(true)
    expect(world.member(3).sets.agreed.size).toBe(5001)
  })

  it('S003-31: a Source that falls silent and comes back within the period costs nobody anything', () => {
    const world = worldWith({ members: 3 }).start()
    world.runUntil(() => world.isWhole(), 8000)
    const since = world.lines.length
    for (let n = 0; n < 10; n++) {
      world.run(7000)
      world.member(3).pause(2500)
    }
    world.run(10_000)
    expect(demotions(world, since)).toEqual([])
  })
})

describe('draining', () => {
  /**
   * Two Sources meet three that lack some of their facts; no numbers tell of these. Who steps down
   * sets them aside, is Source again, and leaves them out of what it adds, since the other of the
   * two still shows them: only healing brings them to the three, or the two would step down in turn
   * for ever.
   */
  for (const count of [1, limits.healFactsMax + 1])
    it(`of ${count} facts that some Sources show already ends with all holding them`, () => {
      const world = new World({ members: 5 })
      const more = Array.from({ length: count }, (_, at) => `x${at}`)
      for (const at of [1, 2, 3, 4, 5]) world.have(at, 'k')
      for (const at of [1, 2]) world.have(at, ...more)
      world.cut([1, 2], [3, 4, 5])
      world.start()
      world.runUntil(() => world.sources().length === 5, 12_000)
      world.run(4000)
      world.network.heal()
      world.runUntil(() => world.isWhole(), 40_000)
      const since = world.lines.length
      world.run(20_000)
      expect(world.lines.slice(since)).toEqual([])
      expect(world.member(5).sets.agreed.size).toBe(count + 1)
    })
})
