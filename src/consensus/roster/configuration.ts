/**
 * The roster under quorum `roster` as data (PROTOCOL 10): a chain of numbered configurations, each
 * made of the one before by a single change. Only the changes are kept and told, so a step of more
 * than one member cannot even be said; the exceptions begin or end the chain's rule.
 *
 * Pure: everything follows from the arguments. Nothing here counts a member twice, and nothing is
 * decided without more than half of the configuration before *and* of the one after.
 */
import { compareAscii } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { unreachable } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'

/** One membership of a peer; who comes back has a new number. */
export interface Seat {
  readonly peer: MemberId
  readonly membership: number
}

/** Who asks, and how often it or anybody has asked before: ballots are in one order everywhere. */
export interface Ballot {
  readonly counter: number
  readonly peer: MemberId
}

/** What one number can be decided to be. */
export type Change =
  /** From here on the roster is this chain: the first one of a network, or the end of `visible`. */
  | { readonly kind: 'begin'; readonly members: readonly Seat[] }
  | { readonly kind: 'add'; readonly seat: Seat }
  | { readonly kind: 'remove'; readonly seat: Seat }
  /** From here on the roster is a set again that any Source changes. */
  | { readonly kind: 'visible' }
  /** A `begin` that not every member agreed to was given up: all is as it was. */
  | { readonly kind: 'stay'; readonly members: readonly Seat[] }

/** What was decided for a number, in which ballot, and who accepted it there. */
export interface Decision {
  readonly number: number
  readonly change: Change
  readonly ballot: Ballot
  readonly accepted: readonly MemberId[]
}

export interface Configuration {
  /** 0 where nothing was ever decided. */
  readonly number: number
  readonly quorum: 'visible' | 'roster'
  /** With `visible`: the set as this member has it now. */
  readonly members: readonly Seat[]
}

/** Who has accepted or promised, and whether it is sure of all that it said before. */
export type Votes = ReadonlyMap<MemberId, { readonly isSure: boolean }>

export function compareBallots(a: Ballot, b: Ballot): number {
  return a.counter - b.counter || compareAscii(a.peer, b.peer)
}

export function isSameBallot(a: Ballot, b: Ballot): boolean {
  return compareBallots(a, b) === 0
}

export function isSameSeat(a: Seat, b: Seat): boolean {
  return a.peer === b.peer && a.membership === b.membership
}

/** Equal sets, in whatever order. */
export function areSameSeats(a: readonly Seat[], b: readonly Seat[]): boolean {
  return a.length === b.length && a.every(seat => b.some(other => isSameSeat(seat, other)))
}

/** The configuration after a change, or `null` where that change cannot follow. */
export function after(before: Configuration, change: Change): Configuration | null {
  const number = before.number + 1
  const { members, quorum } = before
  switch (change.kind) {
    case 'begin':
      if (quorum !== 'visible' || !isRoster(change.members)) return null
      return { number, quorum: 'roster', members: change.members }
    case 'stay':
      return quorum === 'visible' && isRoster(change.members) ? { ...before, number } : null
    case 'visible':
      return quorum === 'roster' ? { number, quorum: 'visible', members } : null
    case 'add': {
      const { seat } = change
      if (quorum !== 'roster' || members.some(({ peer }) => peer === seat.peer)) return null
      if (members.length >= limits.membersMax) return null
      return { number, quorum, members: [...members, seat] }
    }
    case 'remove': {
      const rest = members.filter(seat => !isSameSeat(seat, change.seat))
      if (quorum !== 'roster' || rest.length === members.length || rest.length === 0) return null
      return { number, quorum, members: rest }
    }
    default:
      return unreachable(change)
  }
}

/** Whether a change holds in a configuration, however it came about. */
export function holds({ quorum, members }: Configuration, change: Change): boolean {
  switch (change.kind) {
    case 'begin':
      return quorum === 'roster'
    case 'stay':
    case 'visible':
      return quorum === 'visible'
    case 'add':
      return quorum === 'roster' && members.some(seat => isSameSeat(seat, change.seat))
    case 'remove':
      return quorum === 'roster' && !members.some(seat => isSameSeat(seat, change.seat))
    default:
      return unreachable(change)
  }
}

/** The two bodies of electors that decide a change: those before it, and those after it. */
export function electorates(before: Configuration, change: Change): readonly (readonly Seat[])[] {
  if (change.kind === 'begin' || change.kind === 'stay') return [change.members]
  const next = after(before, change)
  return next === null ? [before.members] : [before.members, next.members]
}

/**
 * More than half. Who lost part of its store may have said more than it remembers: its word counts
 * only where everybody else gave the same, so that there is nothing it could have forgotten.
 */
export function isMajority(electors: readonly Seat[], votes: Votes): boolean {
  const given = electors.map(({ peer }) => votes.get(peer))
  if (electors.length > 0 && given.every(vote => vote !== undefined)) return true
  return given.filter(vote => vote?.isSure === true).length * 2 > electors.length
}

/** Whether a decision shows that it was one: made on `before`, by more than half of each body. */
export function isDecided(before: Configuration, decision: Decision): boolean {
  if (decision.number !== before.number + 1) return false
  if (after(before, decision.change) === null) return false
  const accepted = new Set(decision.accepted)
  return electorates(before, decision.change).every(electors => {
    return electors.filter(({ peer }) => accepted.has(peer)).length * 2 > electors.length
  })
}

function isRoster(members: readonly Seat[]): boolean {
  const peers = new Set(members.map(({ peer }) => peer))
  return members.length > 0 && peers.size === members.length && peers.size <= limits.membersMax
}
