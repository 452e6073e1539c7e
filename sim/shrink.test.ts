/**
 * Shrinking: a run that fails in a large world is found again in a small one, failing alike, and the
 * file that tells the small one repeats it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawnOptions } from './draw.ts'
import { type RunOptions, simulate } from './run.ts'
import { kindOf, shrink } from './shrink.ts'
import { readRun, writeRun } from './shrink-file.ts'
import { sized } from './size.ts'

/** Fails by its drawn faults, and by few of them; not every seed shrinks in so few tries. */
const SMALL = { seed: 4, members: 4, seconds: 30, tries: 12, membersLeft: 4, secondsLeft: 15 }
const LARGE = { seed: 4, members: 5, seconds: 60, tries: 20, membersLeft: 3, secondsLeft: 60 }
const WORLD = sized({ everyday: SMALL, ci: LARGE, deep: LARGE })

/** Drawn as in any run, with a bug planted. */
function planted(seed: number): RunOptions {
  const load = { clientsPerMember: 1, thinkMs: [200, 1500] as const }
  return {
    ...drawnOptions(seed),
    load,
    members: WORLD.members,
    quorum: 'visible',
    seconds: WORLD.seconds,
    planted: new Set(['split-by-arrival'] as const),
  }
}

describe('shrinking', () => {
  it('finds a small world with the failure of a large one, and a file that repeats it', async () => {
    const large = planted(WORLD.seed)
    const small = (await shrink(large, { isEnough: tried => tried >= WORLD.tries }))!
    expect(small).not.toBeNull()
    const [first] = (await simulate({ ...large, stopAtFirst: true })).violations
    expect(kindOf(small.found)).toBe(kindOf(first!))
    expect(small.options.members).toBeLessThanOrEqual(WORLD.membersLeft)
    expect(small.options.struck!.length).toBeLessThanOrEqual(3)
    expect(small.options.seconds).toBeLessThanOrEqual(WORLD.secondsLeft)

    const folder = mkdtempSync(join(tmpdir(), 'veche-shrink-'))
    try {
      const path = join(folder, 'run.json')
      writeRun(path, small)
      const [again] = (await simulate({ ...readRun(path), stopAtFirst: true })).violations
      expect(again).toEqual(small.found)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 300_000)

  it('has nothing to do where nothing fails', async () => {
    const options = { seed: 1, members: 2, seconds: 2, swarm: { kinds: [] } } as const
    expect(await shrink(options, { isEnough: () => false })).toBeNull()
  })

  it('replays a run from its list of faults alone, event for event', async () => {
    const options = {
      seed: 11,
      members: 3,
      seconds: 10,
      swarm: { everyMs: 800, atOnce: 3 },
    } as const
    const drawn = await simulate(options)
    const again = await simulate({ ...options, struck: drawn.struck })
    expect(drawn.struck.length).toBeGreaterThan(3)
    expect(again.struck).toEqual(drawn.struck)
    expect(again.history.operations).toEqual(drawn.history.operations)
  })
})

describe('two violations are of one kind', () => {
  it('whatever they say of members, items, versions and times', () => {
    const told = (sentence: string) => kindOf({ guarantee: 'G1', atMs: 0, sentence })
    const one = told('write 5 on item/0, acknowledged by b (agreed), is not on a at the end')
    expect(told('write 17 on own/c/2, acknowledged by c (majority), is not on d at the end')).toBe(
      one,
    )
    expect(told('write 17 on own/c/2 at c was answered before it was durable there')).not.toBe(one)
  })
})
