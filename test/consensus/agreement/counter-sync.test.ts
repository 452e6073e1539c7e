/**
 * Elections without a Source: who becomes Source, with what, and that nothing is lost (S003-23 to
 * S003-25, S003-16). Every world checks at each election that the new Source holds exactly what
 * more than half of the participants of its round held (G4).
 */
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../support/agreement-deep.ts'
import { Chance } from '../../support/agreement-time.ts'
import { World } from '../../support/agreement-world.ts'

/** Members of which each holds a random part of some facts, agreed or set aside. */
function overlapping(seed: number): World {
  const chance = new Chance(seed)
  const world = new World({ members: chance.between(3, 7), seed })
  const names = Array.from({ length: chance.between(1, 12) }, (_, at) => `n${at}`)
  world.members.forEach((_, index) => {
    const share = chance.fraction()
    for (const name of names) {
      if (chance.isHit(0.15)) world.haveAside(index + 1, name)
      else if (chance.isHit(share)) world.have(index + 1, name)
    }
  })
  return world.start()
}

describe('random overlaps', () => {
  it('S003-23: 3 to 7 members end in bounded time, each with all that anybody held', () => {
    for (let seed = 1; seed <= sizeOf(100, 1000); seed++) {
      const world = overlapping(seed)
      world.runUntil(() => world.sources().length > 0, 10_000)
      world.runUntil(() => world.isWhole(), 15_000)
      world.expectNothingLost()
      expect(world.member(1).sets.agreed.size).toBe(world.accepted.size)
    }
  })

  it('S003-24: over random starts the union of all initial sets is the final set', () => {
    for (let seed = 1; seed <= sizeOf(300, 10_000); seed++) {
      const world = overlapping(seed + 5000)
      world.members.forEach((_, index) => {
        if (world.chance.isHit(0.5)) world.put(index + 1, `new-${index}`)
      })
      world.runUntil(() => world.isWhole(), 20_000)
      const wanted = [...world.accepted].sort()
      for (const { sets } of world.members) expect([...sets.agreed.keys()].sort()).toEqual(wanted)
    }
  })

  it('S003-16: what more than half hold is in the first Source at the moment of its election', () => {
    const world = new World({ members: 5 })
    for (const at of [1, 2, 3]) world.have(at, 'three')
    for (const at of [1, 2]) world.have(at, 'two')
    world.have(4, 'one').have(5, 'other')
    world.start()
    world.runUntil(() => world.sources().length > 0, 10_000)
    const first = world.member(world.sources()[0]!)
    expect([...first.sets.agreed.keys()]).toContain('three')
    expect([...first.sets.agreed.keys()]).not.toContain('two')
  })
})

