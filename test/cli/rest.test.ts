/** Memory at rest, in a process of its own: what work left behind is given back once, and nothing else is done. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../src/cli/rest.ts', import.meta.url).href

/** Mebibytes of the heap right after work and at rest, and how many full collections came at rest. */
function rested(isCollecting: boolean) {
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks'
    import { collectAtRest } from '${MODULE}'
    if (${isCollecting}) collectAtRest(300)
    let full = 0
    let isResting = false
    new PerformanceObserver(list => {
      for (const { detail } of list.getEntries())
        if (isResting && detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1
    }).observe({ entryTypes: ['gc'] })
    const heap = () => process.memoryUsage().heapTotal / 2 ** 20
    let alive = []
    for (let turn = 0; turn < 1500; turn++) {
      for (let n = 0; n < 10_000; n++) alive[(turn % 100) * 10_000 + n] = ({ turn, n, text: 'x' + n })
      await new Promise(resolve => setImmediate(resolve))
    }
    alive = null
    const worked = heap()
    isResting = true
    await new Promise(resolve => setTimeout(resolve, 2000))
    process.stdout.write(JSON.stringify({ worked, rested: heap(), full }))`
  // A full collection that V8 began during the work would end at rest, without us; one that is never
  // begun in steps is over when the work is.
  const whole = isCollecting ? [] : ['--no-incremental-marking']
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', ...whole]
  const run = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  return JSON.parse(run.stdout) as { worked: number; rested: number; full: number }
}

test('a daemon that rests after work gives back what that left behind, once', () => {
  const kept = rested(false)
  expect(kept.full).toBe(0)
  expect(kept.rested).toBeGreaterThan(kept.worked / 2)
  const given = rested(true)
  expect(given.rested).toBeLessThan(given.worked / 3)
  expect(given.full).toBeGreaterThan(0)
  expect(given.full).toBeLessThan(10)
})
