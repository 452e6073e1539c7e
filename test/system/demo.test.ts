/**
 * `veche demo`, run to its end as a user would: three real daemons, a real cut. It must show what
 * it says, end with 0, and leave neither process nor folder behind, however it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/index.ts'
import { until } from '../support/lab.ts'
import { tempFolders } from '../support/temp-folders.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** It takes a quarter of a minute; a busy machine may take its time. */
const DEMO_MS = 180_000

const folders = tempFolders()
let temp: string

beforeEach(async () => {
  temp = await folders.make()
})

afterEach(() => folders.remove())

class Demo {
  out = ''
  err = ''
  readonly child: ChildProcess
  readonly code: Promise<number | null>

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [main, 'demo', ...args], {
      env: { ...process.env, TMPDIR: temp },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', piece => {
      this.out += piece
    })
    this.child.stderr?.on('data', piece => {
      this.err += piece
    })
    this.code = new Promise(resolve => this.child.once('close', code => resolve(code)))
  }

  /** Process ids of the daemons that it told of. */
  get pids(): number[] {
    return [...this.out.matchAll(/process (\d+)/g)].map(found => Number(found[1]))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

describe('veche demo', { timeout: DEMO_MS }, () => {
  it('shows a cut, a collision, the heal and one hash, and leaves nothing behind', async () => {
    const demo = new Demo()
    expect([await demo.code, demo.err]).toEqual([0, ''])
    const titles = [...demo.out.matchAll(/^(\d\. .*)$/gm)].map(found => found[1])
    expect(titles).toEqual([
      '1. Three members, one network',
      '2. Written on one, readable on all',
      expect.stringMatching(/^3\. The line to (laptop|server|cupboard) is cut$/),
      '4. Both sides change the same item',
      '5. The line heals',
      '6. Nobody was overwritten',
      '7. A person decides',
    ])
    expect(demo.out).toContain('agreed: safe on 1 of 3')
    expect(demo.out).toMatch(/majority: safe on [23] of 3/)
    expect(demo.out).toMatch(/get report~[0-9a-f] +→ "Draft, with figures"/)
    expect(demo.out).toMatch(/get report~[0-9a-f] +→ "Draft, with a summary"/)
    expect(tables(demo.out).map(rows => new Set(rows.map(({ hash }) => hash)).size)).toEqual([
      1, 1, 1, 2, 1, 1,
    ])
    const touches = tables(demo.out).map(rows => rows.filter(({ reached }) => reached === 'nobody'))
    expect(touches.map(rows => rows.length)).toEqual([0, 0, 1, 1, 0, 0])
    expect(demo.out.includes('\u001b')).toBe(false)
    expect(demo.pids).toHaveLength(3)
    expect(demo.pids.filter(isAlive)).toEqual([])
    expect(await readdir(temp)).toEqual([])
  })

  it('leaves three members running with --keep, and names them', async () => {
    const demo = new Demo('--keep', '--json')
    expect([await demo.code, demo.err]).toEqual([0, ''])
    const told = JSON.parse(demo.out) as {
      hash: string
      members: { name: string; socket: string; pid: number }[]
    }
    try {
      expect(told.members.map(({ pid }) => isAlive(pid))).toEqual([true, true, true])
      const clients = await Promise.all(told.members.map(({ socket }) => connect({ socket })))
      const [first, , third] = clients
      await first?.put({ id: 'after', text: 'the demo' })
      await until('the write is on another member', async () => {
        const { items } = (await third?.list()) ?? { items: [] }
        return items.map(({ id }) => id).join() === 'after,notes/today,report'
      })
      for (const client of clients) {
        const { members } = await client.status()
        expect(members.map(({ reached }) => reached)).toEqual([true, true, true])
        await client.close()
      }
    } finally {
      for (const { pid } of told.members) process.kill(pid, 'SIGTERM')
    }
    const pids = told.members.map(({ pid }) => pid)
    await until('they end when they are told to', async () => !pids.some(isAlive))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops at %s with nothing left behind', async (signal, code) => {
    const demo = new Demo()
    await until('two members run', async () => demo.pids.length >= 2)
    demo.child.kill(signal)
    expect(await demo.code).toBe(code)
    expect(demo.err).toContain('Stopped.')
    expect(demo.pids.filter(isAlive)).toEqual([])
    expect(await readdir(temp)).toEqual([])
  })
})

/** The tables of the members, as they were printed. */
function tables(out: string) {
  return out
    .split(/^ {2}member +status.*$/m)
    .slice(1)
    .map(part =>
      part
        .split('\n')
        .slice(1, 4)
        .map(line => {
          const [name, status, hash, items, waiting, ...reached] = line.trim().split(/\s+/)
          return { name, status, hash, items, waiting, reached: reached.join(' ') }
        }),
    )
}
