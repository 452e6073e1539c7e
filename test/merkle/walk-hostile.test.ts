/** A walk with a stranger: whatever it sends is refused or bounded, and nothing crashes. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { WALK_KEY_BYTES } from '../../src/merkle/prints.ts'
import { MerkleTree } from '../../src/merkle/tree.ts'
import {
  answerWalk,
  type WalkAnswer,
  type WalkAsk,
  type WalkReply,
  type WalkRequest,
} from '../../src/merkle/walk.ts'
import { continueWalk, startWalk, type WalkStep } from '../../src/merkle/walker.ts'
import { entriesOf, sha, treeOf } from './entries.ts'
import { answerBytes, testKey } from './walking.ts'

const tree = treeOf(entriesOf(0, 3000))

function request(asks: readonly WalkAsk[], rest: Partial<WalkRequest> = {}): WalkRequest {
  return { key: testKey, full: false, asks, ...rest }
}

const prefix = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{0,64}$/),
  fc.constantFrom('', 'A', 'g', ' ', '0'.repeat(65), 'f'.repeat(64), 'é', '0\n'),
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: 96, maxLength: 96 }),
  fc.uint8Array({ minLength: 64, maxLength: 64 }),
)
const hash = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/),
  fc.constantFrom('', 'x', '0'.repeat(63), sha('item 7')),
)
const anyAsk: fc.Arbitrary<WalkAsk> = fc.oneof(
  fc.record({ kind: fc.constantFrom('children' as const, 'list' as const), prefix, prints: bytes }),
  fc.record({ kind: fc.constant('all' as const), prefix, after: fc.option(hash) }),
)
const number = fc.oneof(fc.integer(), fc.integer({ min: 0, max: 15 }), fc.double())
const node = fc.record({ nibble: number, count: number, prints: fc.option(bytes) })
const anyReply: fc.Arbitrary<WalkReply> = fc.oneof(
  fc.record({ kind: fc.constant('nodes' as const), nodes: fc.array(node) }),
  fc.record({ kind: fc.constant('deeper' as const), prints: bytes }),
  fc.record({
    kind: fc.constant('differing' as const),
    entries: bytes,
    lacking: fc.array(number),
  }),
  fc.record({ kind: fc.constant('page' as const), entries: bytes, isLast: fc.boolean() }),
)

describe('the answerer', () => {
  const sixteen = new Uint8Array(96)
  const bad: Record<string, WalkRequest> = {
    'a key too short': request([], { key: new Uint8Array(WALK_KEY_BYTES - 1) }),
    'a key too long': request([], { key: new Uint8Array(WALK_KEY_BYTES + 1) }),
    'too many asks': request(
      Array(limits.walkAsksMax + 1).fill({ kind: 'all', prefix: '', after: null }),
    ),
    'a prefix too long': request([{ kind: 'all', prefix: '0'.repeat(65), after: null }]),
    'a prefix of capitals': request([{ kind: 'all', prefix: 'AB', after: null }]),
    'children of the greatest depth': request([
      { kind: 'children', prefix: '0'.repeat(64), prints: sixteen },
    ]),
    'fifteen prints of children': request([
      { kind: 'children', prefix: '', prints: sixteen.subarray(6) },
    ]),
    'short prints in a full walk': request([{ kind: 'children', prefix: '', prints: sixteen }], {
      full: true,
    }),
    'an empty list': request([{ kind: 'list', prefix: '', prints: new Uint8Array(0) }]),
    'half a print': request([{ kind: 'list', prefix: '', prints: new Uint8Array(7) }]),
    'a list too long': request([
      { kind: 'list', prefix: '', prints: new Uint8Array((limits.walkListMax + 1) * 6) },
    ]),
    'a cursor that is no hash': request([{ kind: 'all', prefix: '', after: 'abc' }]),
  }
  for (const [what, asked] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(answerWalk(tree, asked).kind).toBe('refused')
    })
  }

  it('takes what stands on the allowed side of each limit', () => {
    const asks: WalkAsk[] = Array(limits.walkAsksMax - 1).fill({
      kind: 'all',
      prefix: '0'.repeat(64),
      after: null,
    })
    const list = new Uint8Array(limits.walkListMax * 6)
    const answered = answerWalk(
      tree,
      request([...asks, { kind: 'list', prefix: '', prints: list }]),
    )
    expect(answered.kind === 'answer' && answered.answer.replies.length).toBe(limits.walkAsksMax)
  })

  it('survives any request', () => {
    fc.assert(
      fc.property(fc.array(anyAsk, { maxLength: 20 }), fc.boolean(), (asks, full) => {
        const answered = answerWalk(tree, request(asks, { full }))
        if (answered.kind === 'answer') {
          expect(answered.answer.replies.length).toBeLessThanOrEqual(asks.length)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('answers the dearest request with one message of bounded size and work', () => {
    const large = treeOf(entriesOf(0, 50_000))
    const many = (ask: WalkAsk) => request(Array(limits.walkAsksMax).fill(ask))
    const dearest: WalkAsk[] = [
      { kind: 'all', prefix: '', after: null },
      { kind: 'children', prefix: '', prints: sixteen },
      { kind: 'list', prefix: '1f', prints: new Uint8Array(limits.walkListMax * 6) },
      { kind: 'list', prefix: '', prints: new Uint8Array(6) },
    ]
    for (const ask of dearest) {
      const answered = answerWalk(large, many(ask))
      if (answered.kind !== 'answer') throw new Error(answered.sentence)
      expect(answered.answer.replies.length).toBeGreaterThan(0)
      expect(answerBytes(answered.answer)).toBeLessThan(limits.walkBytes + 64 * 1024)
      const perReply = ask.kind === 'list' && ask.prefix !== '' ? large.countBelow('1f') : 16
      expect(answered.answer.replies.length * perReply).toBeLessThan(2 * limits.walkPrintsMax)
    }
  })

  it('keeps nothing between requests: equal requests have equal answers', () => {
    const asked = request([{ kind: 'children', prefix: '', prints: sixteen }])
    expect(answerWalk(tree, asked)).toEqual(answerWalk(tree, asked))
  })
})

describe('the asker', () => {
  const root = sha('a root of nobody')

  /** Lets a peer answer until the walk ends. */
  function against(
    mine: MerkleTree,
    peer: (ask: WalkAsk, round: number) => WalkReply,
  ): { end: WalkStep; rounds: number } {
    let step = startWalk(mine, { key: testKey, full: false })
    let rounds = 0
    while (step.kind === 'ask') {
      rounds += 1
      const replies = step.request.asks.map(ask => peer(ask, rounds))
      step = continueWalk(mine, step.walk, { root, count: 2 ** 50, replies })
    }
    return { end: step, rounds }
  }

  it('survives any answer, and ends', () => {
    const replies = fc.array(anyReply, { maxLength: 20 })
    const sizes = fc.constantFrom(0, 5, 3000)
    fc.assert(
      fc.property(sizes, replies, number, (size, given, count) => {
        const mine = size === 3000 ? tree : treeOf(entriesOf(0, size))
        const step = startWalk(mine, { key: testKey, full: false })
        if (step.kind !== 'ask') throw new Error(step.kind)
        const answer: WalkAnswer = { root, count, replies: given }
        expect(['ask', 'done', 'refused']).toContain(continueWalk(mine, step.walk, answer).kind)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses an answer without replies, with too many, or of another kind', () => {
    const wrong: WalkReply[][] = [
      [],
      [
        { kind: 'nodes', nodes: [] },
        { kind: 'nodes', nodes: [] },
      ],
      [{ kind: 'page', entries: new Uint8Array(0), isLast: true }],
      [{ kind: 'deeper', prints: new Uint8Array(96) }],
      [{ kind: 'differing', entries: new Uint8Array(0), lacking: [] }],
    ]
    const mine = treeOf(entriesOf(0, 500)) // begins with one ask, for the children of the root
    for (const replies of wrong) {
      const step = startWalk(mine, { key: testKey, full: false })
      if (step.kind !== 'ask') throw new Error(step.kind)
      expect(step.request.asks).toHaveLength(1)
      const next = continueWalk(mine, step.walk, { root, count: 1, replies })
      expect(next.kind).toBe('refused')
    }
  })

  it('refuses entries outside of what it asked for, in disorder, or in halves', () => {
    const entry = (first: number) => new Uint8Array(64).fill(first, 0, 1)
    const pages: [Uint8Array, boolean][] = [
      [Buffer.concat([entry(2), entry(1)]), true],
      [Buffer.concat([entry(1), entry(1)]), true],
      [new Uint8Array(65), true],
      [new Uint8Array(0), false],
    ]
    for (const [entries, isLast] of pages) {
      const { end } = against(new MerkleTree(), () => ({ kind: 'page', entries, isLast }))
      expect(end.kind).toBe('refused')
    }
    const { end } = against(treeOf(entriesOf(0, 500)), ask =>
      ask.kind === 'children'
        ? { kind: 'nodes', nodes: [{ nibble: 15, count: 1, prints: null }] }
        : { kind: 'differing', entries: entry(0xe0), lacking: [] },
    )
    expect(end.kind).toBe('refused')
  })

  it('leaves a peer whose pages never end', () => {
    const { end, rounds } = against(new MerkleTree(), (_, round) => {
      const entries = new Uint8Array(64)
      new DataView(entries.buffer).setUint32(0, round)
      return { kind: 'page', entries, isLast: false }
    })
    expect(end.kind).toBe('refused')
    expect(rounds).toBeLessThanOrEqual(limits.walkRoundsMax)
  })

  it('leaves a peer that always says: deeper', () => {
    const { end } = against(treeOf(entriesOf(0, 200)), ask => {
      if (ask.kind === 'all') return { kind: 'page', entries: new Uint8Array(0), isLast: true }
      if (ask.kind === 'list') return { kind: 'deeper', prints: new Uint8Array(96).fill(7) }
      const nodes = Array.from({ length: 16 }, (_, nibble) => ({
        nibble,
        count: 2 ** 50,
        prints: new Uint8Array(96).fill(9),
      }))
      return { kind: 'nodes', nodes }
    })
    expect(end.kind).toBe('refused')
  })
})
