/** The command line as a process of its own: pipes, signals, and a Node that is too old. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ControlFixture, startFixture } from '../support/control.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let fixture: ControlFixture

beforeEach(async () => {
  fixture = await startFixture()
})

afterEach(() => fixture.stop())

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    env: { ...process.env, VECHE_STORE: fixture.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function ended(child: ChildProcess) {
  let out = ''
  let err = ''
  child.stdout?.on('data', piece => {
    out += piece
  })
  child.stderr?.on('data', piece => {
    err += piece
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, out, err }
}

test('answers go to stdout and the exit code tells how it ended', async () => {
  expect(await ended(start('status', '--json'))).toMatchObject({ code: 0, err: '' })
  expect(await ended(start('get', 'none'))).toMatchObject({ code: 1, out: '' })
  expect(await ended(start('get'))).toMatchObject({ code: 2, out: '' })
})

test('a reader that goes away ends a long listing and a long payload without an error', async () => {
  for (let n = 0; n < 5000; n++)
    await fixture.member.put({ id: `k${n}`, payload: new Uint8Array(), type: 'x/y' })
  const payload = new Uint8Array(20_000_000)
  await fixture.member.put({ id: 'big', payload, type: 'x/y' })
  for (const args of [['ls'], ['get', 'big']]) {
    const child = start(...args)
    child.stdout?.once('data', () => child.stdout?.destroy())
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  }
})

test('an output that cannot be written is a failure', async () => {
  await fixture.member.put({ id: 'a', payload: new Uint8Array(10), type: 'x/y' })
  const script = `"$0" "$1" get a > /dev/full`
  const child = spawn('sh', ['-c', script, process.execPath, main], {
    env: { ...process.env, VECHE_STORE: fixture.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { code, err } = await ended(child)
  expect(code).toBe(1)
  expect(err).toContain('ENOSPC')
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends a watch in order', async signal => {
  const child = start('watch', '--json', '--since', '0')
  const end = ended(child)
  await fixture.member.put({ id: 'a', payload: new Uint8Array(), type: 'x/y' })
  child.stdout?.once('data', () => child.kill(signal))
  const { code, out } = await end
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ kind: 'added', id: 'a' })
})

test('a Node that is too old is told so in one sentence', async () => {
  const versions = `Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })`
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${versions}`, main], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { code, out, err } = await ended(child)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^veche needs Node 22\.15 or newer, and this is Node 20\.20\.2\./)
})
