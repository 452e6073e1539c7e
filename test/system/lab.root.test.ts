/**
 * The lab itself, in its smallest form: three daemons, some seconds of kills, power cuts and cuts of
 * every shape, judged by the history checker; and that it leaves nothing behind when it is stopped.
 * The deeper forms are `npm run lab`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Asked, readArguments, UsageError } from '../lab/asked.ts'
import type { Figures } from '../lab/figures.ts'
import { isRoot, until } from '../support/lab.ts'
import { tempFolders } from '../support/temp-folders.ts'

const lab = fileURLToPath(new URL('../lab/main.ts', import.meta.url))
const folders = tempFolders()
/** Of one network: forming, ten seconds of faults, healing, judging, on a busy machine. */
const RUN_MS = 240_000

interface Running {
  readonly child: ChildProcess
  readonly text: () => string
  readonly code: Promise<number | null>
}

function start(folder: string, args: readonly string[], more: { uid?: number } = {}): Running {
  const node = ['--disable-warning=ExperimentalWarning', lab, ...args]
  const env = { ...process.env, TMPDIR: folder }
  const child = spawn(process.execPath, node, { env, ...more })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', data => {
      text += data
    })
  }
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { child, text: () => text, code }
}

/** Processes that name a folder on their command line or in what they were started with. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return false
      throw error
    }
  })
}

const isDeep = process.env.VECHE_DEEP === '1'

describe('what is asked of the lab', () => {
  test('numbers out of their range and options that are none are refused', () => {
    for (const args of [['--members', '2'], ['--members', '8'], ['--mebers', '3'], ['--seed']]) {
      expect(() => readArguments(args)).toThrow(UsageError)
    }
    const asked = readArguments(['--members', '5', '--minutes', '10', '--seed', '7']) as Asked
    expect(asked).toMatchObject({ members: 5, minutes: 10, seed: 7, isSmall: false })
  })

  // Registered only where they can run: the automatic checks want every test of this file to run.
  if (!isRoot) {
    test('who is not root is told that it needs root', async () => {
      const { text, code } = start(await folders.make(), ['--ci'])
      expect(await code).toBe(2)
      expect(text()).toContain('it needs root')
    })
  }
})

describe.skipIf(!isRoot)('the lab', () => {
  let folder: string
  beforeAll(async () => {
    folder = await folders.make()
  })
  afterAll(() => folders.remove())

  const small = async () => {
    const json = join(folder, 'figures.json')
    const { text, code } = start(folder, ['--ci', '--minutes', '0.2', '--json', json])
    expect(await code, text()).toBe(0)
    const figures: Figures = JSON.parse(readFileSync(json, 'utf8'))
    expect(figures).toMatchObject({ networks: 1, passed: 1, lost: 0, diverged: 0 })
    expect(figures.acknowledged).toBeGreaterThan(10)
    expect(figures.copiesLookedFor).toBeGreaterThan(10)
    expect(figures.kills + figures.powerCuts).toBeGreaterThan(0)
    expect(figures.partitions).toBe(5)
    expect(readdirSync(folder)).toEqual(['figures.json'])
  }
  // The automatic checks run `npm run lab -- --ci` itself.
  if (isDeep) test('real daemons under faults of every kind lose nothing', small, RUN_MS)

  const canary = async () => {
    const place = await folders.make()
    const json = join(place, 'figures.json')
    const args = ['--ci', '--canary', '--minutes', '1', '--json', json]
    const { text, code } = start(place, args)
    expect(await code, text()).toBe(1)
    const figures: Figures = JSON.parse(readFileSync(json, 'utf8'))
    expect(figures).toMatchObject({ networks: 1, failed: 1 })
    expect(figures.lost, text()).toBeGreaterThan(0)
  }
  if (isDeep) {
    test('disks that lie about syncing are found out: the lab can fail', canary, RUN_MS)
  }

  test(
    'stopped in the middle it leaves no process, no mount and no folder',
    async () => {
      const place = await folders.make()
      const { child, text, code } = start(place, ['--ci'])
      const isFormed = async () => processesOf(join(place, 'veche-lab-')).length > 2
      await until('daemons run', isFormed, 60_000)
      child.kill('SIGINT')
      expect(await code, text()).not.toBe(0)
      await until('all are gone', async () => processesOf(place).length === 0, 20_000)
      expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(place)
      expect(readdirSync(place)).toEqual([])
    },
    RUN_MS,
  )
})
