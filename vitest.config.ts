/**
 * How the tests run: `npm test` in the everyday size, `npm run test:deep` (`VECHE_DEEP=ci`) only the
 * files that have a larger one, `VECHE_DEEP=1` all of them for hours (sim/size.ts).
 *
 * Most of the time of `npm test` real daemons wait for their periods, so more files run at once than
 * there are cores. No deadline of a test is what it measures: on a busy machine all may take longer.
 */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { size } from './sim/size.ts'

/** The deep sizes take their time; a test that is stuck is given up after this. */
const timeoutMs = { everyday: 120_000, ci: 600_000, deep: 3_600_000 }[size]

const include = ['test/**/*.test.ts', 'sim/**/*.test.ts']

/** Files that try more when asked. */
function sizedFiles(): string[] {
  return globSync(include, { cwd: import.meta.dirname }).filter(path =>
    readFileSync(new URL(path, import.meta.url), 'utf8').includes("sim/size.ts'"),
  )
}

export default defineConfig({
  test: {
    include: size === 'ci' ? sizedFiles() : include,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: 'forks',
    maxWorkers: 3,
    globalSetup: 'test/support/compiled.ts',
    env: {
      // Daemons and commands that tests start compile the sources once, not each for itself.
      NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/veche', import.meta.url)),
    },
  },
})
