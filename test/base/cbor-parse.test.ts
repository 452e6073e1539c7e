/**
 * The quick reader of CBOR accepts nothing that the strict decoder refuses, and says the same of what
 * it accepts; what it leaves to that one is what our own encoder never writes.
 */
import { isDeepStrictEqual } from 'node:util'
import { encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { decodeStrictly, encodeCbor } from '../../src/base/cbor.ts'
import { NOT_PLAIN, parsePlain } from '../../src/base/cbor-parse.ts'

const DEPTH_MAX = 8
const VALUES_MAX = 300

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }).filter(value => value.isWellFormed()),
  fc.constantFrom('__proto__', 'constructor', 'ﬀ', '\ufffd', '\ufeffx', '\u0000'),
)
const whole = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.maxSafeInteger(),
  fc.constantFrom(23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -24, -25, -256, -257),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 9, withCrossShrink: true },
    fc.oneof(
      { arbitrary: whole, weight: 8 },
      { arbitrary: text, weight: 8 },
      { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 8 },
      { arbitrary: fc.constantFrom(null, true, false), weight: 8 },
      { arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }), weight: 1 },
    ),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
}))

/** What the strict decoder says: a value, or nothing. */
function strict(bytes: Bytes): { readonly value: unknown } | null {
  try {
    return { value: decodeStrictly(bytes, DEPTH_MAX, VALUES_MAX) }
  } catch {
    return null // refused, which is what is asked
  }
}

function holdAgainst(bytes: Bytes): boolean {
  const said = parsePlain(bytes, DEPTH_MAX, VALUES_MAX)
  if (said === NOT_PLAIN) return false
  const expected = strict(bytes)
  expect(expected).not.toBeNull()
  expect(isDeepStrictEqual(said, expected!.value)).toBe(true) // `constructor` may be a key
  return true
}

test('what the encoder writes is read as the strict decoder reads it', () => {
  let plain = 0
  fc.assert(
    fc.property(value, of => {
      if (holdAgainst(Uint8Array.from(encode(of)))) plain += 1
    }),
    { numRuns: 3000 },
  )
  expect(plain).toBeGreaterThan(1500)
})

test('other bytes are never accepted that the strict decoder refuses, or as something else', () => {
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(255), fc.nat(4), fc.nat(9), (of, at, byte, cut, more) => {
      const bytes = Uint8Array.from(encode(of))
      bytes[at % bytes.length] = byte
      holdAgainst(bytes)
      holdAgainst(bytes.subarray(0, Math.max(0, bytes.length - cut)))
      holdAgainst(Uint8Array.from([...bytes, more]))
    }),
    { numRuns: 5000 },
  )
})

test('every one, two and three bytes are read as the strict decoder reads them', () => {
  let accepted = 0
  for (let first = 0; first < 256; first++) {
    if (holdAgainst(Uint8Array.of(first))) accepted += 1
    for (let second = 0; second < 256; second++) {
      if (holdAgainst(Uint8Array.of(first, second))) accepted += 1
      for (const third of [0, 1, 23, 24, 0x40, 0x60, 0x7f, 0x80, 0xa0, 0xf6, 0xf7, 0xff]) {
        if (holdAgainst(Uint8Array.of(first, second, third))) accepted += 1
      }
    }
  }
  expect(accepted).toBeGreaterThan(500)
})

test('nesting and the number of values have the bounds of the strict decoder, to the last one', () => {
  const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1), 1])
  for (let depth = 0; depth < 12; depth++) {
    expect(holdAgainst(Uint8Array.from(encode(nested(depth))))).toBe(depth < DEPTH_MAX)
  }
  for (const count of [299, 300, 301]) {
    expect(holdAgainst(encodeCbor(Array(count).fill(0)))).toBe(count <= VALUES_MAX)
  }
  for (const entries of [149, 150, 151]) {
    const map = Object.fromEntries(Array.from({ length: entries }, (_, at) => [`${at}`, at]))
    expect(holdAgainst(Uint8Array.from(encode(map)))).toBe(2 * entries <= VALUES_MAX)
  }
  expect(holdAgainst(Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0))).toBe(false)
})
