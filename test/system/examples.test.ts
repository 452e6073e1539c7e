/**
 * The examples, run from the package as npm packs it: in a folder with nothing but the tarball's
 * files and the packages that it says it needs, so that what is missing in either is noticed.
 * Nothing is fetched: the dependencies are the project's own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { size } from '../../sim/size.ts'
import { until } from '../support/lab.ts'
import { tempFolders } from '../support/temp-folders.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)
const folders = tempFolders()
const MINUTES = 180_000
let app: string

/** What `npm pack` reads; not the checkout itself, where a build would meet other tests. */
const sources = [
  'src',
  'docs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'rolldown.config.mjs',
]
const texts = ['README.md', 'CHANGELOG.md', 'LICENSE']

beforeAll(async () => {
  const copy = await folders.make()
  for (const name of [...sources, ...texts])
    await cp(join(root, name), join(copy, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const packed = await run('npm', ['pack', '--json', '--offline'], { cwd: copy })
  const [{ filename }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n')))
  app = await installed(join(copy, filename))
}, MINUTES)

afterAll(() => folders.remove())

/** A folder with the tarball as `node_modules/veche`, and beside it what that depends on. */
async function installed(tarball: string): Promise<string> {
  const folder = await folders.make()
  const modules = join(folder, 'node_modules')
  const veche = join(modules, 'veche')
  await mkdir(veche, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', veche, '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(veche, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  await cp(join(root, 'examples'), folder, { recursive: true })
  return folder
}

function start(args: readonly string[], store?: string): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: app,
    env: { ...process.env, ...(store === undefined ? {} : { VECHE_STORE: store }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function outputOf(args: readonly string[], store?: string): Promise<string> {
  const child = start(args, store)
  let out = ''
  let err = ''
  child.stdout?.on('data', piece => {
    out += piece
  })
  child.stderr?.on('data', piece => {
    err += piece
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}${out}`)
  return out
}

describe('from the packed tarball', { timeout: MINUTES }, () => {
  it('notes: a program that speaks with the member of this machine, and follows changes', async () => {
    const store = join(await folders.make(), 'store')
    const veche = 'node_modules/veche/dist/bin/main.js'
    await outputOf([veche, 'init', '--name', 'laptop', '--listen', '/ip4/127.0.0.1/tcp/0'], store)
    const daemon = start([veche, 'start', '--no-mdns'], store)
    await once(daemon.stdout!, 'data')
    const follower = start(['notes.ts', 'follow'], store)
    let told = ''
    follower.stdout?.on('data', piece => {
      told += piece
    })
    try {
      expect(await outputOf(['notes.ts', 'add', 'shopping', 'bread'], store)).toBe(
        'shopping: majority, safe on 1 of 1 machines\n',
      )
      await outputOf(['notes.ts', 'add', 'shopping', 'milk'], store)
      await outputOf(['notes.ts', 'add', 'today', 'call Anna'], store)
      expect(await outputOf(['notes.ts', 'show', 'shopping'], store)).toBe('bread\nmilk\n')
      const list = await outputOf(['notes.ts', 'list'], store)
      expect(list.match(/\S+$/gm)).toEqual(['today', 'shopping'])
      await until('the follower, which may have come late, tells of a note', async () => {
        await outputOf(['notes.ts', 'add', 'today', 'once more'], store)
        return told.includes('laptop wrote today')
      })
    } finally {
      follower.kill()
      daemon.kill()
      await Promise.all([once(follower, 'close'), once(daemon, 'close')])
    }
    expect(daemon.exitCode).toBe(0)
  })

  it('the thread that counts items of large stores is where it is looked for', async () => {
    const folder = await folders.make()
    const db = new Level<string, Uint8Array>(folder, { valueEncoding: 'view' })
    await db.put('iitem', new Uint8Array(8)) // damaged, and so it is told by its key
    await db.close()
    const range = { from: 'i', until: 'j' }
    const workerData = { location: folder, range, expected: 1, lastCut: 0 }
    for (const place of ['bin', 'storage']) {
      const file = join(app, 'node_modules/veche/dist', place, 'survey-thread.js')
      const thread = new Worker(file, { workerData })
      const [[count]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')])
      expect(count).toMatchObject({ items: 0, damaged: ['iitem'] })
    }
  })

  it('shared-state: two members in one process share keys and values', async () => {
    const out = await outputOf(['shared-state.ts'])
    expect(out).toContain("sees the lamp: { on: true, colour: 'warm' }")
    expect(out).toContain('The kitchen sees the door: open')
    expect(out).toMatch(/One hash: [0-9a-f]{10}/)
  })

  // The same from the sources is demo.test.ts; this is the package.
  it.runIf(size !== 'everyday')('veche demo: the whole of it', async () => {
    const out = await outputOf(['node_modules/veche/dist/bin/main.js', 'demo', '--json'])
    expect(JSON.parse(out)).toMatchObject({ ok: true, items: 2, kept: false })
  })
})
