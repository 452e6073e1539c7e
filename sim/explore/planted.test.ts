/**
 * The alarm of the explorer: errors planted in the agreement machine are found, each by its shortest
 * way and within the states that it may take. Not in reach: `answer-before-persist` and
 * `split-by-arrival` are no errors of this machine; the simulator finds them.
 */
import { describe, expect, it } from 'vitest'
import type { PlantedBug, Quorum } from '../../src/consensus/agreement/state.ts'
import { type Explored, explore } from './explore.ts'

interface Planted {
  readonly members: number
  readonly quorum?: Quorum
  readonly beginning: number
  readonly recoverEvery?: number
}

function find(bug: PlantedBug, { members, quorum, beginning, recoverEvery }: Planted): Explored {
  return explore({
    setting: {
      members,
      quorum: quorum ?? 'visible',
      planted: new Set([bug]),
      quantumMs: 1000,
      writesMax: 2,
    },
    order: members === 2 && quorum !== 'roster' ? 'free' : 'fifo',
    surprisesMax: 1,
    statesMax: 60_000,
    recoverEvery: recoverEvery ?? 0,
    beginnings: [beginning],
  })
}

describe('an error planted in the agreement machine is found', () => {
  it('suppress-marks: in peace, every check costs both their status', () => {
    const { violation } = find('suppress-marks', { members: 2, beginning: 2, recoverEvery: 50 })
    expect(violation?.sentence).toMatch(/^G[25]/)
  })

  it('count-self: two that differ stay Source beside each other', () => {
    const { violation } = find('count-self', { members: 2, beginning: 2, recoverEvery: 50 })
    expect(violation?.sentence).toMatch(/^G2/)
    expect(violation?.path.length).toBeLessThan(30)
  })

  it('silence-is-agreement: a comparison that failed elects with what only one holds', () => {
    const { violation } = find('silence-is-agreement', { members: 2, beginning: 2 })
    expect(violation?.sentence).toMatch(/^G4/)
  })

  it('wait-for-nobody: the first elects itself before the others answered', () => {
    const { violation } = find('wait-for-nobody', { members: 3, beginning: 3 })
    expect(violation?.sentence).toMatch(/^G4/)
  })

  it('elect-half-fetched: a Source lacks what it could not fetch', () => {
    const { violation } = find('elect-half-fetched', { members: 3, beginning: 3 })
    expect(violation?.sentence).toMatch(/^G4/)
    expect(violation?.path.at(-1)).toMatch(/^FAILED/)
  })

  it('majority-of-the-seen: with quorum roster two sides of a cut have Sources for good', () => {
    const { violation } = find('majority-of-the-seen', {
      members: 2,
      quorum: 'roster',
      beginning: 0,
    })
    expect(violation?.sentence).toMatch(/^G6/)
  })
})
