/**
 * The flag of V8 by which everything is collected more rarely: V8 says on standard error when it does
 * not know one. What it is worth shows in a daemon only (the row `payload` of the bench).
 */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../src/cli/old-generation.ts', import.meta.url).href
const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']

function stderrOf(script: string): string {
  return spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' }).stderr
}

test('V8 knows the flag by which a daemon collects everything more rarely', () => {
  const unknown = `import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--no-such-flag=1')`
  expect(stderrOf(unknown)).toContain('no-such-flag')
  expect(stderrOf(`import { collectAllRarely } from '${MODULE}'; collectAllRarely()`)).toBe('')
})
