/** Bad input at the control socket: each with a clear error, and nothing lost or changed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ControlFixture, RawClient, startFixture } from '../support/control.ts'

let fixture: ControlFixture
let client: RawClient

beforeEach(async () => {
  fixture = await startFixture({ lineBytesMax: 10_000, watchStuckMs: 50 })
  client = await RawClient.open(fixture.path)
})

afterEach(async () => {
  client.close()
  const other = await RawClient.open(fixture.path)
  const { result } = await other.call('status')
  expect(result?.facts).toBe(factsExpected)
  factsExpected = 0
  other.close()
  await fixture.stop()
  expect(fixture.reports).toEqual([])
})

/** Facts that the test itself meant to write. */
let factsExpected = 0

describe('lines', () => {
  const broken: readonly [string, string | Uint8Array, number][] = [
    ['no JSON', 'hello\n', -32700],
    ['half a line of JSON', '{"jsonrpc":"2.0","id":1,\n', -32700],
    ['invalid UTF-8', Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', 'latin1'), -32700],
    ['a number', '1\n', -32600],
    ['null', 'null\n', -32600],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"status"}]\n', -32600],
    ['no version of JSON-RPC', '{"id":1,"method":"status"}\n', -32600],
    ['no method', '{"jsonrpc":"2.0","id":1}\n', -32600],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["put"]}\n', -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"status"}\n', -32600],
  ]
  test.each(broken)(
    '%s is answered with an error and the next line is served',
    async (_, bytes, code) => {
      client.write(bytes)
      const { error } = await client.answer()
      expect(error?.code).toBe(code)
      expect(error?.data.code).toBe('BAD_REQUEST')
      expect((await client.call('status')).result?.name).toBe('twin')
    },
  )

  test('empty lines and carriage returns are passed over', async () => {
    client.write('\n\r\n{"jsonrpc":"2.0","id":1,"method":"status"}\r\n')
    expect((await client.answer()).id).toBe(1)
  })

  test('half a line before the end of the connection is not executed', async () => {
    client.write('{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"a","text":"1"}}')
    client.socket.end()
    expect((await client.answer()).error?.data.code).toBe('BAD_REQUEST')
    await client.over()
  })

  test('a line of the longest allowed length is served, one byte more ends the connection', async () => {
    const start = '{"jsonrpc":"2.0","id":1,"method":"status","params":{}'
    const line = (length: number) => `${start}${' '.repeat(length - start.length - 1)}}`
    client.write(`${line(10_000)}\n`)
    expect((await client.answer()).result?.name).toBe('twin')
    client.write(`${line(10_001)}\n`)
    const { error } = await client.answer()
    expect(error?.data).toMatchObject({ code: 'TOO_LARGE', limit: 10_000 })
    await client.over()
  })

  test('an endless line ends the connection before it is whole', async () => {
    client.write('x'.repeat(20_000))
    expect((await client.answer()).error?.data.code).toBe('TOO_LARGE')
    await client.over()
  })

  test('a line that is too long does not cost the answers before it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    fixture.member.hold = promise
    factsExpected = 1
    client.request('put', 'put', { id: 'a', text: '1' })
    client.write('x'.repeat(20_000))
    expect((await client.answer()).error?.data.code).toBe('TOO_LARGE')
    resolve()
    expect((await client.answer()).id).toBe('put')
  })
})

