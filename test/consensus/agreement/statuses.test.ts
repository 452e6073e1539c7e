/**
 * The statuses of members and of the network: through random lives, under loss of messages, and
 * down from seven Sources to none (S003-13, 17 to 19, 30). The world itself checks at every step
 * that only the ways of the table are gone (test/support/agreement-ways.ts).
 */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import type { Quorum } from '../../../src/consensus/agreement/state.ts'
import { type ChaosOptions, liveThrough, randomWorld } from '../../support/agreement-chaos.ts'
import { sizeOf } from '../../support/agreement-deep.ts'
import { World } from '../../support/agreement-world.ts'

/** Lives a random life and waits for peace: all Source with one set, and calm for 12 s. */
function lifeOf(options: ChaosOptions): { readonly world: World; readonly wholeAfterMs: number } {
  const world = randomWorld(options)
  world.start()
  liveThrough(world, options)
  const calmMs = 12_000
  const isCalm = () => (world.lines.at(-1)?.at ?? 0) <= world.agenda.now - calmMs
  const ms = world.runUntil(() => world.isWhole() && isCalm(), 60_000 + calmMs)
  world.expectNothingLost()
  return { world, wholeAfterMs: ms - calmMs }
}

function optionsOf(seed: number, quorum: Quorum, loss: number): ChaosOptions {
  return { seed, quorum, loss, members: 1 + (seed % 7), chaosMs: 30_000 }
}

function wholeWorld(members: number, ids = 'k'): World {
  const world = new World({ members })
  world.members.forEach((_, index) => {
    world.have(index + 1, ids)
  })
  world.start()
  world.runUntil(() => world.isWhole(), 12_000)
  return world
}

describe('random lives', () => {
  for (const quorum of ['visible', 'roster'] as const)
    it(`S003-13: go no illegal way, lose nothing and end whole, with quorum ${quorum}`, () => {
      // 639: a fact that came twice under two numbers was told as gained twice
      for (const seed of [639, ...Array.from({ length: sizeOf(250, 4000) }, (_, at) => at + 1)]) {
        const { wholeAfterMs } = lifeOf(optionsOf(seed, quorum, 0))
        expect([seed, wholeAfterMs < 30_000]).toEqual([seed, true])
      }
    })

  it('with slow disks and long comparisons elect with exactly what the majority holds', () => {
    // 127: facts gained and the held root told later; 1942: facts gained under a comparison
    const seeds = [127, 1942, ...Array.from({ length: sizeOf(80, 2500) }, (_, at) => at + 1)]
    for (const seed of seeds) {
      const options = optionsOf(seed, seed % 2 === 0 ? 'roster' : 'visible', 0)
      const world = randomWorld(options)
      Object.assign(world, { durableMs: 150, rearrangeMs: 200, holdMs: 10, compareMs: 1500 })
      world.start()
      liveThrough(world, options)
      world.runUntil(() => world.isWhole(), 60_000)
      world.expectNothingLost()
    }
  })

  it('with a fifth of all messages lost lose nothing and end whole when the loss ends', () => {
    for (let seed = 1; seed <= sizeOf(60, 1000); seed++) {
      const options = optionsOf(seed, seed % 2 === 0 ? 'visible' : 'roster', 0.2)
      const world = randomWorld(options)
      world.start()
      liveThrough(world, options)
      world.network.loss = 0
      world.runUntil(() => world.isWhole(), 60_000)
      world.expectNothingLost()
    }
  })

  it('happen in the same way for the same seed', () => {
    const options = optionsOf(76, 'visible', 0.1)
    const [one, other] = [options, options].map(same => {
      const world = randomWorld(same)
      world.start()
      liveThrough(world, same)
      return world.lines
    })
    expect(one).toEqual(other)
    expect(one!.length).toBeGreaterThan(5)
  })
})

