/** Any message of a walk, and one fixed request and answer for the vectors. */
import fc from 'fast-check'
import { WALK_KEY_BYTES } from '../../src/merkle/prints.ts'
import type { WalkAnswer, WalkAsk, WalkReply, WalkRequest } from '../../src/merkle/walk.ts'

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('hex'))
const prefix = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), maxLength: 64 })
const prints = fc.uint8Array({ maxLength: 16 * 32 })
const entries = fc.uint8Array({ maxLength: 200 })

const ask: fc.Arbitrary<WalkAsk> = fc.oneof(
  fc.record({ kind: fc.constantFrom('children' as const, 'list' as const), prefix, prints }),
  fc.record({ kind: fc.constant('all' as const), prefix, after: fc.option(hash) }),
)

const reply: fc.Arbitrary<WalkReply> = fc.oneof(
  fc.record({
    kind: fc.constant('nodes' as const),
    nodes: fc.array(
      fc.record({ nibble: fc.nat(15), count: fc.maxSafeNat(), prints: fc.option(prints) }),
      { maxLength: 3 },
    ),
  }),
  fc.record({ kind: fc.constant('deeper' as const), prints }),
  fc.record({
    kind: fc.constant('differing' as const),
    entries,
    lacking: fc.array(fc.nat(511), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('page' as const), entries, isLast: fc.boolean() }),
)

export const walkRequest: fc.Arbitrary<WalkRequest> = fc.record({
  key: fc.uint8Array({ minLength: WALK_KEY_BYTES, maxLength: WALK_KEY_BYTES }),
  full: fc.boolean(),
  asks: fc.array(ask, { maxLength: 4 }),
})

export const walkAnswer: fc.Arbitrary<WalkAnswer> = fc.record({
  root: hash,
  count: fc.maxSafeNat(),
  replies: fc.array(reply, { maxLength: 4 }),
})

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)

export const sampleWalkRequest: WalkRequest = {
  key: filled(WALK_KEY_BYTES, 1),
  full: false,
  asks: [
    { kind: 'children', prefix: '', prints: filled(96, 2) },
    { kind: 'list', prefix: '0a', prints: filled(12, 3) },
    { kind: 'all', prefix: '0b', after: null },
    { kind: 'all', prefix: '0c', after: '0c'.repeat(32) },
  ],
}

export const sampleWalkAnswer: WalkAnswer = {
  root: '0d'.repeat(32),
  count: 1_000_000,
  replies: [
    {
      kind: 'nodes',
      nodes: [
        { nibble: 3, count: 70, prints: filled(96, 4) },
        { nibble: 15, count: 0, prints: null },
      ],
    },
    { kind: 'deeper', prints: filled(96, 5) },
    { kind: 'differing', entries: filled(64, 6), lacking: [0, 300] },
    { kind: 'page', entries: filled(128, 7), isLast: true },
  ],
}
