/**
 * The young generation of the heap, in a process of its own: what grows without it stays small with it.
 */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../src/cli/young-generation.ts', import.meta.url).href

/**
 * Mebibytes of the young generation after much that lives for a while, after a rest, and after as much again.
 * Texts, since V8 soon makes objects of one place in the code that live so long outside of it.
 */
function grown(isKept: boolean): { worked: number; rested: number; again: number } {
  const script = `
    import { setFlagsFromString, getHeapSpaceStatistics } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    import { keepYoungSmall } from '${MODULE}'
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    if (${isKept}) keepYoungSmall()
    const ENOUGH = 96
    const alive = []
    const young = () =>
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20
    const work = async () => {
      for (let turn = 0; turn < 600 && young() < ENOUGH; turn++) {
        for (let n = 0; n < 10_000; n++) alive[(turn % 20) * 10_000 + n] = 'item ' + turn + n
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    await work()
    const worked = young()
    await collect({ type: 'major', execution: 'async', flavor: 'last-resort' })
    const rested = young()
    await work()
    process.stdout.write(JSON.stringify({ worked, rested, again: young() }))`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  const run = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as { worked: number; rested: number; again: number }
}

test('the young generation of a daemon stops growing at a quarter of what V8 gives it', () => {
  expect(grown(false).worked).toBeGreaterThanOrEqual(96)
  expect(grown(true).worked).toBeLessThanOrEqual(48)
})

test('it grows as far again after a rest that made it small', () => {
  const { worked, rested, again } = grown(true)
  expect(rested).toBeLessThan(worked / 2)
  expect(again).toBeGreaterThanOrEqual(32)
  expect(again).toBeLessThanOrEqual(48)
})
