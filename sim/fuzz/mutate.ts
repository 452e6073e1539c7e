/**
 * Ways to spoil input, from a seeded source of chance: by bytes, knowing nothing of what they mean,
 * and by values, for what is a tree of CBOR or JSON. Every answer has at most `inputBytesMax` bytes
 * unless a single strange value is larger.
 */
import { type Bytes, concatBytes } from '../../src/base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/base/cbor.ts'
import type { Random } from '../random.ts'

export const inputBytesMax = 64 * 1024

/** A whole number from 0 below `below`. */
export function below(random: Random, limit: number): number {
  return random.uint32() % Math.max(1, limit)
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)]!
}

/** Bytes changed, cut out, doubled, exchanged with those of `other`, or put in; once or often. */
export function mutateBytes(base: Bytes, other: Bytes, random: Random): Bytes {
  let bytes = base
  for (let times = 1 + below(random, 4); times > 0; times--) bytes = edit(bytes, other, random)
  return bytes.subarray(0, inputBytesMax)
}

function edit(bytes: Bytes, other: Bytes, random: Random): Bytes {
  const from = below(random, bytes.length + 1)
  const to = Math.min(bytes.length, from + below(random, 40))
  const [before, part, after] = [
    bytes.subarray(0, from),
    bytes.subarray(from, to),
    bytes.subarray(to),
  ]
  const behind = bytes.subarray(from + 1)
  switch (below(random, 9)) {
    case 0:
      return concatBytes([before, Uint8Array.of(below(random, 256)), behind])
    case 1:
      return concatBytes([
        before,
        Uint8Array.of((bytes[from] ?? 0) ^ (1 << below(random, 8))),
        behind,
      ])
    case 2:
      return concatBytes([before, after])
    case 3:
      return concatBytes([before, part, part, after])
    case 4:
      return concatBytes([before, other.subarray(from, to), after])
    case 5:
      return concatBytes([before, chance(random, 1 + below(random, 9)), after])
    case 6: // the head of a CBOR list or text, or of a number of up to eight bytes
      return concatBytes([before, Uint8Array.of(0x40 | below(random, 0xc0)), after])
    case 7:
      return before
    default: {
      const head = Uint8Array.of(pick(random, [0x1b, 0x5b, 0x7b, 0x9b, 0xbb, 0x5f, 0x9f, 0xff]))
      return concatBytes([before, head, chance(random, 8), after])
    }
  }
}

/** So many bytes of chance. */
export function chance(random: Random, length: number): Bytes {
  return Uint8Array.from({ length }, () => below(random, 256))
}

const strangeTexts: readonly string[] = [
  '',
  'x',
  '\u0000',
  '~',
  '~~',
  'a~3~f',
  'a//b',
  '../..',
  '\ud7ff\ue000\u{10ffff}',
  '__proto__',
  'constructor',
  'y'.repeat(5000),
  '00'.repeat(32),
  'ff'.repeat(32),
  '0'.repeat(16),
]
const strangeNumbers: readonly number[] = [
  0,
  -0,
  -1,
  1,
  23,
  24,
  255,
  256,
  65_535,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  0.5,
  1e300,
]
const strangeValues: readonly CborValue[] = [null, true, false, [], [[]], {}, { length: 5 }]
const strangeBytes = [0, 1, 7, 8, 31, 32, 33, 20_000].map(length => new Uint8Array(length))

function strange(random: Random, bytes: boolean): CborValue {
  switch (below(random, bytes ? 4 : 3)) {
    case 0:
      return pick(random, strangeTexts)
    case 1:
      return pick(random, strangeNumbers)
    case 2:
      return pick(random, strangeValues)
    default:
      return pick(random, strangeBytes)
  }
}

interface Form {
  /** Whether byte strings belong to it (CBOR), or not (JSON). */
  readonly bytes: boolean
}

/** One value somewhere inside replaced, left out, doubled, exchanged, wrapped, or deeply nested. */
export function mutateValue(value: CborValue, random: Random, form: Form): CborValue {
  if (below(random, 5) === 0) return strange(random, form.bytes)
  if (value instanceof Uint8Array) return mutateInner(value, random, form)
  if (Array.isArray(value)) return mutateList(value, random, form)
  if (typeof value === 'object' && value !== null)
    return mutateMap(Object.entries(value), random, form)
  return below(random, 20) === 0 ? nested(random, value) : strange(random, form.bytes)
}

/** Byte strings that are CBOR lists of their own (facts) are opened. */
function mutateInner(bytes: Bytes, random: Random, form: Form): CborValue {
  const head = bytes[0] ?? 0
  if (head < 0x81 || head > 0x97) return mutateBytes(bytes, bytes, random)
  try {
    return encodeCbor(mutateValue(decodeCbor(bytes, bytes.length, 16) as CborValue, random, form))
  } catch (error) {
    if (error instanceof Error) return mutateBytes(bytes, bytes, random)
    throw error
  }
}

function mutateList(list: readonly CborValue[], random: Random, form: Form): CborValue {
  if (list.length === 0) return [strange(random, form.bytes)]
  const at = below(random, list.length)
  const other = below(random, list.length)
  switch (below(random, 10)) {
    case 0:
      return list.toSpliced(at, 1)
    case 1:
      return list.toSpliced(at, 0, list[at]!)
    case 2:
      return list.with(at, list[other]!).with(other, list[at]!)
    case 3:
      return list.with(at, [list[at]!])
    case 4:
      return Array.from({ length: 1 + below(random, 600) }, () => list[at]!)
    default:
      return list.with(at, mutateValue(list[at]!, random, form))
  }
}

function mutateMap(
  entries: readonly (readonly [string, CborValue])[],
  random: Random,
  form: Form,
): CborValue {
  const at = below(random, entries.length)
  const [key, value] = entries[at] ?? ['x', null]
  const choice = entries.length === 0 ? 1 : below(random, 6)
  if (choice === 0) return Object.fromEntries(entries.toSpliced(at, 1))
  if (choice === 1) return Object.fromEntries([...entries, [pick(random, strangeTexts), value]])
  return Object.fromEntries(entries.with(at, [key, mutateValue(value, random, form)]))
}

function nested(random: Random, value: CborValue): CborValue {
  let outer = value
  for (let depth = below(random, 60); depth > 0; depth--) outer = [outer]
  return outer
}
