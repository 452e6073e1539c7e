/**
 * The writer of CBOR held against cborg: the same bytes for whatever can be written.
 */
import { encode } from 'cborg'
import { expect, test } from 'vitest'
import { Random } from '../../sim/random.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor, hexBytes } from '../../src/base/cbor.ts'

const edges = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]

/** A value, and the same with bytes where the writer gets hex. */
type Pair = readonly [given: CborValue, plain: CborValue]

function drawPair(random: Random, depth: number): Pair {
  const kind = random.int(0, depth > 0 ? 10 : 7)
  const same = (value: CborValue): Pair => [value, value]
  if (kind === 0) return same(random.pick([null, true, false]))
  if (kind === 1) return same(random.pick(edges) * random.pick([1, -1]) || 0)
  if (kind === 2) return same(random.int(-300, 70_000))
  if (kind === 3) return same(random.pick([0.5, -1.25, 1e300, 0.1, 2 ** 60]))
  if (kind === 4) return same('x'.repeat(random.pick([0, 5, 23, 24, 255, 256, 70_000])))
  if (kind === 5) return same(random.pick(['é', 'aé'.repeat(20), '😀', '\ufeffa', 'ｘ'.repeat(90)]))
  if (kind === 6)
    return same(Uint8Array.from({ length: random.int(0, 300) }, () => random.int(0, 255)))
  if (kind === 7) {
    const bytes = Uint8Array.from({ length: random.pick([0, 8, 32]) }, () => random.int(0, 255))
    return [hexBytes(toHex(bytes)), bytes]
  }
  const pairs = Array.from({ length: random.int(0, 30) }, () => drawPair(random, depth - 1))
  if (kind < 10) return [pairs.map(([given]) => given), pairs.map(([, plain]) => plain)]
  // What is in a map is cborg's, so it has no hex.
  const fields = pairs.map(([, plain], at) => [`${'k'.repeat(at % 4)}${at}`, plain] as const)
  return same(Object.fromEntries(fields))
}

test('every value is written as cborg writes it', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const [given, plain] = drawPair(new Random(`cbor/${seed}`), 3)
    const bytes = encodeCbor(given)
    expect(bytes.constructor).toBe(Uint8Array)
    if (Buffer.compare(bytes, encode(plain)) !== 0) {
      throw new Error(`seed ${seed}: ${toHex(bytes)} and not ${toHex(encode(plain))}`)
    }
  }
})

test('what was written stays as it is when the next value is written', () => {
  const first = encodeCbor(['a', 1])
  const before = toHex(first)
  encodeCbor(['b', 2, new Uint8Array(200_000)])
  expect(toHex(first)).toBe(before)
  expect(first.buffer.byteLength).toBe(first.length)
})

test('hex that is none is a mistake of the caller, and the next value is written whole', () => {
  for (const hex of ['0g', 'AB', 'abc', '0:', '/0']) {
    expect(() => encodeCbor(['text', hexBytes(hex)])).toThrow(TypeError)
  }
  expect(encodeCbor([1, hexBytes('ff')])).toEqual(fromHex('820141ff'))
})