describe('messages', () => {
  it('S003-17: with 30 % of them dropped the end state is the same', () => {
    const ends = [0, 0.3].map(loss => {
      const world = new World({ members: 5, loss, seed: 17 })
      world.have(1, 'a', 'b').have(2, 'b', 'c').have(3, 'c').haveAside(4, 'd').start()
      for (let n = 0; n < 20; n++) {
        world.run(1000)
        world.put((n % 5) + 1, `w${n}`)
      }
      world.run(20_000)
      world.runUntil(() => world.isWhole(), 60_000)
      return [...world.member(1).sets.agreed.keys()].sort()
    })
    expect(ends[0]).toEqual(ends[1])
    expect(ends[0]?.length).toBe(24)
  })

  it('S003-18: the gap between own pings is never over one second and one tick', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World({ members: 4, seed })
      world.have(1, 'a').have(2, 'b').start()
      world.run(60_000)
      for (const member of world.members)
        expect(member.longestSilenceMs).toBeLessThanOrEqual(limits.pingMs + 100)
    }
  })

  it('S003-17: each lists all others and their statuses from messages alone', () => {
    const world = wholeWorld(4)
    for (const { id, state } of world.members) {
      expect([...state.peers.keys(), id].sort()).toEqual([...world.ids])
      for (const peer of state.peers.values()) expect(peer.status).toBe('source')
    }
    world.member(4).crash()
    world.run(limits.heardMs + 2 * limits.checkMs)
    for (const at of [1, 2, 3])
      expect(world.member(at).state.peers.get('m4')?.sourceSince).toBeNull()
  })
})

describe('the status of the network', () => {
  /** Whether members see the network as synchronized: they are Source, or they see one. */
  function views(world: World): boolean[] {
    return world.alive.map(({ state }) => state.source !== null || state.status === 'source-sync')
  }

  it('S003-19: agrees on every member within two pings after the first and the last Source', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World({ members: 5, seed, compareMs: 400 })
      for (const at of [1, 2, 3, 4, 5]) world.have(at, 'k', `own-${at}`)
      world.start()
      world.runUntil(() => world.sources().length > 0, 10_000)
      world.run(2 * limits.pingMs)
      expect(views(world)).toEqual([true, true, true, true, true])
    }
  })

  it('S003-19: without a Source all go to counter-sync', () => {
    const world = new World({ members: 4 })
    for (const at of [1, 2, 3, 4]) world.have(at, 'k')
    world.start(1)
    world.runUntil(() => world.sources().length === 1, 8000)
    world.compareMs = 60_000
    for (const at of [2, 3, 4]) world.have(at, `own-${at}`)
    world.start()
    world.run(3000)
    expect(views(world)).toEqual([true, true, true, true])
    world.member(1).crash()
    world.run(limits.heardMs + limits.pingMs)
    expect(world.alive.map(({ state }) => state.status)).toEqual(
      Array.from({ length: 3 }, () => 'counter-sync'),
    )
  })

  it('S003-30: with two Sources and three others, the loss of both sends all five to counter-sync', () => {
    const world = new World({ members: 5, compareMs: 30_000 })
    for (const at of [1, 2]) world.have(at, 'k')
    world.start(1, 2)
    for (const at of [1, 2]) world.member(at).walkMs = 30
    world.runUntil(() => world.sources().length === 2, 8000)
    for (const at of [3, 4, 5]) world.have(at, `own-${at}`)
    world.start()
    world.run(6000)
    expect(world.sources()).toEqual([1, 2])
    // From now on the two differ, and nothing that they announce can be equal again.
    world.member(1).sets.agree('secret', '0000000000000001')
    world.member(1).walkMs = 30_000
    world.member(2).walkMs = 30_000
    world.runUntil(() => world.sources().length === 0, 12_000)
    world.run(50)
    expect(world.members.map(({ state }) => state.status)).toEqual(
      Array.from({ length: 5 }, () => 'counter-sync'),
    )
  })
})
