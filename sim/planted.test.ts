/**
 * The alarm works: errors planted on purpose are found by seeds drawn as in any other run. Each
 * test stops at the first finding.
 */
import { describe, expect, it } from 'vitest'
import type { PlantedBug } from '../src/consensus/agreement/state.ts'
import { membersOf } from './draw.ts'
import { simulate } from './run.ts'
import type { Guarantee } from './verdict.ts'

const SEEDS = 200

/** The first seed that finds a planted bug, and what it violates. */
async function findBug(bug: PlantedBug): Promise<{ seed: number; guarantee: Guarantee } | null> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations } = await simulate({
      seed,
      members: membersOf(seed),
      seconds: 30,
      planted: new Set([bug]),
      stopAtFirst: true,
      load: { clientsPerMember: 1, thinkMs: [100, 800] },
    })
    const first = violations[0]
    if (first !== undefined) return { seed, guarantee: first.guarantee }
  }
  return null
}

describe('a planted bug is found', () => {
  it('answer before persist: a client is told of a write that a crash can still lose', async () => {
    expect(await findBug('answer-before-persist')).toMatchObject({ guarantee: 'G1' })
  })

  it('count self among the others: both halves of a cut stay Source for good', async () => {
    expect(await findBug('count-self')).toMatchObject({ guarantee: 'G2' })
  })

  it('split by order of arrival: equal facts show different items', async () => {
    expect(await findBug('split-by-arrival')).toMatchObject({ guarantee: 'G3' })
  })
})
