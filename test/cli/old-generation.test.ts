/**
 * How often everything is collected, in a process of its own: V8 says on standard error when it does not
 * know a flag. What both are worth shows in a daemon only (the row `payload` of the bench).
 */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../src/cli/old-generation.ts', import.meta.url).href
const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']

function outcomeOf(script: string): { readonly stderr: string; readonly stdout: string } {
  return spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
}

test('V8 knows the flags by which a daemon collects everything more rarely', () => {
  const unknown = `import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--no-such-flag=1')`
  expect(outcomeOf(unknown).stderr).toContain('no-such-flag')
  const known = `import { collectAllRarely } from '${MODULE}'; collectAllRarely()`
  expect(outcomeOf(known).stderr).toBe('')
})

/** Collections of everything while 2 GiB pass through arrays of 256 KiB, of which 4 MiB are alive at a time. */
function fullCollections(isRare: boolean): number {
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks'
    import { collectAllRarely } from '${MODULE}'
    if (${isRare}) collectAllRarely()
    let full = 0
    new PerformanceObserver(list => {
      for (const { detail } of list.getEntries())
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1
    }).observe({ entryTypes: ['gc'] })
    const alive = []
    for (let n = 0; n < 8192; n++) {
      alive[n % 16] = new Uint8Array(256 * 1024)
      if (n % 64 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    await new Promise(resolve => setTimeout(resolve, 100))
    process.stdout.write(String(full))`
  const { stderr, stdout } = outcomeOf(script)
  expect(stderr).toBe('')
  return Number(stdout)
}

test('payloads that pass through a daemon have everything collected hardly ever', () => {
  const usual = fullCollections(false)
  expect(usual).toBeGreaterThanOrEqual(10)
  expect(fullCollections(true)).toBeLessThanOrEqual(usual / 5)
})
