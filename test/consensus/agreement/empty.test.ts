/** Empty members: mute while anybody holds something, all Source when nobody does (S003-25). */
import { describe, expect, it } from 'vitest'
import { World } from '../../support/agreement-world.ts'

describe('empty members', () => {
  it('S003-25: a lone first member is Source at once', () => {
    const world = new World({ members: 1 }).start()
    world.run(100)
    expect(world.sources()).toEqual([1])
    world.put(1, 'first')
    expect(world.member(1).sets.agreed.has('first')).toBe(true)
  })

  it('S003-25: three empty members are all Source within 5 s', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World({ members: 3, seed }).start()
      world.runUntil(() => world.sources().length === 3, 5000)
    }
  })

  it('S003-25: a member that sees nobody waits one silence period before it is alone', () => {
    const world = new World({ members: 3 }).start(1)
    world.run(2900)
    expect(world.sources()).toEqual([])
    world.run(1000)
    expect(world.sources()).toEqual([1])
  })

  it('S003-25: two that hold something finish while an empty one stays mute', () => {
    const world = new World({ members: 3 })
    world.have(1, 'a', 'b').have(2, 'b', 'c').start()
    world.runUntil(() => world.sources().length > 0, 5000)
    expect(world.sources()).not.toContain(3)
    expect(world.member(3).comparisonsAnswered).toBe(0)
    world.runUntil(() => world.isWhole(), 10_000)
    expect(world.member(3).sets.agreed.size).toBe(3)
  })

  it('S003-25: a wiped disk rejoins and nobody loses anything', () => {
    for (const wiped of [1, 2, 3]) {
      const world = new World({ members: 3 })
      for (const at of [1, 2, 3]) world.have(at, 'a', 'b', 'c')
      world.start()
      world.runUntil(() => world.isWhole(), 8000)
      world.wipe(wiped)
      world.start(wiped)
      world.runUntil(() => world.isWhole(), 10_000)
      world.expectNothingLost()
    }
  })

  it('S003-25: while an empty member hears one that holds something it is never Source first', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const world = new World({ members: 4, seed, delay: { min: 1, max: 200 } })
      world.have(3, 'k').start()
      world.runUntil(() => world.sources().length > 0, 8000)
      expect(world.lines.find(line => line.to === 'source')?.member).toBe('m3')
    }
  })

  it('one full member and two that just joined: the full one is Source, the others follow', () => {
    const world = new World({ members: 3 })
    world.have(1, ...Array.from({ length: 40 }, (_, at) => `n${at}`)).start()
    world.runUntil(() => world.isWhole(), 8000)
    expect(world.lines.find(line => line.to === 'source')?.member).toBe('m1')
    expect(world.lines.filter(line => line.from === 'source')).toEqual([])
    expect(world.member(3).sets.agreed.size).toBe(40)
  })

  it('a full member that comes back to two empty Sources loses nothing and hands all in', () => {
    const world = new World({ members: 3 })
    world.have(1, 'a', 'b').start(2, 3)
    world.runUntil(() => world.sources().length === 2, 8000)
    world.put(2, 'c')
    world.run(3000)
    world.start(1)
    world.runUntil(() => world.isWhole(), 10_000)
    world.expectNothingLost()
    expect([...world.member(3).sets.agreed.keys()].sort()).toEqual(['a', 'b', 'c'])
  })

  it('own new writes, never agreed, make nobody a participant, and come in when it is Source', () => {
    const world = new World({ members: 2 })
    world.have(1, 'k').start()
    world.put(2, 'early')
    world.run(1)
    expect(world.member(2).sets.isEmpty).toBe(true)
    world.runUntil(() => world.isWhole(), 8000)
    expect([...world.member(1).sets.agreed.keys()].sort()).toEqual(['early', 'k'])
  })
})
