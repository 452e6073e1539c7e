/**
 * The young generation of the heap, in a process of its own: what grows without it stays small with it.
 */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../src/cli/young-generation.ts', import.meta.url).href

/** Mebibytes that the young generation grew to under much that lives for a while. */
function grown(isKept: boolean): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { keepYoungSmall } from '${MODULE}'
    if (${isKept}) keepYoungSmall()
    const alive = []
    for (let turn = 0; turn < 300; turn++) {
      for (let n = 0; n < 10_000; n++) alive[(turn % 20) * 10_000 + n] = { turn, n }
      await new Promise(resolve => setImmediate(resolve))
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
    process.stdout.write(String(young.space_size / 2 ** 20))`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  const run = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  return Number(run.stdout)
}

test('the young generation of a daemon stops growing at a quarter of what V8 gives it', () => {
  expect(grown(false)).toBeGreaterThanOrEqual(32)
  expect(grown(true)).toBeLessThanOrEqual(16)
})
