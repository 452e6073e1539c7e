/** Uploads, downloads and slow readers: raw bytes between lines, and bounds in both directions. */
import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { type ControlFixture, RawClient, startFixture } from '../support/control.ts'

let fixture: ControlFixture
let client: RawClient

beforeEach(async () => {
  fixture = await startFixture({ watchStuckMs: 50 })
  client = await RawClient.open(fixture.path)
})

afterEach(async () => {
  client.close()
  await fixture.stop()
})

/** Waits for something that happens on the other side of the socket, without a clock. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

describe('upload', () => {
  test('takes exactly its bytes, and the next line begins after them', async () => {
    const payload = randomBytes(3_000_000)
    client.request(1, 'upload', { id: 'big', size: payload.length })
    client.write(payload)
    client.request(2, 'status')
    const answers = [await client.answer(), await client.answer()]
    const upload = answers.find(answer => answer.id === 1)
    expect(upload?.result).toMatchObject({
      size: payload.length,
      blob: createHash('sha256').update(payload).digest('hex'),
    })
    expect(answers.find(answer => answer.id === 2)?.result?.name).toBe('twin')
  })

  test('of no bytes is a payload of no bytes', async () => {
    const { result } = await client.call('upload', { id: 'empty', size: 0 })
    expect(result).toMatchObject({ size: 0 })
  })

  test('that is refused throws its bytes away and leaves the connection in step', async () => {
    client.request(1, 'upload', { id: '', size: 2_500_000 })
    client.write(Buffer.alloc(2_500_000, '{"jsonrpc":"2.0","id":9,"method":"status"}\n'))
    expect((await client.answer()).error?.data.code).toBe('BAD_REQUEST')
    expect(await client.call('status')).toMatchObject({ id: 'call', result: { facts: 0 } })
  })

  test('with a wrong parameter beside its size is refused and keeps in step', async () => {
    client.request(1, 'upload', { id: 'a', size: 5, text: 'x' })
    client.write('12345')
    expect((await client.answer()).error?.data).toMatchObject({ parameter: 'text' })
    expect((await client.call('status')).result?.facts).toBe(0)
  })

  test.each([undefined, '5', -1, 1.5])('with the size %j ends the connection', async size => {
    client.request(1, 'upload', { id: 'a', size })
    client.write('{"jsonrpc":"2.0","id":2,"method":"put","params":{"id":"x","text":"1"}}\n')
    expect((await client.answer()).error?.data).toMatchObject({ parameter: 'size' })
    await client.over()
    expect((await fixture.member.status({})).facts).toBe(0)
  })

  test('whose client goes away in the middle stores nothing', async () => {
    client.request(1, 'upload', { id: 'a', size: 1_000_000 })
    client.write(Buffer.alloc(400_000))
    await until(() => fixture.member.writesBegun === 1)
    client.close()
    await fixture.server.close()
    expect((await fixture.member.status({})).facts).toBe(0)
  })

  test('whose sending side ends in the middle is answered with an error', async () => {
    client.request(1, 'upload', { id: 'a', size: 10 })
    client.socket.end('12345')
    expect((await client.answer()).error?.data.code).toBe('CLOSED')
    expect((await fixture.member.status({})).facts).toBe(0)
  })

  test('holds only a bounded part of its bytes before a member that does not take them', async () => {
    let release = () => {}
    const taken = new Promise<void>(resolve => {
      release = resolve
    })
    let pieces = 0
    fixture.member.upload = async (request, source) => {
      for await (const piece of source) {
        pieces += piece.length
        await taken
      }
      return fixture.member.put({ ...request, payload: new Uint8Array() })
    }
    const size = 64 * 1024 * 1024
    client.request(1, 'upload', { id: 'a', size })
    const flushed = new Promise<void>(resolve =>
      client.socket.write(Buffer.alloc(size), () => resolve()),
    )
    await until(() => pieces > 0)
    // The kernel's buffer and the channel are full long before 64 MiB: most is still with us.
    for (let turn = 0; turn < 1000; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(4 * 1024 * 1024)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    release()
    await flushed
    await client.answer()
    expect(pieces).toBe(size)
  })
})

describe('download', () => {
  test('gives the header and exactly the bytes, apart from other answers', async () => {
    const payload = randomBytes(5_000_000)
    await fixture.member.put({ id: 'big', payload, type: 'image/png' })
    client.request('d', 'download', { id: 'big' })
    for (let n = 0; n < 100; n++) client.request(n, 'status')
    let answer = await client.answer()
    let others = 0
    while (answer.id !== 'd') {
      others++
      answer = await client.answer()
    }
    expect(answer.result).toMatchObject({ size: payload.length, type: 'image/png' })
    expect((await client.bytes(payload.length)).equals(payload)).toBe(true)
    for (; others < 100; others++) expect((await client.answer()).result?.name).toBe('twin')
  })

  test('two at once come one after the other', async () => {
    const [a, b] = [randomBytes(1_000_000), randomBytes(1_000_001)]
    await fixture.member.put({ id: 'a', payload: a, type: 'x/y' })
    await fixture.member.put({ id: 'b', payload: b, type: 'x/y' })
    client.request(1, 'download', { id: 'a' })
    client.request(2, 'download', { id: 'b' })
    for (let n = 0; n < 2; n++) {
      const { id, result } = await client.answer()
      const bytes = await client.bytes(result?.size as number)
      expect(bytes.equals(id === 1 ? a : b)).toBe(true)
    }
  })

  test('of an unknown item is an error line and the connection goes on', async () => {
    expect((await client.call('download', { id: 'none' })).error?.data.code).toBe('NOT_FOUND')
    expect((await client.call('status')).result?.name).toBe('twin')
  })

  test('that breaks off cuts the connection, so that a part is never taken for the whole', async () => {
    const { header } = await fixture.member
      .put({ id: 'a', payload: randomBytes(10), type: 'x/y' })
      .then(() => fixture.member.get({ id: 'a' }, 10))
    fixture.member.download = async () => ({
      header,
      stream: (async function* () {
        yield new Uint8Array(5)
      })(),
    })
    client.request(1, 'download', { id: 'a' })
    expect((await client.answer()).result?.size).toBe(10)
    expect(await client.bytes(5)).toHaveLength(5)
    await client.over()
    expect(fixture.reports).toHaveLength(1)
  })

  test('a payload above the bound of get is refused with the way out', async () => {
    const payload = new Uint8Array(limits.getPayloadBytesMax + 1)
    await fixture.member.put({ id: 'huge', payload, type: 'x/y' })
    const { error } = await client.call('get', { id: 'huge' })
    expect(error?.data).toMatchObject({ code: 'TOO_LARGE', size: payload.length })
    expect(error?.message).toContain('download')
  })
})

describe('a client that stops reading', () => {
  test('is not read from beyond a bound, and gets every answer when it reads on', async () => {
    const payload = randomBytes(60_000)
    await fixture.member.put({ id: 'a', payload, type: 'x/y' })
    client.socket.pause()
    let asked = 0
    const get = fixture.member.get.bind(fixture.member)
    fixture.member.get = (params, max) => {
      asked++
      return get(params, max)
    }
    const total = 5000
    for (let n = 0; n < total; n++) client.request(n, 'get', { id: 'a' })
    for (let turn = 0; turn < 2000; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(asked).toBeLessThan(limits.socketRequestsMax * 2)
    client.socket.resume()
    const ids = new Set<unknown>()
    for (let n = 0; n < total; n++) ids.add((await client.answer()).id)
    expect(ids.size).toBe(total)
  })

  test('of a watch is cut after a bound, and the member has nothing to hold', async () => {
    await client.call('watch', { since: '0' })
    client.socket.pause()
    const description = 'x'.repeat(1000)
    for (let n = 0; n < 20_000; n++)
      fixture.member.log.add({ kind: 'problem', reason: 'test', sentence: description })
    await until(() => fixture.member.log.open === 0)
    client.socket.resume()
    await client.over()
  })
})

describe('watch', () => {
  test('answers its number first, then events with cursors, and goes on after one', async () => {
    const { result } = await client.call('watch', {})
    expect(result?.watch).toBe(1)
    await fixture.member.put({ id: 'a', payload: new Uint8Array(), type: 'x/y' })
    const { method, params } = await client.answer()
    expect(method).toBe('event')
    expect(params).toMatchObject({ watch: 1, kind: 'added', id: 'a' })
    await fixture.member.put({ id: 'b', payload: new Uint8Array(), type: 'x/y' })
    const other = await RawClient.open(fixture.path)
    await other.call('watch', { since: params?.cursor })
    expect((await other.answer()).params).toMatchObject({ id: 'b' })
    other.close()
  })

  test('of a cursor that is no longer kept is EXPIRED', async () => {
    for (const id of ['a', 'b', 'c'])
      await fixture.member.put({ id, payload: new Uint8Array(), type: 'x/y' })
    fixture.member.log.trim(2)
    expect((await client.call('watch', { since: '1' })).error?.data).toMatchObject({
      code: 'EXPIRED',
      oldest: '2',
    })
    expect((await client.call('watch', { since: '2' })).result?.watch).toBe(1)
  })

  test('ends with its connection', async () => {
    await client.call('watch', {})
    expect(fixture.member.log.open).toBe(1)
    client.close()
    await until(() => fixture.member.log.open === 0)
  })
})
