/**
 * Wrong input on the socket of a real daemon, from an independent client: each is refused with a
 * clear error, and nothing that the member holds has changed by it.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { JsonClient, type RpcFailure } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'
import { MiB, memoryOf } from '../support/large.ts'

let lab: Lab
let member: LabMember
let socket: JsonClient
let first: string
let head: string

async function counts() {
  const { items, facts, pending, status: own } = await status(member)
  const { hash } = await member.call<{ hash: string }>('verify')
  return { items, facts, pending, own, hash }
}

let before: Awaited<ReturnType<typeof counts>>

beforeAll(async () => {
  lab = Lab.create({ members: 1, namespaces: false })
  member = lab.members[0]!
  await lab.form()
  socket = await JsonClient.open(member.socket)
  first = (await socket.call<{ version: string }>('put', { id: 'kept', text: 'one' })).version
  head = (await socket.call<{ version: string }>('put', { id: 'kept', text: 'two' })).version
  await lab.allSource()
})

afterAll(async () => {
  socket?.close()
  await lab?.end()
})

beforeEach(async () => {
  before = await counts()
})

afterEach(async () => {
  expect(await counts()).toEqual(before)
})

/** A sentence that a person can act on, and a code for programs. */
function expectClear(error: RpcFailure, code: string): void {
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/^.{10,}\.$/su)
}

describe('ids', () => {
  test.each<[string, string]>([
    ['empty', ''],
    ['over 1 KiB', 'x'.repeat(1025)],
    ['over 1 KiB in bytes', 'ä'.repeat(513)],
    ['a control character', 'a\u0007b'],
    ['a line end', 'a\nb'],
    ['a segment .', 'a/./b'],
    ['a segment ..', '../b'],
    ['an empty segment', 'a//b'],
    ['half of a surrogate pair', 'a\ud800'],
    ['a single tilde', 'a~'],
    ['a tilde with no hex digit', 'a~g'],
    ['a split step in the middle', 'a~3/b'],
    ['an odd run of tildes', 'a~~~'],
  ])('%s is refused by every method that takes one', async (_, id) => {
    for (const [method, params] of [
      ['put', { id, text: 'x' }],
      ['delete', { id }],
      ['get', { id }],
      ['head', { id }],
      ['history', { id }],
      ['links', { id }],
      ['resolve', { id, text: 'x' }],
      ['download', { id }],
    ] as const) {
      expectClear(await socket.refusal(method, params), 'BAD_REQUEST')
    }
  })

  test('bytes that are no UTF-8 are refused, and the connection goes on', async () => {
    const line = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"put","params":{"text":"x","id":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}}\n'),
    ])
    socket.socket.write(line)
    await until('it is answered', async () => socket.strays.length === 1)
    expect(socket.strays.pop()?.error).toMatchObject({ code: -32700, message: /UTF-8/ })
    expect(await socket.call('get', { id: 'kept' })).toMatchObject({ text: 'two' })
  })

  test('a write to a split item that was never known is NOT_FOUND', async () => {
    expectClear(await socket.refusal('put', { id: 'kept~3', text: 'x' }), 'NOT_FOUND')
    expectClear(await socket.refusal('delete', { id: 'nothing~a' }), 'NOT_FOUND')
  })
})

describe('requests', () => {
  test.each<[string, string, unknown, string]>([
    ['an unknown method', 'putt', {}, 'UNKNOWN_METHOD'],
    ['a method of later', 'backup', {}, 'UNKNOWN_METHOD'],
    ['a name of the language', 'constructor', {}, 'UNKNOWN_METHOD'],
    ['an unknown parameter', 'put', { id: 'a', text: 'x', ifversion: 'y' }, 'BAD_REQUEST'],
    ['parameters by position', 'get', ['kept'], 'BAD_REQUEST'],
    ['a missing parameter', 'put', { text: 'x' }, 'BAD_REQUEST'],
    ['no payload', 'put', { id: 'a' }, 'BAD_REQUEST'],
    ['two payloads', 'put', { id: 'a', text: 'x', json: 1 }, 'BAD_REQUEST'],
    ['a number for an id', 'put', { id: 7, text: 'x' }, 'BAD_REQUEST'],
    ['a text for a number', 'list', { limit: '10' }, 'BAD_REQUEST'],
    ['a limit of zero', 'list', { limit: 0 }, 'BAD_REQUEST'],
    ['a time with a fraction', 'get', { id: 'kept', at: 1.5 }, 'BAD_REQUEST'],
    ['no base64', 'put', { id: 'a', base64: '###' }, 'BAD_REQUEST'],
    ['an unknown level', 'put', { id: 'a', text: 'x', wait: 'all' }, 'BAD_REQUEST'],
    ['an upper-case version', 'get', { id: 'kept', version: 'A'.repeat(64) }, 'BAD_REQUEST'],
    ['an unknown version', 'get', { id: 'kept', version: 'a'.repeat(64) }, 'NOT_FOUND'],
    ['an unknown item', 'get', { id: 'nowhere' }, 'NOT_FOUND'],
    ['a cursor of nobody', 'watch', { since: 'yesterday' }, 'BAD_REQUEST'],
    ['a delete of nothing', 'delete', { id: 'nowhere' }, 'NOT_FOUND'],
    ['a member that is none', 'remove', { member: 'nobody' }, 'NOT_FOUND'],
    ['a resolution of what is whole', 'resolve', { id: 'kept', keep: 'kept~3' }, 'BAD_REQUEST'],
  ])('%s', async (_, method, params, code) => {
    expectClear(await socket.refusal(method, params), code)
  })

  test('ifVersion of an old head is refused with the head, by put, delete and upload', async () => {
    const stale = { id: 'kept', ifVersion: first }
    const refusals = [
      await socket.refusal('put', { ...stale, text: 'three' }),
      await socket.refusal('delete', stale),
      await socket
        .upload({ ...stale, size: 2 }, Buffer.from('xx'))
        .catch((error: RpcFailure) => error),
    ] as RpcFailure[]
    for (const refusal of refusals) {
      expectClear(refusal, 'VERSION_MISMATCH')
      expect(JSON.stringify(refusal.data)).toContain(head)
    }
  })

  test('ifVersion null is refused with the head where there is an item, by put and upload', async () => {
    const absent = { id: 'kept', ifVersion: null }
    const refusals = [
      await socket.refusal('put', { ...absent, text: 'three' }),
      await socket
        .upload({ ...absent, size: 2 }, Buffer.from('xx'))
        .catch((error: RpcFailure) => error),
    ] as RpcFailure[]
    for (const refusal of refusals) {
      expectClear(refusal, 'VERSION_MISMATCH')
      expect(JSON.stringify(refusal.data)).toContain(head)
    }
  })

  test('properties beyond their limits are refused', async () => {
    for (const wrong of [
      { type: `text/${'x'.repeat(300)}` },
      { tags: Array.from({ length: 65 }, (_, at) => `t${at}`) },
      { tags: ['x'.repeat(257)] },
      { description: 'x'.repeat(8 * 1024 + 1) },
      { meta: 'x'.repeat(16 * 1024 + 1) },
      { dependsOn: [''] },
      { dependsOn: Array.from({ length: 1001 }, (_, at) => `d${at}`) },
    ]) {
      expectClear(await socket.refusal('put', { id: 'a', text: 'x', ...wrong }), 'BAD_REQUEST')
    }
  })
})