describe('an election', () => {
  it('A {k,x} B {k} C {k, pending x}: x stays, whoever becomes Source', () => {
    const elected = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World({ members: 3, seed, delay: { min: 1, max: 150 } })
      world.have(1, 'k', 'x').have(2, 'k').have(3, 'k').haveAside(3, 'x')
      world.start()
      world.runUntil(() => world.sources().length > 0, 10_000)
      const first = world.members.find(member => member.isSource)!
      elected.add(first.id)
      expect([...first.sets.agreed.keys()].sort()).toEqual(['k', 'x'])
      world.runUntil(() => world.isWhole(), 10_000)
    }
    expect(elected.size).toBeGreaterThan(1)
  })

  it('compares two that imported the same folder alone as one, and takes both sides in', () => {
    const folder = Array.from({ length: 50 }, (_, at) => `folder/${at}`)
    const world = new World({ members: 2 })
    world.have(1, ...folder, 'a').have(2, ...folder, 'b')
    world.start()
    world.runUntil(() => world.sources().length > 0, 10_000)
    const first = world.members.find(member => member.isSource)!
    expect([...first.sets.agreed.keys()].sort()).toEqual([...folder].sort())
    world.runUntil(() => world.isWhole(), 10_000)
    expect(world.member(1).sets.agreed.size).toBe(52)
  })

  it('asks one of several that hold the same, and none that holds what the asker holds', () => {
    const world = new World({ members: 5 })
    world.have(1, 'a', 'b')
    for (const at of [2, 3, 4, 5]) world.have(at, 'a')
    world.start()
    world.runUntil(() => world.sources().length > 0, 10_000)
    const answered = world.members.map(member => member.comparisonsAnswered)
    // m1 asks one of the four; each of the four asks m1 at most
    expect(answered.slice(1).reduce((a, b) => a + b)).toBeLessThanOrEqual(1)
    expect(answered[0]).toBeLessThanOrEqual(4)
  })

  it('is not disturbed by new writes, which wait in the queue', () => {
    const world = new World({ members: 3, compareMs: 2000 })
    world.have(1, 'a').have(2, 'b').have(3, 'a', 'b')
    world.start()
    for (let n = 0; n < 60; n++) {
      world.run(100)
      if (world.sources().length > 0) break
      world.put((n % 3) + 1, `w${n}`)
    }
    expect(world.sources().length).toBeGreaterThan(0)
    world.runUntil(() => world.isWhole(), 15_000)
    world.expectNothingLost()
  })

  it('goes on when a member comes and goes every 4.5 s and a comparison takes 20 s', () => {
    const world = new World({ members: 4, compareMs: 20_000 })
    world.have(1, 'a').have(2, 'b').have(3, 'c').have(4, 'a')
    world.start()
    let isUp = true
    const flap = () => {
      if (isUp) world.member(4).crash()
      else world.start(4)
      isUp = !isUp
      world.agenda.after(4500, flap)
    }
    world.agenda.after(4500, flap)
    world.runUntil(() => world.sources().length > 0, 60_000)
    expect(world.sources()).not.toEqual([4])
  })

  it('with a gap leaves the status to a participant without one', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ members: 3, seed })
      world.member(1).gap = true
      world.have(1, 'k').have(2, 'k', 'x').have(3, 'k', 'x')
      world.start()
      world.runUntil(() => world.sources().length > 0, 10_000)
      expect(world.lines.find(line => line.to === 'source')?.member).not.toBe('m1')
      world.runUntil(() => world.isWhole(), 10_000)
      expect(world.member(1).gap).toBe(false)
    }
  })

  it('is held among members that all have gaps, as usual', () => {
    const world = new World({ members: 3 })
    for (const member of world.members) member.gap = true
    world.have(1, 'k').have(2, 'k').have(3, 'x')
    world.start()
    world.runUntil(() => world.isWhole(), 12_000)
  })

  it('that waits for another asks nobody in a tight circle', () => {
    const world = new World({ members: 2 })
    world.member(1).gap = true
    world.member(2).walkMs = 15_000
    world.have(1, 'k').have(2, 'k', 'x')
    let rearranged = 0
    world.onEffect = ({ id }, effect) => {
      if (id === 'm1' && effect.kind === 'rearrange') rearranged += 1
    }
    world.start()
    world.runUntil(() => world.sources().length > 0, 60_000)
    expect(rearranged).toBeLessThan(10)
  })

  it('whose fetch fails asks again after a pause, not in a tight circle', () => {
    const world = new World({ members: 3 })
    world.have(1, 'a', 'b').have(2, 'b', 'c').have(3, 'c', 'a') // each needs what two others hold
    world.fetchFails = true
    let compared = 0
    world.onEffect = (_, effect) => {
      if (effect.kind === 'compare') compared += 1
    }
    world.start()
    world.run(12_000)
    expect(world.sources()).toEqual([])
    expect(compared).toBeGreaterThan(50)
    expect(compared).toBeLessThan(200)
    world.fetchFails = false
    world.runUntil(() => world.isWhole(), 10_000)
  })
})
