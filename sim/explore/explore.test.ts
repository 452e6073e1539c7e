/**
 * The explorer in its everyday size. CI goes deeper (`npm run explore -- --ci`); that it can fail is
 * shown by planted.test.ts.
 */
import { describe, expect, it } from 'vitest'
import type { Quorum } from '../../src/consensus/agreement/state.ts'
import { newWorld } from './beginnings.ts'
import { printOfWorld } from './canonical.ts'
import { type Exploration, explore } from './explore.ts'
import { runQuietly } from './liveness.ts'
import type { Setting } from './world.ts'

function settingOf(members: number, quorum: Quorum): Setting {
  return { members, quorum, planted: new Set(), quantumMs: 1000, writesMax: 2 }
}

function boundsOf(states: number): Omit<Exploration, 'setting'> {
  return { order: 'free', surprisesMax: 2, statesMax: states, recoverEvery: 400 }
}

describe('everything that can happen', () => {
  it('to two members keeps every guarantee, in every order of messages', () => {
    const explored = explore({ setting: settingOf(2, 'visible'), ...boundsOf(20_000) })
    expect(explored.violation).toBeNull()
    expect(explored.states).toBeGreaterThanOrEqual(20_000)
    expect(explored.recoveries).toBeGreaterThan(30)
  })

  it('to two members without a surprise is explored to its end, in every order of messages', () => {
    for (const quorum of ['visible', 'roster'] as const) {
      const bounds = { ...boundsOf(100_000), surprisesMax: 0, recoverEvery: 100 }
      const explored = explore({ setting: settingOf(2, quorum), ...bounds })
      expect(explored).toMatchObject({ violation: null, isExhausted: true })
    }
  })

  it('to three members with one majority of the roster keeps every guarantee', () => {
    const bounds = { ...boundsOf(10_000), order: 'fifo' as const }
    const explored = explore({ setting: settingOf(3, 'roster'), ...bounds })
    expect(explored.violation).toBeNull()
    expect(explored.layers[0]?.isExhausted).toBe(true)
  })
})

describe('the name of a state', () => {
  it('comes again when members stay as they are: time alone makes no new state', () => {
    const world = newWorld(settingOf(2, 'visible'), [[0], [0]])
    runQuietly(world, 20)
    const names = new Set<string>()
    for (let moment = 0; moment < 20; moment++) {
      runQuietly(world, 1)
      names.add(JSON.stringify(printOfWorld(world)))
    }
    expect(names.size).toBe(5)
  })

  it('looks at every field that the machine has', () => {
    const world = newWorld(settingOf(2, 'visible'), [[0], [0, 1]])
    const { state } = world.members[0]!
    expect(Object.keys(state!).sort()).toEqual(
      (
        'announcesSoon bodies configuration history holding lastCheck lastTickAt nextTicket now own peers pingedAt planted ' +
        'quorum reachedAnybodyAt reachedMajorityAt roster round self source startedAt status sync'
      ).split(' '),
    )
    expect(Object.keys(state!.peers.get('b')!).sort()).toEqual(
      (
        'answeredAt clock cut empty gap hash healedAt heardAt heardSince held history id ' +
        'incarnation marked markedBefore ping rttMs sourceSince status'
      ).split(' '),
    )
  })
})
