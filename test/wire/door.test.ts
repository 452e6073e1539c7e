import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { limits } from '../../src/base/limits.ts'
import {
  type DoorAnswer,
  type DoorRequest,
  decodeDoorAnswer,
  decodeDoorRequest,
  encodeDoorAnswer,
  encodeDoorRequest,
} from '../../src/wire/door.ts'
import { bytesOf, fact, member, text } from './arbitraries.ts'
import { fieldsOf } from './cbor-values.ts'
import { mutateBytes, mutateValue, randomFrom } from './mutations.ts'

const limit = 64 * 1024

const request: fc.Arbitrary<DoorRequest> = fc.oneof(
  fc.record({
    kind: fc.constant('redeem' as const),
    secret: bytesOf(32),
    peer: member,
    name: text,
    addresses: fc.array(text, { maxLength: 3 }),
  }),
  fc.constant({ kind: 'hello' as const }),
)
const facts = fc.array(fact, { maxLength: 3 })
const answer: fc.Arbitrary<DoorAnswer> = fc.oneof(
  fc.record({ kind: fc.constant('welcome' as const), facts }),
  fc.record({ kind: fc.constant('removed' as const), facts }),
  fc.record({
    kind: fc.constant('refused' as const),
    code: fc.constantFrom(
      ...(['UNKNOWN_TOKEN', 'USED_TOKEN', 'EXPIRED_TOKEN', 'NOT_MEMBER', 'BUSY'] as const),
    ),
    sentence: text,
  }),
)

test('a request at the door comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(request, value => {
      expect(decodeDoorRequest(encodeDoorRequest(value), limit)).toEqual({ ok: true, value })
    }),
  )
})

test('an answer at the door comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(answer, value => {
      expect(decodeDoorAnswer(encodeDoorAnswer(value), limit)).toEqual({ ok: true, value })
    }),
  )
})

const redeem: DoorRequest = {
  kind: 'redeem',
  secret: new Uint8Array(32).fill(7),
  peer: 'bob',
  name: 'cupboard',
  addresses: ['/ip4/192.0.2.1/tcp/4001'],
}

test('the bytes at the door are the ones fixed here', () => {
  const hex = (bytes: Bytes) => Buffer.from(bytes).toString('hex')
  const refused = { kind: 'refused', code: 'USED_TOKEN', sentence: 'no' } as const
  expect(hex(encodeDoorRequest({ kind: 'hello' }))).toBe('820102')
  expect(hex(encodeDoorRequest(redeem))).toBe(
    `8601015820${'07'.repeat(32)}63626f6268637570626f61726481772f6970342f3139322e302e322e312f7463702f34303031`,
  )
  expect(hex(encodeDoorAnswer({ kind: 'welcome', facts: [] }))).toBe('83010180')
  expect(hex(encodeDoorAnswer(refused))).toBe('84010201626e6f')
  expect(hex(encodeDoorAnswer({ kind: 'removed', facts: [] }))).toBe('83010380')
})

describe('S003-34: a stranger at the door is refused and crashes nothing', () => {
  test('20,000 spoiled requests and answers', () => {
    const random = randomFrom(4)
    const refused = { kind: 'refused', code: 'BUSY', sentence: 'later' } as const
    const valid = [
      encodeDoorRequest(redeem),
      encodeDoorRequest({ kind: 'hello' }),
      encodeDoorAnswer(refused),
      encodeDoorAnswer({ kind: 'welcome', facts: fc.sample(fact, { numRuns: 2, seed: 1 }) }),
    ]
    for (let i = 0; i < 20_000; i++) {
      const base = valid[i % valid.length]!
      const bytes =
        i % 8 < 4
          ? mutateBytes(base, valid[random(valid.length)]!, random)
          : encodeCbor(mutateValue(fieldsOf(base), random))
      for (const decoded of [decodeDoorRequest(bytes, limit), decodeDoorAnswer(bytes, limit)]) {
        if (!decoded.ok) expect(decoded.sentence).not.toBe('')
      }
    }
  })

  const wrong: Record<string, CborValue> = {
    'of another version': [2, 2],
    'of an unknown kind': [1, 3],
    'with a short secret': [1, 1, new Uint8Array(31), 'bob', 'n', []],
    'with a long secret': [1, 1, new Uint8Array(33), 'bob', 'n', []],
    'for nobody': [1, 1, new Uint8Array(32), '', 'n', []],
    'with too long a name': [
      1,
      1,
      new Uint8Array(32),
      'bob',
      'n'.repeat(limits.nameBytesMax + 1),
      [],
    ],
    'that says more than a hello': [1, 2, 3],
  }
  for (const [what, value] of Object.entries(wrong)) {
    test(`a request ${what}`, () => {
      expect(decodeDoorRequest(encodeCbor(value), limit).ok).toBe(false)
    })
  }

  test('a request of exactly the limit is read, one byte more is not', () => {
    const bytes = encodeDoorRequest(redeem)
    expect(decodeDoorRequest(bytes, bytes.length).ok).toBe(true)
    expect(decodeDoorRequest(bytes, bytes.length - 1).ok).toBe(false)
  })

  test('a sentence that is longer than people read', () => {
    const answer = (n: number) => encodeCbor([1, 2, 0, 's'.repeat(n)])
    expect(decodeDoorAnswer(answer(limits.sentenceBytesMax), limit).ok).toBe(true)
    expect(decodeDoorAnswer(answer(limits.sentenceBytesMax + 1), limit).ok).toBe(false)
  })
})