describe('lines', () => {
  test('two requests in one packet are answered both', async () => {
    const one = socket.expect<{ text: string }>(false)
    const two = socket.expect<{ version: string }>(false)
    const line = (id: number, method: string) =>
      `${JSON.stringify({ jsonrpc: '2.0', id, method, params: { id: 'kept' } })}\n`
    socket.socket.write(line(one.id, 'get') + line(two.id, 'head'))
    expect((await one.answer).text).toBe('two')
    expect((await two.answer).version).toBe(head)
  })

  test('a request in many packets is one request', async () => {
    const { id, answer } = socket.expect<{ text: string }>(false)
    const line = `${JSON.stringify({ jsonrpc: '2.0', id, method: 'get', params: { id: 'kept' } })}\n`
    for (const byte of Buffer.from(line)) {
      await new Promise(resolve => socket.socket.write(Buffer.from([byte]), resolve))
    }
    expect((await answer).text).toBe('two')
  })

  test.each<[string, string]>([
    ['no JSON', 'put me in\n'],
    ['half of an object', '{"jsonrpc":"2.0","id":1,"method":"put","par\n'],
    ['a list', '[{"jsonrpc":"2.0","id":1,"method":"status"}]\n'],
    ['a number', '7\n'],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":"x","method":"status"}\n'],
  ])('%s is answered by an error, and the connection goes on', async (_, line) => {
    socket.socket.write(line)
    await until('it is answered', async () => socket.strays.length === 1)
    const { error } = socket.strays.pop()!
    expect([-32700, -32600]).toContain(error.code)
    expect(await socket.call('get', { id: 'kept' })).toMatchObject({ text: 'two' })
  })

  test('half a line before the end of the connection is not executed', async () => {
    const client = await JsonClient.open(member.socket)
    client.socket.end('{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"half","text":"x"}}')
    await client.closed
    expectClear(await socket.refusal('get', { id: 'half' }), 'NOT_FOUND')
  })

  test('half an upload before the end of the connection stores nothing', async () => {
    const client = await JsonClient.open(member.socket)
    const upload = client.upload({ id: 'half', size: MiB }, Buffer.alloc(MiB / 2))
    client.socket.end()
    await expect(upload).rejects.toThrow()
    expectClear(await socket.refusal('get', { id: 'half' }), 'NOT_FOUND')
  })

  test('a line over the limit is refused, without being held whole', async () => {
    const client = await JsonClient.open(member.socket)
    const piece = Buffer.alloc(MiB, 'x')
    const held = memoryOf(member.pid).now
    for (let at = 0; at <= limits.lineBytesMax && !client.socket.destroyed; at += piece.length) {
      await new Promise(resolve => client.socket.write(piece, resolve))
    }
    await client.closed
    expect(client.strays[0]?.error).toMatchObject({ data: { code: 'TOO_LARGE' } })
    expect(memoryOf(member.pid).now - held).toBeLessThan(128 * MiB)
  })
})

test('a client that stops reading costs bounded memory, hinders nobody, and gets all when it reads on', async () => {
  const text = 'x'.repeat(256 * 1024)
  await socket.call('put', { id: 'wide', text })
  await lab.allSource()
  before = await counts()
  const lazy = await JsonClient.open(member.socket)
  lazy.socket.pause()
  const held = memoryOf(member.pid).now
  const answers = Array.from({ length: 1000 }, () =>
    lazy.call<{ size: number }>('get', { id: 'wide' }),
  )
  for (let at = 0; at < 20; at++) {
    expect(await socket.call('get', { id: 'kept' })).toMatchObject({ text: 'two' })
  }
  expect(memoryOf(member.pid).now - held).toBeLessThan(128 * MiB)
  lazy.socket.resume()
  const sizes = new Set((await Promise.all(answers)).map(({ size }) => size))
  expect([...sizes]).toEqual([text.length])
  lazy.close()
})
