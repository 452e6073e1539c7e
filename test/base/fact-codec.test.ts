import { encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeWith, encodeCbor } from '../../src/base/cbor.ts'
import { asList, asText } from '../../src/base/cbor-read.ts'
import type { Fact, FactState, ItemSummary } from '../../src/base/fact.ts'
import { decodeFact, encodeFact, readFact } from '../../src/base/fact-codec.ts'
import { limits } from '../../src/base/limits.ts'
import {
  decodeSummary,
  encodeSummary,
  readState,
  stateValue,
} from '../../src/base/summary-codec.ts'

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(b => Buffer.from(b).toString('hex'))
const stamp = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(b => Buffer.from(b).toString('hex'))
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(t => t.isWellFormed())
const jsonValue = fc
  .jsonValue({ maxDepth: 3 })
  .map(value => JSON.parse(JSON.stringify(value)))
  .filter(value => JSON.stringify(value).isWellFormed())

const fact: fc.Arbitrary<Fact> = fc.record({
  id: text,
  version: hash,
  parents: fc.array(hash, { maxLength: 4 }),
  dataHash: hash,
  blob: fc.option(hash),
  size: fc.maxSafeNat(),
  type: text,
  tags: fc.array(text, { maxLength: 4 }),
  description: text,
  meta: jsonValue,
  dependsOn: fc.array(text, { maxLength: 4 }),
  at: stamp,
  by: fc.string({ maxLength: 52 }).filter(t => t.isWellFormed()),
  base: fc.option(fc.array(fc.record({ id: text, heads: fc.array(hash, { maxLength: 3 }) }))),
})

test('a fact comes back from its bytes as it was, and has one encoding', () => {
  fc.assert(
    fc.property(fact, value => {
      const bytes = encodeFact(value)
      const decoded = decodeFact(bytes)
      expect(decoded).toEqual({ ok: true, value })
      if (decoded.ok) expect(Buffer.from(encodeFact(decoded.value))).toEqual(Buffer.from(bytes))
    }),
  )
})

test('a text keeps its leading U+FEFF, or hashes over it would not fit after reading', () => {
  const value = decodeWith(encodeCbor('\ufeffx'), 10, v => asText(v, 10, 'text'))
  expect(value).toEqual({ ok: true, value: '\ufeffx' })
})

test('of large bytes, a byte string that is nearly all of them is not copied, and a small one is', () => {
  const large = new Uint8Array(100_000).fill(7)
  const small = new Uint8Array(1000).fill(8)
  const bytes = encodeCbor([large, small])
  expect(Buffer.from(bytes)).toEqual(Buffer.from(encode([large, small])))
  const value = decodeWith(bytes, 200_000, read => read as readonly Uint8Array[])
  if (!value.ok) throw new Error(value.sentence)
  const [first, second] = value.value
  expect(first).toEqual(large)
  expect(second).toEqual(small)
  expect(first!.constructor).toBe(Uint8Array)
  expect(first!.buffer).toBe(bytes.buffer)
  expect(second!.buffer).not.toBe(bytes.buffer)
  const below = encodeCbor([small])
  const copied = decodeWith(below, 200_000, read => read as readonly Uint8Array[])
  below.fill(0)
  expect(copied.ok && copied.value[0]).toEqual(small)
})

function expectSummary(summary: ItemSummary): void {
  expect(decodeSummary(encodeSummary(summary), summary)).toEqual({ ok: true, value: summary })
}

test('a summary and a state come back from their bytes as they were', () => {
  const h = (digit: string) => digit.repeat(64)
  const summary: ItemSummary = {
    id: 'a/b',
    facts: 3,
    factsXor: h('a'),
    agreed: {
      count: 2,
      newest: [{ version: h('1'), digest: h('2') }],
      addedMax: '0000000000000001',
    },
    pending: null,
    heads: [
      {
        version: h('1'),
        dataHash: h('3'),
        deleted: false,
        position: 2,
        at: '0000000000000002',
        by: 'm1',
      },
    ],
    unrooted: 1,
  }
  expectSummary(summary)
  // The usual one says each hash once, and the one that follows from the fold never.
  const agreed = { ...summary.agreed!, count: 3 }
  const usual = { ...summary, agreed, unrooted: 0 }
  expectSummary(usual)
  expectSummary({ ...usual, factsXor: h('1') })
  expect(encodeSummary(usual).length).toBeLessThan(encodeSummary(summary).length - 60)
  const first = encodeSummary({ ...usual, factsXor: h('1') })
  expect(first.length).toBe(encodeSummary(usual).length - 33)
  // A version that follows is not said a second time.
  expect(decodeSummary(encodeSummary(usual), { facts: 3, factsXor: h('1') }).ok).toBe(false)
  for (const other of [
    { ...usual, pending: usual.agreed },
    { ...usual, heads: [] },
    { ...usual, agreed: null },
    { ...usual, facts: 4 },
    { ...usual, heads: [{ ...usual.heads[0]!, version: h('9') }] },
  ])
    expectSummary(other)
  const states: FactState[] = [
    { kind: 'agreed', added: '00000000000000ff' },
    { kind: 'pending', order: 7, fresh: true },
  ]
  for (const state of states) {
    expect(decodeWith(encodeCbor(stateValue(state)), 100, readState)).toEqual({
      ok: true,
      value: state,
    })
  }
})

