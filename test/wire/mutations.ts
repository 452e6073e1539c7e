/** Ways to spoil a frame, by bytes and by values, from a seeded source of chance. */
import { type Bytes, concatBytes } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { fieldsOf } from './cbor-values.ts'

/** A whole number below `below`. */
export type Random = (below: number) => number

/** Mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Bytes changed, cut out, doubled, exchanged with those of `other`, or put in; once or often. */
export function mutateBytes(base: Bytes, other: Bytes, random: Random): Bytes {
  let bytes: Bytes = base.slice()
  for (let times = 1 + random(3); times > 0; times--) {
    const from = random(bytes.length + 1)
    const to = Math.min(bytes.length, from + random(40))
    const [before, part, after] = [bytes.slice(0, from), bytes.slice(from, to), bytes.slice(to)]
    const edits: (() => Bytes)[] = [
      () => concatBytes([before, Uint8Array.of(random(256)), bytes.slice(from + 1)]),
      () =>
        concatBytes([
          before,
          Uint8Array.of((bytes[from] ?? 0) ^ (1 << random(8))),
          bytes.slice(from + 1),
        ]),
      () => concatBytes([before, after]),
      () => concatBytes([before, part, part, after]),
      () => concatBytes([before, other.slice(from, to), after]),
      () =>
        concatBytes([before, Uint8Array.from({ length: 1 + random(9) }, () => random(256)), after]),
      () => concatBytes([before, Uint8Array.of(0x80 | random(0x60)), after]),
    ]
    bytes = edits[random(edits.length)]!()
  }
  return bytes
}

const strange: readonly CborValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  255,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  0.5,
  1e300,
  '',
  'x',
  '\u0000',
  '\ud7ff\ue000\u{10ffff}',
  'y'.repeat(5000),
  new Uint8Array(0),
  new Uint8Array(7),
  new Uint8Array(31),
  new Uint8Array(32),
  new Uint8Array(20_000),
  [],
  [[]],
  [null, null],
  {},
  { __proto__: null, kind: 'probe' },
  { length: 5 },
]

const FACT_HEAD = 0x8f // a list of 15

/** One value somewhere inside, facts included, replaced, left out, doubled, exchanged or wrapped. */
export function mutateValue(value: CborValue, random: Random): CborValue {
  if (value instanceof Uint8Array && value[0] === FACT_HEAD && random(4) > 0) {
    return encodeCbor(mutateValue(fieldsOf(value), random))
  }
  if (!Array.isArray(value) || value.length === 0 || random(4) === 0) {
    return strange[random(strange.length)]!
  }
  const list: readonly CborValue[] = value
  const at = random(list.length)
  const other = random(list.length)
  switch (random(8)) {
    case 0:
      return list.toSpliced(at, 1)
    case 1:
      return list.toSpliced(at, 0, list[at]!)
    case 2:
      return list.with(at, list[other]!).with(other, list[at]!)
    case 3:
      return list.with(at, [list[at]!])
    default:
      return list.with(at, mutateValue(list[at]!, random))
  }
}
