/** Lines and raw bytes are the same however the bytes were cut on their way. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineReader } from '../../src/base/line-reader.ts'
import { RawClient, startFixture } from '../support/control.ts'

/** A script of lines, some of which are followed by raw bytes: `!N` announces N of them. */
const script = fc.array(
  fc.oneof(
    fc.string({ maxLength: 20 }).map(text => Buffer.from(`${text.replace(/[\n!]/g, '')}\n`)),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map(raw => Buffer.concat([Buffer.from(`!${raw.length}\n`), raw])),
  ),
  { maxLength: 20 },
)

function read(pieces: readonly Uint8Array[], stopEvery: number): string[] {
  const told: string[] = []
  let raw = Buffer.alloc(0)
  let calls = 0
  const flows = () => ++calls % stopEvery !== 0
  const reader = new LineReader(
    {
      line(bytes) {
        const text = Buffer.from(bytes).toString()
        told.push(`line ${text}`)
        if (text.startsWith('!')) reader.expectRaw(Number(text.slice(1)))
        return flows()
      },
      raw(bytes, last) {
        raw = Buffer.concat([raw, bytes])
        if (last) {
          told.push(`raw ${raw.toString('hex')}`)
          raw = Buffer.alloc(0)
        }
        return flows()
      },
      lineTooLong: () => told.push('too long'),
    },
    1000,
  )
  for (const piece of pieces) {
    reader.push(piece)
    while (reader.isStopped) reader.resume()
  }
  expect(reader.isInside).toBe(false)
  return told
}

test('any cutting and any stops give the same lines and raw bytes', () => {
  fc.assert(
    fc.property(
      script,
      fc.array(fc.integer({ min: 1, max: 30 })),
      fc.integer({ min: 1, max: 5 }),
      (parts, lengths, stopEvery) => {
        const whole = Buffer.concat(parts)
        const pieces: Uint8Array[] = []
        let at = 0
        for (const length of [...lengths, whole.length]) {
          pieces.push(whole.subarray(at, at + length))
          at += length
        }
        expect(read(pieces, stopEvery)).toEqual(read([whole], Number.MAX_SAFE_INTEGER))
      },
    ),
  )
})

test('a line of the limit is a line, and one byte more is too long, also in pieces', () => {
  const told: string[] = []
  const owner = {
    line: (bytes: Uint8Array) => told.push(`line ${bytes.length}`) > 0,
    raw: () => true,
    lineTooLong: () => told.push('too long'),
  }
  new LineReader(owner, 10).push(Buffer.from('0123456789\n'))
  new LineReader(owner, 10).push(Buffer.from('0123456789x\n'))
  const inPieces = new LineReader(owner, 10)
  inPieces.push(Buffer.from('01234'))
  inPieces.push(Buffer.from('56789x'))
  inPieces.push(Buffer.from('never read\n'))
  expect(told).toEqual(['line 10', 'too long', 'too long'])
})

test('whatever bytes come, the socket serves the next client, and only what it acknowledged is written', async () => {
  const fixture = await startFixture({ lineBytesMax: 200 })
  let acknowledged = 0
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map(json => Buffer.from(`${json}\n`)),
    fc
      .record({
        jsonrpc: fc.constant('2.0'),
        id: fc.anything(),
        method: fc.string(),
        params: fc.anything(),
      })
      .map(request => Buffer.from(`${JSON.stringify(request, plainNumbers)}\n`)),
    fc
      .record({
        jsonrpc: fc.constant('2.0'),
        method: fc.constantFrom('upload', 'get', 'list', 'history', 'watch', 'why', 'resolve'),
        params: fc.dictionary(
          fc.constantFrom('id', 'size', 'limit', 'after', 'since', 'keep', 'prefix'),
          fc.oneof(fc.nat({ max: 300 }), fc.string(), fc.constant(null)),
        ),
        id: fc.nat(),
      })
      .map(request => Buffer.from(`${JSON.stringify(request)}\n`)),
    // An upload that is well, if enough bytes follow: chance alone writes one in a few hundred runs.
    fc
      .record({ id: fc.constantFrom('a', 'b'), size: fc.nat({ max: 300 }) })
      .map(params => ({ jsonrpc: '2.0', method: 'upload', params, id: 0 }))
      .map(request => Buffer.from(`${JSON.stringify(request)}\n`)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 10 }), async pieces => {
      const hostile = await RawClient.open(fixture.path)
      for (const piece of pieces) hostile.write(piece)
      hostile.socket.end()
      await hostile.over()
      for (const { result } of hostile.rest()) if (result?.version !== undefined) acknowledged++
      const next = await RawClient.open(fixture.path)
      expect((await next.call('status')).result?.facts).toBe(acknowledged)
      next.close()
    }),
    { numRuns: 200 },
  )
  expect(acknowledged).toBeGreaterThan(0)
  expect(fixture.reports).toEqual([])
  await fixture.stop()
})

function plainNumbers(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
