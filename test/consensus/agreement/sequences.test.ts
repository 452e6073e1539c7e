/**
 * Numbers of facts on their way: the set of numbers against a plain Set of numbers, and what an
 * acknowledgment says and does not say.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import {
  addNumbers,
  assignSequence,
  createIncoming,
  createOutgoing,
  emptyNumbers,
  hasNumber,
  holdersOf,
  missingNumbers,
  type NumberSet,
  raiseFloor,
  takeAck,
  vectorOf,
} from '../../../src/consensus/agreement/sequences.ts'

const range = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 6 }))
  .map(([from, more]) => [from, from + more] as const)

function setOf(ranges: readonly (readonly [number, number])[]): NumberSet {
  const set = emptyNumbers()
  for (const [from, to] of ranges) addNumbers(set, from, to)
  return set
}

function numbersOf(ranges: readonly (readonly [number, number])[]): Set<number> {
  return new Set(
    ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at)),
  )
}

describe('a set of numbers', () => {
  it('holds what a plain set would hold, whatever the order and overlap of the ranges', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), ranges => {
        const set = setOf(ranges)
        const plain = numbersOf(ranges)
        for (let number = 1; number <= 50; number++)
          expect(hasNumber(set, number)).toBe(plain.has(number))
      }),
    )
  })

  it('keeps its ranges ascending, apart from each other and from the beginning', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), ranges => {
        const { upTo, ranges: kept } = setOf(ranges)
        let last = upTo
        for (const [from, to] of kept) {
          expect(from).toBeGreaterThan(last + 1)
          expect(to).toBeGreaterThanOrEqual(from)
          last = to
        }
      }),
    )
  })

  it('is the same set in whatever order the ranges came', () => {
    const shuffled = fc
      .array(range, { maxLength: 10 })
      .chain(ranges =>
        fc.tuple(
          fc.constant(ranges),
          fc.shuffledSubarray(ranges, { minLength: ranges.length, maxLength: ranges.length }),
        ),
      )
    fc.assert(
      fc.property(shuffled, ([ranges, others]) => {
        expect(setOf(others)).toEqual(setOf(ranges))
      }),
    )
  })

  it('names as missing exactly the numbers up to the last that it lacks', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 10 }),
        fc.integer({ min: 0, max: 50 }),
        (ranges, last) => {
          const set = setOf(ranges)
          const missing = numbersOf(missingNumbers(set, last, 100))
          for (let number = 1; number <= 60; number++)
            expect(missing.has(number)).toBe(number <= last && !hasNumber(set, number))
        },
      ),
    )
  })

  it('names no more ranges than asked for, the lowest first', () => {
    const set = setOf([
      [3, 3],
      [6, 6],
      [9, 9],
    ])
    expect(missingNumbers(set, 12, 2)).toEqual([
      [1, 2],
      [4, 5],
    ])
    expect(missingNumbers(set, 12, 0)).toEqual([])
  })
})

describe('acknowledgments', () => {
  const ref = (id: string) => ({ id, version: 'v' })
  const members = new Map([
    ['b', { incarnation: 'b1' }],
    ['c', { incarnation: 'c1' }],
  ])

  it('counts oneself and each member whose numbers have it', () => {
    const outgoing = createOutgoing('a1')
    for (const id of ['x', 'y', 'z']) assignSequence(outgoing, ref(id))
    addNumbers(outgoing.own, 1, 3)
    const vector = { adder: 'a', incarnation: 'a1', upTo: 1, ranges: [[3, 3] as const] }
    takeAck(outgoing, { member: 'b', incarnation: 'b1' }, vector)
    expect([1, 2, 3].map(number => holdersOf(outgoing, number, members))).toEqual([2, 1, 2])
  })

  it('a member that was opened anew counts for nothing until it acknowledged anew', () => {
    const outgoing = createOutgoing('a1')
    assignSequence(outgoing, ref('x'))
    const vector = { adder: 'a', incarnation: 'a1', upTo: 1, ranges: [] }
    takeAck(outgoing, { member: 'b', incarnation: 'b1' }, vector)
    expect(holdersOf(outgoing, 1, members)).toBe(1)
    const reopened = new Map([['b', { incarnation: 'b2' }]])
    expect(holdersOf(outgoing, 1, reopened)).toBe(0)
    takeAck(outgoing, { member: 'b', incarnation: 'b2' }, vector)
    expect(holdersOf(outgoing, 1, reopened)).toBe(1)
  })

  it('an acknowledgment of another incarnation, or beyond what was added, says nothing', () => {
    const outgoing = createOutgoing('a2')
    assignSequence(outgoing, ref('x'))
    const from = { member: 'b', incarnation: 'b1' }
    takeAck(outgoing, from, { adder: 'a', incarnation: 'a1', upTo: 1, ranges: [] })
    takeAck(outgoing, from, { adder: 'a', incarnation: 'a2', upTo: 2, ranges: [] })
    takeAck(outgoing, from, { adder: 'a', incarnation: 'a2', upTo: 0, ranges: [[2, 9]] })
    expect(holdersOf(outgoing, 1, members)).toBe(0)
    expect(holdersOf(outgoing, 2, members)).toBe(0)
  })

  it('a vector carries the bounded number of ranges, the lowest', () => {
    const incoming = createIncoming('a', 'a1')
    for (let at = 1; at <= limits.ackRangesMax + 1; at++)
      addNumbers(incoming.numbers, 3 * at, 3 * at)
    const { upTo, ranges } = vectorOf(incoming)
    expect(upTo).toBe(0)
    expect(ranges.length).toBe(limits.ackRangesMax)
    expect(ranges[0]).toEqual([3, 3])
  })

  it('forgets numbers below a floor that never goes back, and none above', () => {
    const outgoing = createOutgoing('a1')
    for (let at = 1; at <= 10; at++) assignSequence(outgoing, ref('x'))
    raiseFloor(outgoing, 4)
    raiseFloor(outgoing, 2)
    expect(outgoing.floor).toBe(4)
    expect([...outgoing.sent.keys()]).toEqual([4, 5, 6, 7, 8, 9, 10])
    raiseFloor(outgoing, 100)
    expect(outgoing.floor).toBe(11)
    expect(outgoing.sent.size).toBe(0)
  })
})
