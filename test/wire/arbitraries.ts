/**
 * Any frame that members could send, for properties over the wire: every kind of body, with lists
 * kept short so that thousands of frames take seconds.
 */
import fc from 'fast-check'
import type { Fact, FactRef, FactState } from '../../src/base/fact.ts'
import { limits } from '../../src/base/limits.ts'
import type { Body, Envelope, Frame, ShownFact } from '../../src/consensus/messages.ts'
import type { Change } from '../../src/consensus/roster/configuration.ts'
import type { BodyOf } from '../../src/wire/body-codec.ts'
import { walkAnswer, walkRequest } from './walk-arbitraries.ts'

export function bytesOf(length: number) {
  return fc.uint8Array({ minLength: length, maxLength: length })
}

export const hash = bytesOf(32).map(bytes => Buffer.from(bytes).toString('hex'))
export const stamp = bytesOf(8).map(bytes => Buffer.from(bytes).toString('hex'))
export const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(t => t.isWellFormed())
export const member = fc
  .string({ minLength: 1, maxLength: 62 })
  .filter(t => Buffer.byteLength(t) <= limits.memberIdBytesMax)
export const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
const sequence = count.map(n => Math.max(1, n))
const few = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 4 })

const json = fc
  .jsonValue({ maxDepth: 2 })
  .map(value => JSON.parse(JSON.stringify(value)))
  .filter(value => JSON.stringify(value).isWellFormed())

export const fact: fc.Arbitrary<Fact> = fc.record({
  id: text,
  version: hash,
  parents: fc.array(hash, { maxLength: 2 }),
  dataHash: hash,
  blob: fc.option(hash),
  size: fc.maxSafeNat(),
  type: text,
  tags: fc.array(text, { maxLength: 2 }),
  description: text,
  meta: json,
  dependsOn: fc.array(text, { maxLength: 2 }),
  at: stamp,
  by: member,
  base: fc.option(
    fc.array(fc.record({ id: text, heads: fc.array(hash, { maxLength: 2 }) }), { maxLength: 2 }),
  ),
})

const payload = fc.option(fc.uint8Array({ maxLength: 60 }))
const ref: fc.Arbitrary<FactRef> = fc.record({ id: text, version: hash })
const state: fc.Arbitrary<FactState> = fc.oneof(
  fc.record({ kind: fc.constant('agreed' as const), added: stamp }),
  fc.record({ kind: fc.constant('pending' as const), order: count, fresh: fc.boolean() }),
)
const shown: fc.Arbitrary<ShownFact> = fc.record({ fact, state, payload })

/** Ascending ranges above a number. */
function rangesAbove(above: number): fc.Arbitrary<[number, number][]> {
  return few(fc.tuple(fc.integer({ min: 1, max: 999 }), fc.nat(999))).map(steps => {
    let last = above
    return steps.map(([gap, length]) => {
      const from = last + gap
      last = from + length
      return [from, last]
    })
  })
}

const vector = fc
  .record({ adder: member, incarnation: stamp, upTo: fc.nat(2 ** 40) })
  .chain(known => rangesAbove(known.upTo).map(ranges => ({ ...known, ranges })))

const ballot = fc.record({ counter: fc.integer({ min: 1, max: 2 ** 40 }), peer: member })
const seat = fc.record({ peer: member, membership: fc.integer({ min: 1, max: 2 ** 40 }) })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('begin', 'stay'), members: few(seat) }),
  fc.record({ kind: fc.constantFrom('add', 'remove'), seat }),
  fc.record({ kind: fc.constant('visible') }),
)

