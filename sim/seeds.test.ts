/**
 * Seeds as a test: some drawn ones, the kept runs, and one twice. The larger sizes run many more;
 * kept runs from the time before draws were bounded, which cost as much as all others together,
 * run with `npm run sim:kept` and in the deep size only.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drawnOptions, isWithinBounds } from './draw.ts'
import { findingOf, keptRuns, keptSeeds, wrongWith } from './kept.ts'
import { simulate } from './run.ts'
import { size, sized } from './size.ts'
import { USUAL_LOAD } from './workload.ts'

const SEEDS = sized({ everyday: 5, ci: 20, deep: 300 })
/** Where a test tells by its title which seed it shows. */
const SCENES = [
  'kept.test.ts',
  'clocks.test.ts',
  'checker/apart.test.ts',
  'membership.test.ts',
  '../test/compliance/store.ts',
  '../test/node/driver/door.test.ts',
  '../test/node/driver/roster-facts.test.ts',
  '../test/node/ledger/lost.test.ts',
  '../test/node/ledger/rebuild.test.ts',
  '../test/node/ledger/short.test.ts',
  '../test/storage/memory-store.test.ts',
]

const SECONDS = sized({ everyday: 20, deep: 60 })

describe('a world under faults keeps every guarantee', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drawn = drawnOptions(seed)
    it(`seed ${seed}: ${drawn.members} members, quorum ${drawn.quorum}`, async () => {
      expect(await findingOf({ ...drawn, seconds: SECONDS })).toBeNull()
    })
  }
})

describe('a run that found something once', () => {
  const runs = keptRuns().filter(
    ({ options: { load, members } }) =>
      size === 'deep' || isWithinBounds({ ...USUAL_LOAD, ...load }, members),
  )
  for (const run of runs) {
    it(`${run.name}: ${run.reason}, and finds nothing any more`, async () => {
      expect(await wrongWith(run)).toBeNull()
    })
  }

  it('is a kept run or a scene, and seeds.txt lists each of them', () => {
    const scenes = SCENES.map(file => readFileSync(new URL(file, import.meta.url), 'utf8')).join()
    const isScene = (seed: number) =>
      scenes.includes(`it('seed ${seed}: `) || scenes.includes(`(seed ${seed})', `)
    const isKept = new Set(keptRuns().map(({ name }) => name))
    const seeds = keptSeeds()
    const lost = seeds.filter(({ seed, as }) => (as === 'scene' ? !isScene(seed) : !isKept.has(as)))
    expect(lost).toEqual([])
    expect(new Set(seeds.map(({ as }) => as).filter(as => as !== 'scene'))).toEqual(isKept)
  })
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
