/** The control socket as an independent client meets it: bytes in, bytes out. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { startControlServer } from '../../src/control/server.ts'
import { type ControlFixture, RawClient, startFixture } from '../support/control.ts'
import { MemoryMember, TWIN_UUID } from '../support/memory-member.ts'

let fixture: ControlFixture
let client: RawClient

beforeEach(async () => {
  fixture = await startFixture()
  client = await RawClient.open(fixture.path)
})

afterEach(async () => {
  client.close()
  await fixture.stop()
  expect(fixture.reports).toEqual([])
})

describe('requests', () => {
  test('a put is answered with version, hashes, level and holders', async () => {
    const { result } = await client.call('put', { id: 'a/b', text: 'hello' })
    expect(result).toMatchObject({ id: 'a/b', size: 5, level: 'majority', heldBy: [TWIN_UUID] })
    expect(result?.blob).toBe(createHash('sha256').update('hello').digest('hex'))
  })

  test('get answers text, json or base64 by media type, and in the form that is forced', async () => {
    await client.call('put', { id: 't', text: 'ü' })
    await client.call('put', { id: 'j', json: { b: [1, null] } })
    await client.call('put', { id: 'n', json: null })
    await client.call('put', { id: 'x', base64: '/w==' })
    await client.call('put', { id: 'broken', base64: '/w==', type: 'text/plain' })
    expect((await client.call('get', { id: 't' })).result).toMatchObject({
      text: 'ü',
      type: 'text/plain',
    })
    expect((await client.call('get', { id: 'j' })).result).toMatchObject({ json: { b: [1, null] } })
    expect((await client.call('get', { id: 'n' })).result).toMatchObject({ json: null })
    expect((await client.call('get', { id: 'x' })).result).toMatchObject({
      base64: '/w==',
      type: 'application/octet-stream',
    })
    expect((await client.call('get', { id: 't', as: 'base64' })).result?.base64).toBe('w7w=')
    expect((await client.call('get', { id: 'broken' })).result?.base64).toBe('/w==')
    expect((await client.call('get', { id: 'broken', as: 'text' })).error?.data).toMatchObject({
      code: 'BAD_REQUEST',
      parameter: 'as',
    })
  })

  test('two requests in one packet are both answered', async () => {
    const line = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"status"}\n`
    client.write(line(1) + line(2))
    const ids = [(await client.answer()).id, (await client.answer()).id]
    expect(ids).toEqual([1, 2])
  })

  test('a request in many packets, cut inside a character, is one request', async () => {
    const bytes = Buffer.from(
      '{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"é","text":"é"}}\n',
    )
    for (const byte of bytes) {
      client.write(Uint8Array.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect((await client.answer()).result).toMatchObject({ id: 'é', size: 2 })
  })

  test('answers come in the order of completion', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    fixture.member.hold = promise
    client.request('slow', 'put', { id: 'a', text: '1' })
    client.request('fast', 'status')
    expect((await client.answer()).id).toBe('fast')
    resolve()
    expect((await client.answer()).id).toBe('slow')
  })

  test('puts on one id in one packet are chained in the order of their lines', async () => {
    const line = (n: number) =>
      `{"jsonrpc":"2.0","id":${n},"method":"put","params":{"id":"a","text":"${n}"}}\n`
    client.write([1, 2, 3, 4, 5].map(line).join(''))
    for (let n = 1; n <= 5; n++) await client.answer()
    const { result } = await client.call('history', { id: 'a' })
    const facts = result?.facts as { position: number; blob: string }[]
    expect(facts.map(fact => fact.position)).toEqual([5, 4, 3, 2, 1])
    expect(facts[0]?.blob).toBe(createHash('sha256').update('5').digest('hex'))
  })

  test('a notification is executed and not answered', async () => {
    client.write('{"jsonrpc":"2.0","method":"put","params":{"id":"a","text":"1"}}\n')
    expect((await client.call('get', { id: 'a' })).result?.text).toBe('1')
  })

  test('a client that ends its sending side still gets its answers', async () => {
    client.request(1, 'put', { id: 'a', text: '1' })
    client.socket.end()
    expect((await client.answer()).result?.id).toBe('a')
    await client.over()
  })

  test('a reader that sends ten thousand requests at once gets ten thousand answers', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, n) => `{"jsonrpc":"2.0","id":${n},"method":"put","params":{"id":"k${n}","text":"v"}}\n`,
    )
    client.write(lines.join(''))
    const ids = new Set<unknown>()
    for (let n = 0; n < 10_000; n++) ids.add((await client.answer()).id)
    expect(ids.size).toBe(10_000)
  })

  test('verify tells its progress with the id of its request', async () => {
    client.request('v', 'verify')
    const first = await client.answer()
    expect(first).toMatchObject({ method: 'progress', params: { request: 'v', phase: 'payloads' } })
    let last = first
    while (last.method !== undefined) last = await client.answer()
    expect(last).toMatchObject({ id: 'v', result: { ok: true } })
  })
})

describe('the socket file', () => {
  test('only its owner may open it, from the first moment on', async () => {
    const { mode } = await stat(fixture.path)
    expect(mode & 0o777).toBe(0o600)
  })

  test('a second daemon is refused and the first one serves on', async () => {
    const { path } = fixture
    const second = startControlServer({ path, service: new MemoryMember(), report: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'IN_USE' })
    expect((await client.call('status')).result?.name).toBe('twin')
  })

  test('a file that is no socket is refused and left alone', async () => {
    const path = join(fixture.folder, 'precious')
    await writeFile(path, 'x')
    const second = startControlServer({ path, service: new MemoryMember(), report: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'IN_USE' })
    expect((await stat(path)).size).toBe(1)
  })

  test('a socket left by a dead daemon is replaced', async () => {
    const path = join(fixture.folder, 'stale')
    const { execFileSync } = await import('node:child_process')
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    expect(() => execFileSync(process.execPath, ['-e', script])).toThrow()
    expect((await stat(path)).isSocket()).toBe(true)
    const server = await startControlServer({
      path,
      service: new MemoryMember(),
      report: () => {},
    })
    const other = await RawClient.open(path)
    expect((await other.call('status')).result?.name).toBe('twin')
    other.close()
    await server.close()
  })

  test('a store may lie deeper than the path of a socket reaches', async () => {
    const deep = join(fixture.folder, 'x'.repeat(100), 'y'.repeat(100))
    await mkdir(deep, { recursive: true })
    const path = join(deep, 'control.sock')
    const server = await startControlServer({
      path,
      service: new MemoryMember(),
      report: () => {},
    })
    expect((await stat(path)).isSocket()).toBe(true)
    const second = startControlServer({ path, service: new MemoryMember(), report: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'IN_USE' })
    const other = await connect({ store: deep })
    expect((await other.status()).name).toBe('twin')
    await other.close()
    await server.close()
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(connect({ store: deep })).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  })

  test('stopping answers what is at work, and the socket is gone', async () => {
    const other = await startFixture()
    const raw = await RawClient.open(other.path)
    const { promise, resolve } = Promise.withResolvers<void>()
    other.member.hold = promise
    raw.request(1, 'put', { id: 'a', text: '1' })
    const begun = async () => {
      while (other.member.writesBegun === 0) await new Promise(r => setImmediate(r))
    }
    await begun()
    const closed = other.server.close(10_000)
    resolve()
    expect((await raw.answer()).result?.id).toBe('a')
    await closed
    await expect(stat(other.path)).rejects.toMatchObject({ code: 'ENOENT' })
    await other.stop()
  })

  test('a live foreign server on the path is not replaced', async () => {
    const path = join(fixture.folder, 'foreign')
    const foreign = createServer().listen(path)
    await once(foreign, 'listening')
    const second = startControlServer({ path, service: new MemoryMember(), report: () => {} })
    await expect(second).rejects.toMatchObject({ code: 'IN_USE' })
    foreign.close()
  })
})
