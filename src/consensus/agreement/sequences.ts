/**
 * Sequences and acknowledgments (PROTOCOL 6). Every fact that this member adds gets the next number
 * of its incarnation; others acknowledge numbers whose fact and payload are durable there; from the
 * acknowledgments follow the levels that clients are told.
 *
 * A number counts for a member only while that member's latest message shows the incarnation under
 * which it acknowledged: a member that was restored from an old copy has a new one.
 */
import type { FactRef, Incarnation, MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { AckVector } from '../messages.ts'

export type Range = readonly [number, number]

/** A set of numbers ≥ 1 as a contiguous beginning and ranges above it. */
export interface NumberSet {
  /** All numbers up to and with this one are in the set. */
  upTo: number
  /** Inclusive, ascending, disjoint, not adjacent, all above `upTo + 1`. */
  ranges: Range[]
}

export function emptyNumbers(): NumberSet {
  return { upTo: 0, ranges: [] }
}

/** Whether a number is in the set. */
export function hasNumber(set: NumberSet, number: number): boolean {
  if (number <= set.upTo) return true
  return set.ranges.some(([from, to]) => number >= from && number <= to)
}

/** Adds a range (inclusive). */
export function addNumbers(set: NumberSet, from: number, to: number): void {
  if (to <= set.upTo) return
  if (from <= set.upTo + 1) {
    set.upTo = to
  } else {
    const kept: Range[] = []
    let low = from
    let high = to
    for (const range of set.ranges) {
      if (range[1] + 1 < low || range[0] > high + 1) kept.push(range)
      else {
        low = Math.min(low, range[0])
        high = Math.max(high, range[1])
      }
    }
    kept.push([low, high])
    set.ranges = kept.sort((a, b) => a[0] - b[0])
  }
  while (set.ranges.length > 0 && set.ranges[0]![0] <= set.upTo + 1) {
    set.upTo = Math.max(set.upTo, set.ranges.shift()![1])
  }
}

/** The numbers up to `last` that are not in the set, as at most `max` ranges, lowest first. */
export function missingNumbers(set: NumberSet, last: number, max: number): Range[] {
  const missing: Range[] = []
  let next = set.upTo + 1
  for (const [from, to] of set.ranges) {
    if (missing.length >= max || next > last) return missing
    if (from > next) missing.push([next, Math.min(from - 1, last)])
    next = to + 1
  }
  if (missing.length < max && next <= last) missing.push([next, last])
  return missing
}

/** What this member added in its incarnation, and who has it. */
export interface Outgoing {
  readonly incarnation: Incarnation
  last: number
  /** Facts by number, for members that ask; trimmed from below. */
  readonly sent: Map<number, FactRef>
  /** The lowest number still in `sent`; nobody is asked to acknowledge below it. */
  floor: number
  /** Own durable numbers. */
  readonly own: NumberSet
  readonly acks: Map<MemberId, { readonly incarnation: Incarnation; readonly numbers: NumberSet }>
}

export function createOutgoing(incarnation: Incarnation): Outgoing {
  return {
    incarnation,
    last: 0,
    sent: new Map(),
    floor: 1,
    own: emptyNumbers(),
    acks: new Map(),
  }
}

/** Gives the next number to a fact. */
export function assignSequence(outgoing: Outgoing, ref: FactRef): number {
  outgoing.last += 1
  outgoing.sent.set(outgoing.last, ref)
  return outgoing.last
}

/**
 * Forgets the facts of numbers below `floor`. Members take everything below the floor for closed,
 * so the floor must never pass a number whose holders are still to be counted.
 */
export function raiseFloor(outgoing: Outgoing, floor: number): void {
  while (outgoing.floor < floor && outgoing.floor <= outgoing.last) {
    outgoing.sent.delete(outgoing.floor)
    outgoing.floor += 1
  }
}

/**
 * Takes an acknowledgment; one of another incarnation of ours says nothing, nor does one for a
 * number that was not given yet: it would count later for a fact that its sender never saw.
 */
export function takeAck(
  outgoing: Outgoing,
  from: { readonly member: MemberId; readonly incarnation: Incarnation },
  vector: AckVector,
): void {
  if (vector.incarnation !== outgoing.incarnation || vector.upTo > outgoing.last) return
  if (vector.ranges.some(([, to]) => to > outgoing.last)) return
  const numbers: NumberSet = { upTo: vector.upTo, ranges: [...vector.ranges] }
  outgoing.acks.set(from.member, { incarnation: from.incarnation, numbers })
}

/**
 * How many of the roster hold a number durably: this member, and those whose acknowledgment was
 * made under the incarnation that they show now.
 */
export function holdersOf(
  outgoing: Outgoing,
  number: number,
  members: ReadonlyMap<MemberId, { readonly incarnation: Incarnation }>,
): number {
  let count = hasNumber(outgoing.own, number) ? 1 : 0
  for (const [member, ack] of outgoing.acks) {
    if (members.get(member)?.incarnation !== ack.incarnation) continue
    if (hasNumber(ack.numbers, number)) count += 1
  }
  return count
}

/** What this member holds of another's incarnation. */
export interface Incoming {
  readonly adder: MemberId
  incarnation: Incarnation
  readonly numbers: NumberSet
  /** The highest number heard of. */
  last: number
  /** Numbers whose fact is here, or that need not be asked for again; a superset of `numbers`. */
  readonly seen: NumberSet
  /** Since when a gap has stood open; null: none. */
  gapSince: number | null
  /** When the gap may be asked after again. */
  fillAt: number
}

export function createIncoming(adder: MemberId, incarnation: Incarnation): Incoming {
  return {
    adder,
    incarnation,
    numbers: emptyNumbers(),
    last: 0,
    seen: emptyNumbers(),
    gapSince: null,
    fillAt: 0,
  }
}

/** The acknowledgment to send for one adder. */
export function vectorOf(incoming: Incoming): AckVector {
  return {
    adder: incoming.adder,
    incarnation: incoming.incarnation,
    upTo: incoming.numbers.upTo,
    ranges: incoming.numbers.ranges.slice(0, limits.ackRangesMax),
  }
}