test('bytes that are no fact are refused with a sentence, never with a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const decoded = decodeFact(bytes)
      if (!decoded.ok) expect(decoded.sentence).not.toBe('')
    }),
    { numRuns: 2000 },
  )
})

test('a fact with one byte changed, cut or added is refused or another fact, never a crash', () => {
  fc.assert(
    fc.property(
      fact,
      fc.nat(),
      fc.nat(255),
      fc.integer({ min: -3, max: 3 }),
      (f, at, byte, more) => {
        const bytes = encodeFact(f)
        const bad = new Uint8Array(bytes.length + more)
        bad.set(bytes.subarray(0, bad.length))
        bad[at % bad.length] = byte
        const decoded = decodeFact(bad)
        if (decoded.ok) {
          expect(Buffer.from(encodeFact(decoded.value))).toEqual(Buffer.from(bad))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

const hostile: [string, string][] = [
  ['a list of 2^32 entries in nine bytes', '9affffffff00000000'],
  ['a text of 2^32 bytes in nine bytes', '7affffffff00000000'],
  ['two million nested lists', '81'.repeat(2_000_000)],
  ['an indefinite list', '9f01ff'],
  ['a tag', 'c001'],
  ['an integer that is not in its shortest form', '1801'],
  ['undefined', 'f7'],
  ['a number that is none', 'f97e00'],
  ['an integer beyond 2^53', '1bffffffffffffffff'],
  ['a map that names a key twice', 'a2616101616102'],
  ['a text that is no UTF-8', '61ff'],
  ['a text with an encoded surrogate', '63eda080'],
  ['bytes after the end', '0000'],
  ['nothing at all', ''],
]
test.each(hostile)('%s is refused', (_, hex) => {
  const decoded = decodeWith(Buffer.from(hex, 'hex'), 4_000_000, value => value)
  expect(decoded.ok).toBe(false)
})

test('nesting is counted exactly: the limit is allowed, one more is not', () => {
  const nested = (depth: number) => Buffer.from(`${'81'.repeat(depth)}00`, 'hex')
  expect(decodeWith(nested(5), 100, value => value, 5).ok).toBe(true)
  expect(decodeWith(nested(6), 100, value => value, 5).ok).toBe(false)
  // siblings do not add up
  const siblings = encodeCbor([[1, [2]], {}, [[3], { a: [4] }], []])
  expect(decodeWith(siblings, 100, value => value, 4).ok).toBe(true)
  expect(decodeWith(siblings, 100, value => value, 3).ok).toBe(false)
})

test('limits of bytes and lists stand on both sides', () => {
  const four = encodeCbor(['aé', 'b'])
  const read = (entries: number, bytes: number) => (value: unknown) =>
    asList(value, entries, entry => asText(entry, bytes, 'text'), 'texts')
  expect(decodeWith(four, four.length, read(2, 3)).ok).toBe(true)
  expect(decodeWith(four, four.length - 1, read(2, 3)).ok).toBe(false)
  expect(decodeWith(four, four.length, read(1, 3)).ok).toBe(false)
  expect(decodeWith(four, four.length, read(2, 2)).ok).toBe(false)
})

test('metadata that is not canonical is refused: one fact has one order of keys', () => {
  const f: Fact = { ...emptyFact, meta: { a: 1, b: 2 } }
  const canonical = Buffer.from(encodeFact(f)).toString('hex')
  const other = canonical.replace('a2616101616202', 'a2616202616101')
  expect(other).not.toBe(canonical)
  expect(decodeFact(Buffer.from(canonical, 'hex')).ok).toBe(true)
  expect(decodeFact(Buffer.from(other, 'hex')).ok).toBe(false)
})

test('an id one byte over the limit is refused, one at the limit is read', () => {
  const at = { ...emptyFact, id: 'x'.repeat(limits.idBytesMax) }
  expect(decodeFact(encodeFact(at)).ok).toBe(true)
  expect(decodeFact(encodeFact({ ...at, id: `${at.id}x` })).ok).toBe(false)
})

test('a fact can be read inside a larger message', () => {
  const batch = encodeCbor([1])
  expect(decodeWith(batch, 100, value => asList(value, 5, readFact, 'facts')).ok).toBe(false)
})

const emptyFact: Fact = {
  id: 'x',
  version: '0'.repeat(64),
  parents: [],
  dataHash: '0'.repeat(64),
  blob: null,
  size: 0,
  type: '',
  tags: [],
  description: '',
  meta: null,
  dependsOn: [],
  at: '0'.repeat(16),
  by: 'm',
  base: null,
}
