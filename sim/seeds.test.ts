/**
 * Seeds as a test: twenty drawn ones, the kept ones, and one twice. `VECHE_DEEP=1` runs many more.
 */
import { describe, expect, it } from 'vitest'
import { drawnOptions } from './draw.ts'
import { findingOf, keptSeeds } from './kept.ts'
import { simulate } from './run.ts'

const isDeep = process.env.VECHE_DEEP === '1'
const SEEDS = isDeep ? 300 : 20
const SECONDS = isDeep ? 60 : 20

describe('a world under faults keeps every guarantee', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drawn = drawnOptions(seed)
    it(`seed ${seed}: ${drawn.members} members, quorum ${drawn.quorum}`, async () => {
      expect(await findingOf({ ...drawn, seconds: SECONDS })).toBeNull()
    })
  }
})

describe('a seed that found something once finds nothing any more', () => {
  for (const { options, reason } of keptSeeds()) {
    it(`seed ${options.seed}: ${reason}`, async () => {
      expect(await findingOf(options)).toBeNull()
    })
  }
})

describe('a run is nothing but its seed', () => {
  const options = { seed: 10, members: 5, seconds: 20 } as const

  it('the same seed twice has the same trace', async () => {
    const first = await simulate(options)
    const second = await simulate(options)
    expect(first.faults.size).toBeGreaterThan(3)
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.history.operations).toEqual(first.history.operations)
  })

  it('another seed has another trace', async () => {
    const first = await simulate({ ...options, seconds: 2 })
    const other = await simulate({ ...options, seed: 11, seconds: 2 })
    expect(other.traceHash).not.toBe(first.traceHash)
  })
})
