/**
 * How the tests run: `npm test` in the everyday size, in minutes; `npm run test:deep`
 * (`VECHE_DEEP=ci`) what has a larger size and what takes long by nature; `VECHE_DEEP=1` all of it for
 * hours (sim/size.ts). The automatic checks run the first two.
 *
 * Real daemons mostly wait for their periods, so more files run at once than there are cores. What
 * measures time itself runs after the others and alone. No other deadline is what a test measures:
 * on a busy machine all may take longer.
 */
import { globSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { size } from './sim/size.ts'

/** The deep sizes take their time; a test that is stuck is given up after this. */
const timeoutMs = { everyday: 120_000, ci: 600_000, deep: 3_600_000 }[size]

/** They say how soon something happens, on members that nothing else should hold up. */
const timed = [
  'test/node/libp2p/healing.test.ts',
  'test/system/load.test.ts',
  'test/system/peers.root.test.ts',
]

/** Pure machines: a file leaves nothing behind, so one process may run one after the other. */
const pure = ['base', 'consensus', 'merkle', 'wire'].map(folder => `test/${folder}/**/*.test.ts`)

/** Whole stories on real daemons, with their waits, and each kind of file damaged in each way. */
const long = [
  'test/rows/daemons.test.ts',
  'test/storage/kinds.test.ts',
  'test/system/*.root.test.ts',
  'test/system/damage.test.ts',
  'test/system/demo.test.ts',
  'test/system/examples.test.ts',
  'test/system/folder.test.ts',
  'test/system/hash-forms.test.ts',
  'test/system/kills.test.ts',
  'test/system/rejoin.test.ts',
  'test/system/roster.test.ts',
  'test/system/twins.test.ts',
  'test/system/verify.test.ts',
  'test/system/why.test.ts',
]

const all = ['test/**/*.test.ts', 'sim/**/*.test.ts']

/** How a test file asks for its size. */
const asksForSize = /from '(?:\.\.?\/|(?:\.\.\/)+sim\/)size\.ts'/

/** Of these only what the asked size runs. */
function only(patterns: readonly string[]): string[] {
  if (size !== 'ci') return [...patterns]
  const isLong = (path: string) => long.some(pattern => matchesGlob(path, pattern))
  return globSync([...patterns], { cwd: import.meta.dirname }).filter(
    path => isLong(path) || asksForSize.test(readFileSync(new URL(path, import.meta.url), 'utf8')),
  )
}

const notNow = size === 'everyday' ? long : []

const usual = {
  testTimeout: timeoutMs,
  hookTimeout: timeoutMs,
  pool: 'forks',
  env: {
    // Daemons and commands that tests start compile the sources once, not each for itself.
    NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/veche', import.meta.url)),
  },
} as const

export default defineConfig({
  test: {
    globalSetup: 'test/support/compiled.ts',
    projects: [
      {
        test: {
          ...usual,
          name: 'others',
          include: only(all),
          exclude: [...pure, ...timed, ...notNow],
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...usual,
          name: 'pure',
          include: only(pure),
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...usual,
          name: 'timed',
          include: only(timed),
          exclude: notNow,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
