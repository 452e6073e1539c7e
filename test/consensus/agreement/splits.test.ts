/**
 * Cuts: the smaller side loses the status before it forgets the larger, never two groups keep it,
 * and with `quorum: roster` only one side has Sources at all (S003-29, 31, 32; G6).
 */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import type { PlantedBug, Quorum } from '../../../src/consensus/agreement/state.ts'
import { sizeOf } from '../../support/agreement-deep.ts'
import { Chance } from '../../support/agreement-time.ts'
import { World } from '../../support/agreement-world.ts'

/** A world whose members are all Source with the same facts, and some time past their first check. */
function wholeWorld(members: number, options: { quorum?: Quorum; seed?: number } = {}): World {
  const world = new World({ members, ...options })
  world.members.forEach((_, index) => {
    world.have(index + 1, 'k')
  })
  world.start()
  world.runUntil(() => world.isWhole(), 12_000)
  world.run(limits.checkMs + world.chance.between(0, 4999))
  return world
}

/** All ways to cut n members into sides, by size: 4 -> [4] [3 1] [2 2] [2 1 1] [1 1 1 1]. */
function partitionsOf(n: number, max = n): number[][] {
  if (n === 0) return [[]]
  const found: number[][] = []
  for (let first = Math.min(n, max); first >= 1; first--)
    for (const rest of partitionsOf(n - first, first)) found.push([first, ...rest])
  return found
}

/** Sides of these sizes, filled with the members in some order. */
function sidesOf(sizes: readonly number[], chance: Chance): number[][] {
  const left = Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, at) => at + 1)
  return sizes.map(size =>
    Array.from({ length: size }, () => left.splice(chance.between(0, left.length - 1), 1)[0]!),
  )
}

/** Sides with a member that has been Source since before the cut. */
function sidesThatKept(world: World, sides: readonly (readonly number[])[], cutAt: number) {
  return sides.filter(side =>
    side.some(at => (world.member(at).state.source?.since ?? Number.POSITIVE_INFINITY) < cutAt),
  )
}

