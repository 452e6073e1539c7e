/**
 * Programs on the control socket that are slow, many, or gone in the middle: what they can make the
 * member hold, and that the others notice nothing. Lines that are wrong: test/control/bad-input.test.ts;
 * a reader that stops: test/system/bad-input.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { type ControlFixture, RawClient, startFixture } from '../support/control.ts'
import { heldBytes } from '../support/held-memory.ts'

let fixture: ControlFixture
beforeEach(async () => {
  fixture = await startFixture()
})
afterEach(async () => {
  await fixture.stop()
  expect(fixture.reports).toEqual([])
})

const MIB = 1024 * 1024

async function isServed(client: RawClient): Promise<void> {
  expect((await client.call('status')).result?.name).toBe('twin')
}

describe('many programs at once', () => {
  test('a thousand sessions with half a line each hold little and hinder nobody', async () => {
    const first = await RawClient.open(fixture.path)
    const before = heldBytes()
    const many: RawClient[] = []
    for (let n = 0; n < 1000; n++) {
      const client = await RawClient.open(fixture.path)
      client.write('{"jsonrpc":"2.0","id":1,"method":"st')
      many.push(client)
    }
    await isServed(first)
    expect(heldBytes() - before).toBeLessThan(64 * MIB)
    for (const client of many) client.write('atus"}\n')
    for (const client of many) expect((await client.answer()).result?.name).toBe('twin')
    for (const client of many) client.close()
    await isServed(first)
    first.close()
  })

  test('beyond the most connections new ones are closed, and the old ones are served', async () => {
    const many: RawClient[] = []
    for (let n = 0; n < limits.socketConnectionsMax; n++)
      many.push(await RawClient.open(fixture.path))
    const extra = await RawClient.open(fixture.path)
    await extra.over()
    await isServed(many[0]!)
    await isServed(many.at(-1)!)
    for (const client of [...many, extra]) client.close()
  })
})

describe('a program that is gone', () => {
  test('in the middle of its answers costs nobody anything, a hundred times', async () => {
    const text = 'x'.repeat(50_000)
    const first = await RawClient.open(fixture.path)
    await first.call('put', { id: 'large', text })
    for (let n = 0; n < 100; n++) {
      const client = await RawClient.open(fixture.path)
      for (let id = 0; id < 50; id++) client.request(id, 'get', { id: 'large' })
      await client.bytes(1000)
      client.close()
    }
    await isServed(first)
    first.close()
  })

  test('in the middle of an upload, of a download and of a watch leaves nothing behind', async () => {
    const first = await RawClient.open(fixture.path)
    for (let n = 0; n < 50; n++) {
      const client = await RawClient.open(fixture.path)
      client.request(1, 'watch', {})
      client.request(2, 'upload', { id: 'never', size: 10 * MIB })
      client.write(new Uint8Array(MIB))
      await client.answer()
      client.close()
    }
    expect((await first.call('get', { id: 'never' })).error?.data.code).toBe('NOT_FOUND')
    first.close()
  })
})

describe('JSON made to break its reader', () => {
  const depth = 1_000_000
  const nested = '['.repeat(depth) + ']'.repeat(depth)
  const lines: readonly (readonly [string, string])[] = [
    ['nested a million deep, as a payload', `{"id":"a","json":${nested}}`],
    ['nested a million deep, as metadata', `{"id":"a","text":"","meta":${nested}}`],
    ['nested a million deep, as an id', `{"id":${nested},"text":""}`],
    ['with the keys of prototypes', '{"__proto__":{"id":"a"},"constructor":{"prototype":{}}}'],
    ['with one key a hundred thousand times', `{${'"id":"a",'.repeat(100_000)}"id":7}`],
  ]
  test.each(lines)(
    '%s is refused with a sentence, and the next line is served',
    async (_, params) => {
      const client = await RawClient.open(fixture.path)
      client.write(`{"jsonrpc":"2.0","id":1,"method":"put","params":${params}}\n`)
      const { error } = await client.answer()
      expect(error?.data.code).toBe('BAD_REQUEST')
      expect(error?.message.length).toBeLessThan(1000)
      expect(Object.keys(Object.prototype)).toEqual([])
      await isServed(client)
      client.close()
    },
  )
})
