/**
 * Seeds as a test: twenty drawn ones, the kept ones, and one twice. `VECHE_DEEP=1` runs many more.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drawnOptions } from './draw.ts'
import { type RunOptions, simulate } from './run.ts'

const isDeep = process.env.VECHE_DEEP === '1'
const SEEDS = isDeep ? 300 : 20
const SECONDS = isDeep ? 60 : 20

async function firstViolation(options: RunOptions): Promise<string | null> {
  const { violations } = await simulate({ ...options, stopAtFirst: true })
  const first = violations[0]
  return first === undefined ? null : `${first.guarantee} at ${first.atMs}: ${first.sentence}`
}

describe('a world under faults keeps every guarantee', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drawn = drawnOptions(seed)
    it(`seed ${seed}: ${drawn.members} members, quorum ${drawn.quorum}`, async () => {
      expect(await firstViolation({ ...drawn, seconds: SECONDS })).toBeNull()
    })
  }
})

interface KeptSeed {
  readonly options: RunOptions
  readonly reason: string
}

function keptSeeds(): KeptSeed[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [seed, members, seconds, quorum, ...reason] = line.split(/\s+/)
      const options = {
        seed: Number(seed),
        members: Number(members),
        seconds: Number(seconds),
        quorum: quorum === 'roster' ? 'roster' : 'visible',
      } as const
      return { options, reason: reason.join(' ') }
    })
}

describe('a seed that found something once finds nothing any more', () => {
  for (const { options, reason } of keptSeeds()) {
    it(`seed ${options.seed}: ${reason}`, async () => {
      expect(await firstViolation(options)).toBeNull()
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
