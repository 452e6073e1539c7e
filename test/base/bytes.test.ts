/** Bytes in shared memory, and hex both ways: held against Node's own, and against what is no hex. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  copyBytes,
  fromHex,
  newBytes,
  putHex,
  toHex,
  unfilledBytes,
  utf8,
} from '../../src/base/bytes.ts'
import { Memo } from '../../src/base/memo.ts'

describe('new bytes', () => {
  it('are zero, plain, and never those of another array', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { maxLength: 40 }), lengths => {
        const arrays = lengths.map((length, at) => {
          const bytes = newBytes(length)
          expect(bytes.constructor).toBe(Uint8Array)
          expect(bytes.length).toBe(length)
          expect(bytes.every(byte => byte === 0)).toBe(true)
          return bytes.fill(at + 1)
        })
        for (const [at, bytes] of arrays.entries())
          expect(bytes.every(byte => byte === at + 1)).toBe(true)
      }),
    )
  })

  it('a copy is of its range, and does not follow what it was copied from', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, at) => at)
    const copy = copyBytes(bytes, 100, 250)
    bytes.fill(0)
    expect([...copy]).toEqual(Array.from({ length: 150 }, (_, at) => (100 + at) & 255))
  })

  it('unfilled ones are plain, too, and no part of any memory but their own where they are large', () => {
    for (const length of [0, 1, 64, 65, 4095, 4096, 300_000]) {
      const bytes = unfilledBytes(length)
      expect(bytes.constructor).toBe(Uint8Array)
      expect(bytes.length).toBe(length)
      if (length >= 4096) expect(bytes.buffer.byteLength).toBe(length)
    }
  })

  it('large parts are joined byte for byte', () => {
    const parts = [3, 5000, 0, 70_000].map((length, at) => new Uint8Array(length).fill(at + 1))
    expect(toHex(concatBytes(parts))).toBe(Buffer.concat(parts).toString('hex'))
  })

  it('a text has the bytes that Node gives it, short, long or very long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3000 }), text => {
        expect(toHex(utf8(text))).toBe(Buffer.from(text).toString('hex'))
      }),
    )
  })
})

describe('hex', () => {
  it('is what Node makes of bytes, and comes back as them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        const hex = toHex(bytes)
        expect(hex).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(hex)).toEqual(bytes)
      }),
    )
  })

  it('refuses every text with one unit that is no lower-case digit, and an odd length', () => {
    const good = 'ab'.repeat(32)
    for (let unit = 0; unit < 0x10000; unit++) {
      const isDigit = (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66)
      const at = unit % good.length
      const text = good.slice(0, at) + String.fromCharCode(unit) + good.slice(at + 1)
      if ((fromHex(text) !== undefined) !== isDigit) expect.fail(`unit ${unit} at ${at}`)
    }
    expect(fromHex('abc')).toBeUndefined()
    expect(fromHex('')).toEqual(new Uint8Array(0))
    expect(putHex('ABCD', new Uint8Array(2), 0)).toBe(false)
  })
})

it('a memo answers what its function answers, and keeps no more than it may', () => {
  const asked: number[] = []
  const memo = new Memo<number, number>(2, key => {
    asked.push(key)
    return key * key
  })
  expect([3, 3, 4, 3, 5, 5, 3].map(key => memo.of(key))).toEqual([9, 9, 16, 9, 25, 25, 9])
  expect(asked).toEqual([3, 4, 5, 3])
})
