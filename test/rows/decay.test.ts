/** Seven Sources that fall out of sync one after the other, down to two and then to none. */
import { expect, it } from 'vitest'
import { World } from '../support/agreement-world.ts'

it('S003-30: seven Sources decay to two, which work on, and then all seven go to counter-sync', () => {
  const world = new World({ members: 7, seed: 3 })
  for (let at = 1; at <= 7; at++) world.have(at, 'k')
  world.start()
  world.runUntil(() => world.isWhole(), 10_000)
  world.run(6000)
  world.compareMs = 120_000 // who stepped down stays down for a while
  /** A fact at one member that no other hears of. */
  const spoil = (at: number) => {
    world.have(at, `alone-${at}`)
    world.member(at).tellOwn()
  }
  for (let at = 7; at >= 3; at--) {
    spoil(at)
    world.runUntil(() => !world.member(at).isSource, 11_000)
    const left = Array.from({ length: at - 1 }, (_, n) => n + 1)
    expect(world.sources()).toEqual(left)
    const loss = world.lines.findLast(({ from }) => from === 'source')
    expect([loss?.member, loss?.to]).toEqual([`m${at}`, 'counter-sync'])
    expect(loss?.sentence).toBe(`only 0 of ${at - 1} other Sources were in sync`)
    // Its announcement is one message: then it is on nobody's list.
    world.run(50)
    for (const other of left)
      expect(world.member(other).state.peers.get(`m${at}`)?.sourceSince).toBeNull()
    world.run(11_000)
    expect(world.sources()).toEqual(left)
  }
  world.put(1, 'written')
  world.run(3000)
  for (const { sets } of world.members) expect(sets.agreed.has('written')).toBe(true)
  spoil(2)
  world.runUntil(() => world.sources().length === 0, 11_000)
  world.run(50)
  expect(world.members.map(({ state }) => state.status)).toEqual(
    Array.from({ length: 7 }, () => 'counter-sync'),
  )
})