describe('quorum `visible`', () => {
  it('S003-29: n = 2 to 9, all splits: after one check at most one side has kept its Sources', () => {
    const chance = new Chance(29)
    for (let n = 2; n <= 9; n++)
      for (const sizes of partitionsOf(n)) {
        const world = wholeWorld(n, { seed: n * 100 + sizes.length })
        const sides = sidesOf(sizes, chance)
        const cutAt = world.agenda.now
        world.cut(...sides)
        // A period that began before the cut may still pass: the first whole one after it does not.
        world.run(2 * limits.checkMs + 200)
        const kept = sidesThatKept(world, sides, cutAt)
        const isMajority = sizes[0]! * 2 > n
        expect([n, sizes.join(' '), kept.length]).toEqual([n, sizes.join(' '), isMajority ? 1 : 0])
        if (isMajority) expect(kept[0]?.length).toBe(sizes[0])
      }
  })

  it('S003-31: 5 Sources cut 3 to 2: the two lose the status before they forget the three', () => {
    const world = wholeWorld(5)
    world.cut([1, 2, 3], [4, 5])
    const before = world.lines.length
    world.runUntil(() => !world.member(4).isSource && !world.member(5).isSource, 10_100)
    const lost = world.lines.slice(before)
    expect(new Set(lost.map(line => line.member))).toEqual(new Set(['m4', 'm5']))
    for (const { sentence } of lost.filter(line => line.from === 'source'))
      expect(sentence).toMatch(/only [01] of [1-4] other Sources|the only other Source/)
    expect(world.sources()).toEqual([1, 2, 3])
    world.run(10_000)
    expect(world.members.slice(0, 3).map(({ state }) => state.lastCheck?.of)).toEqual([2, 2, 2])
  })

  it('S003-32: both sides of a cut work on, and after the heal all hold what both wrote', () => {
    for (const sides of [
      [
        [1, 2, 3],
        [4, 5],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    ]) {
      const world = wholeWorld(sides.flat().length)
      world.cut(...sides)
      world.runUntil(() => sides.every(side => side.some(at => world.member(at).isSource)), 16_000)
      world.run(6000)
      for (const at of sides.flat()) world.put(at, `cut-${at}`)
      world.run(3000)
      for (const side of sides)
        for (const at of side) expect(world.member(at).sets.pending.size).toBe(0)
      world.network.heal()
      world.runUntil(() => world.isWhole(), 20_000)
      world.expectNothingLost()
      expect(world.member(1).sets.agreed.size).toBe(1 + sides.flat().length)
    }
  })

  it('S003-29: an idle network stays synchronized for an hour', { timeout: 120_000 }, () => {
    for (const members of [2, 3, 5]) {
      const world = wholeWorld(members)
      const before = world.lines.length
      world.run(3_600_000)
      expect(world.lines.slice(before)).toEqual([])
      expect(world.isWhole()).toBe(true)
    }
  })
})

describe('quorum `roster`', () => {
  it('S003-32: the smaller side only queues, and hands in after the heal', () => {
    const world = wholeWorld(5, { quorum: 'roster' })
    world.cut([1, 2, 3], [4, 5])
    world.run(6200)
    expect(world.sources()).toEqual([1, 2, 3])
    world.put(1, 'large')
    world.put(4, 'small')
    world.run(20_000)
    expect(world.sources()).toEqual([1, 2, 3])
    expect(world.member(4).sets.pending.has('small')).toBe(true)
    expect(world.member(5).sets.allNames()).not.toContain('small')
    world.network.heal()
    world.runUntil(() => world.isWhole(), 10_000)
    expect(world.member(5).sets.agreed.has('small')).toBe(true)
  })

  it('an even cut leaves no Source on either side, until it heals', () => {
    const world = wholeWorld(4, { quorum: 'roster' })
    world.cut([1, 2], [3, 4])
    world.run(6200)
    expect(world.sources()).toEqual([])
    world.run(30_000)
    expect(world.sources()).toEqual([])
    world.network.heal()
    world.runUntil(() => world.isWhole(), 10_000)
  })

  it('S003-32: two sides never have Sources at the same time for longer than 7 s', () => {
    const lives = sizeOf(20, 500)
    let longest = 0
    for (let seed = 1; seed <= lives; seed++) longest = Math.max(longest, longestOverlap(seed))
    expect(longest).toBeLessThanOrEqual(7000)
  })
})

/** Cuts 3 to 7 members anew again and again; the longest time that two sides had Sources. */
function longestOverlap(seed: number): number {
  const chance = new Chance(seed)
  const world = wholeWorld(chance.between(3, 7), { quorum: 'roster', seed })
  let longest = 0
  for (let cut = 0; cut < 6; cut++) {
    const sides: number[][] = [[], []]
    for (const at of world.members.keys()) sides[chance.between(0, 1)]!.push(at + 1)
    world.cut(...sides)
    if (chance.isHit(0.3)) world.members[0]!.pause(chance.between(1000, 9000))
    let overlap = 0
    for (let ms = 0; ms < 25_000; ms += 50) {
      world.run(50)
      // A process that stands still adds nothing, whatever it last believed.
      const acts = (at: number) => world.member(at).isSource && !world.member(at).isStandingStill
      const both = sides.every(side => side.some(acts))
      overlap = both ? overlap + 50 : 0
      longest = Math.max(longest, overlap)
    }
    world.network.heal()
    world.run(chance.between(0, 9000))
  }
  return longest
}

describe('the tests themselves', () => {
  const planted: readonly (readonly [PlantedBug, () => boolean])[] = [
    [
      'count-self',
      () => {
        const world = plantedWorld('count-self')
        const cutAt = world.agenda.now
        world.cut([1, 2], [3, 4])
        world.run(10_200)
        const sides = [
          [1, 2],
          [3, 4],
        ]
        return sidesThatKept(world, sides, cutAt).length === 2
      },
    ],
    [
      'suppress-marks',
      () => {
        const world = plantedWorld('suppress-marks')
        const before = world.lines.length
        world.run(10_000)
        return world.lines.slice(before).some(line => line.from === 'source')
      },
    ],
  ]
  for (const [bug, isSeen] of planted)
    it(`notice the planted error ${bug}`, () => {
      expect(isSeen()).toBe(true)
    })
})

function plantedWorld(bug: PlantedBug): World {
  const world = new World({ members: 4 })
  for (const member of world.members) member.planted = new Set([bug])
  world.members.forEach((_, index) => {
    world.have(index + 1, 'k')
  })
  world.start()
  world.runUntil(() => world.isWhole(), 12_000)
  return world
}