describe('methods and parameters', () => {
  test('an unknown method is named', async () => {
    const { error } = await client.call('frobnicate', {})
    expect(error).toMatchObject({ code: -32601, data: { code: 'UNKNOWN_METHOD' } })
    expect(error?.message).toContain('frobnicate')
  })

  test.each(['backup', 'restore', 'compact'])('%s is said to come later', async method => {
    const { error } = await client.call(method)
    expect(error?.data.code).toBe('UNKNOWN_METHOD')
    expect(error?.message).toContain('This version')
  })

  test.each(['__proto__', 'constructor', 'toString'])('%s is no method', async method => {
    expect((await client.call(method)).error?.data.code).toBe('UNKNOWN_METHOD')
  })

  const wrong: readonly [string, string, string, string][] = [
    ['an unknown parameter', 'put', '{"id":"a","text":"1","ifversion":"x"}', 'ifversion'],
    ['a missing id', 'put', '{"text":"1"}', 'id'],
    ['an id that is a number', 'get', '{"id":7}', 'id'],
    ['an id that is null', 'get', '{"id":null}', 'id'],
    ['an id with half a surrogate pair', 'put', '{"id":"\\ud800","text":"1"}', 'id'],
    ['a text with half a surrogate pair', 'put', '{"id":"a","text":"\\udc00"}', 'text'],
    ['no payload', 'put', '{"id":"a"}', 'text'],
    ['two payloads', 'put', '{"id":"a","text":"1","json":1}', 'json'],
    ['a payload that is null', 'put', '{"id":"a","text":null}', 'text'],
    ['base64 with a foreign letter', 'put', '{"id":"a","base64":"ab-_"}', 'base64'],
    ['base64 without padding', 'put', '{"id":"a","base64":"YQ"}', 'base64'],
    ['tags that are a text', 'put', '{"id":"a","text":"1","tags":"x"}', 'tags'],
    ['a tag that is a number', 'put', '{"id":"a","text":"1","tags":[1]}', 'tags'],
    ['a version that is no hash', 'get', '{"id":"a","version":"ABC"}', 'version'],
    ['ifVersion that is no hash', 'put', '{"id":"a","text":"1","ifVersion":"1"}', 'ifVersion'],
    ['ifVersion null where nothing is made', 'delete', '{"id":"a","ifVersion":null}', 'ifVersion'],
    ['an unknown level', 'put', '{"id":"a","text":"1","wait":"forever"}', 'wait'],
    ['a negative time-out', 'put', '{"id":"a","text":"1","timeoutMs":-1}', 'timeoutMs'],
    ['a fraction as a limit', 'list', '{"limit":1.5}', 'limit'],
    ['a limit of zero', 'list', '{"limit":0}', 'limit'],
    ['parameters in a list', 'get', '["a"]', 'params'],
    ['parameters that are null', 'get', 'null', 'params'],
    ['version and at together', 'get', `{"id":"a","version":"${'0'.repeat(64)}","at":1}`, 'at'],
    ['keep and a payload', 'resolve', '{"id":"a","keep":"a~1","text":"1"}', 'text'],
    ['neither keep nor payload', 'resolve', '{"id":"a"}', 'keep'],
    ['a form that is none', 'get', '{"id":"a","as":"xml"}', 'as'],
    ['__proto__ as a parameter', 'get', '{"id":"a","__proto__":{}}', '__proto__'],
    ['meta that is nested too deep', 'put', `{"id":"a","text":"1","meta":${nested(33)}}`, 'meta'],
    ['a parameter of a method that takes none', 'members', '{"all":true}', 'all'],
  ]
  test.each(wrong)('%s is refused and named', async (_, method, params, parameter) => {
    client.write(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}\n`)
    const { error } = await client.answer()
    expect(error?.code).toBe(-32602)
    expect(error?.data).toMatchObject({ code: 'BAD_REQUEST', parameter })
    expect(error?.message).toContain(`"${parameter}"`)
  })

  test('meta at the deepest allowed nesting is taken', async () => {
    factsExpected = 1
    client.write(
      `{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"a","text":"1","meta":${nested(32)}}}\n`,
    )
    expect((await client.answer()).result?.id).toBe('a')
  })

  test('JSON that is nested beyond measure is refused or stored, never a crash', async () => {
    client.write(
      `{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"a","json":${nested(4000)}}}\n`,
    )
    const { result } = await client.answer()
    expect(result?.size).toBe(8000)
    factsExpected = 1
  })

  const badIds = ['', '\u0000', 'a\nb', '../a', 'a/./b', 'x'.repeat(1025), 'a~', 'a~x', 'a~1b']
  test.each(badIds)('the id %j is refused', async id => {
    const { error } = await client.call('put', { id, text: '1' })
    expect(error?.data).toMatchObject({ code: 'BAD_REQUEST', parameter: 'id' })
  })

  test('ifVersion of an old head fails with the head and changes nothing', async () => {
    const first = await client.call('put', { id: 'a', text: '1' })
    const second = await client.call('put', { id: 'a', text: '2' })
    factsExpected = 2
    const { error } = await client.call('put', {
      id: 'a',
      text: '3',
      ifVersion: first.result?.version,
    })
    expect(error?.data).toEqual({ code: 'VERSION_MISMATCH', head: second.result?.version })
  })

  test('ifVersion null writes what is not there, and what was deleted, and nothing over a live item', async () => {
    const write = (text: string) => client.call('put', { id: 'a', text, ifVersion: null })
    const first = await write('1')
    const { error } = await write('2')
    expect(error?.data).toEqual({ code: 'VERSION_MISMATCH', head: first.result?.version })
    await client.call('delete', { id: 'a' })
    expect((await write('3')).error).toBeUndefined()
    factsExpected = 3
  })

  test('a split id answers SPLIT with the new ids', async () => {
    fixture.member.collide('r', { 'r~3': 'left', 'r~a': 'right' })
    factsExpected = 2
    const { error } = await client.call('get', { id: 'r' })
    expect(error).toMatchObject({ code: -32002, data: { code: 'SPLIT', ids: ['r~3', 'r~a'] } })
  })

  test('a fault of the member is INTERNAL, without its particulars, and is reported', async () => {
    fixture.member.members = () => Promise.reject(new TypeError('secret'))
    const { error } = await client.call('members')
    expect(error?.data).toEqual({ code: 'INTERNAL' })
    expect(error?.message).not.toContain('secret')
    expect(fixture.reports.splice(0)).toHaveLength(1)
  })
})

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}