/** One arbitrary for each kind; the compiler refuses a kind that is missing. */
export const bodies: { readonly [K in Body['kind']]: fc.Arbitrary<BodyOf<K>> } = {
  ping: fc.record({
    kind: fc.constant('ping'),
    seen: few(
      fc.record({
        ref: stamp,
        answers: fc.boolean(),
        reached: fc.boolean(),
        marked: fc.boolean(),
      }),
    ),
    systemRoot: hash,
    sequence: count,
    floor: count,
    addresses: few(text),
    configuration: count,
    wallMs: count,
  }),
  probe: fc.record({ kind: fc.constant('probe'), number: count }),
  probed: fc.record({ kind: fc.constant('probed'), number: count }),
  twin: fc.record({ kind: fc.constant('twin'), lives: fc.tuple(stamp, stamp) }),
  adds: fc.record({
    kind: fc.constant('adds'),
    adds: few(fc.record({ sequence, added: stamp, fact, payload })),
  }),
  relay: fc.record({
    kind: fc.constant('relay'),
    adder: member,
    adds: few(fc.record({ added: stamp, fact, payload })),
  }),
  ack: fc.record({ kind: fc.constant('ack'), vector }),
  askSequences: fc.record({
    kind: fc.constant('askSequences'),
    request: count,
    incarnation: stamp,
    ranges: rangesAbove(0),
  }),
  sequences: fc.record({
    kind: fc.constant('sequences'),
    request: count,
    entries: few(fc.record({ sequence, ref })),
  }),
  askFacts: fc.record({ kind: fc.constant('askFacts'), request: count, refs: few(ref) }),
  facts: fc.record({
    kind: fc.constant('facts'),
    request: count,
    facts: few(shown),
    answered: fc.nat(limits.listMax),
  }),
  askHolds: fc.record({ kind: fc.constant('askHolds'), request: count, refs: few(ref) }),
  holds: fc.record({
    kind: fc.constant('holds'),
    request: count,
    held: fc.array(fc.boolean(), { maxLength: 40 }),
  }),
  askWalk: fc.record({
    kind: fc.constant('askWalk'),
    request: count,
    scope: fc.constantFrom('settled', 'held'),
    walk: walkRequest,
  }),
  walked: fc.record({ kind: fc.constant('walked'), request: count, walk: fc.option(walkAnswer) }),
  askItems: fc.record({
    kind: fc.constant('askItems'),
    request: count,
    scope: fc.constantFrom('settled', 'held'),
    want: fc.constantFrom('names', 'facts'),
    items: few(fc.record({ idHash: hash, have: few(hash), skip: count })),
  }),
  items: fc.record({
    kind: fc.constant('items'),
    request: count,
    items: few(
      fc.record({
        idHash: hash,
        id: fc.option(text),
        covered: few(fc.record({ version: hash, digest: hash })),
        names: few(fc.record({ version: hash, state, at: stamp, by: member })),
        facts: fc.array(shown, { maxLength: 2 }),
        more: fc.boolean(),
      }),
    ),
    refused: fc.boolean(),
  }),
  offer: fc.record({
    kind: fc.constant('offer'),
    request: count,
    facts: few(fc.record({ fact, payload })),
  }),
  offered: fc.record({
    kind: fc.constant('offered'),
    request: count,
    agreed: few(fc.record({ ref, added: stamp })),
  }),
  adopt: fc.record({
    kind: fc.constant('adopt'),
    adds: few(fc.record({ sequence, added: stamp, ref })),
  }),
  askSystem: fc.record({ kind: fc.constant('askSystem'), request: count }),
  system: fc.record({ kind: fc.constant('system'), request: count, facts: few(fact) }),
  askChunk: fc.record({
    kind: fc.constant('askChunk'),
    request: count,
    blob: hash,
    offset: count,
    length: fc.integer({ min: 1, max: limits.chunkBytes }),
  }),
  chunk: fc.record({
    kind: fc.constant('chunk'),
    request: count,
    bytes: fc.option(fc.uint8Array({ maxLength: 200 })),
  }),
  prepare: fc.record({
    kind: fc.constant('prepare'),
    number: count,
    ballot,
    members: fc.option(few(seat)),
  }),
  promise: fc.record({
    kind: fc.constant('promise'),
    number: count,
    ballot,
    accepted: fc.option(fc.record({ ballot, change })),
    isSure: fc.boolean(),
  }),
  accept: fc.record({ kind: fc.constant('accept'), number: count, ballot, change }),
  accepted: fc.record({
    kind: fc.constant('accepted'),
    number: count,
    ballot,
    isSure: fc.boolean(),
  }),
  denied: fc.record({
    kind: fc.constant('denied'),
    number: count,
    ballot,
    promised: fc.option(ballot),
  }),
}

export const envelope: fc.Arbitrary<Envelope> = fc.record({
  uuid: member,
  incarnation: stamp,
  status: fc.constantFrom('empty', 'counter-sync', 'source-sync', 'source'),
  hash,
  cut: count,
  clock: stamp,
  held: fc.option(hash),
  empty: fc.boolean(),
  gap: fc.boolean(),
})

export const body: fc.Arbitrary<Body> = fc.oneof(...Object.values(bodies))

export const frame: fc.Arbitrary<Frame> = fc.record({
  envelope,
  bodies: fc.array(body, { maxLength: 3 }),
})
