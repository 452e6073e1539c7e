/**
 * What the roster machine is made of: the state of one member, what its members say to each other
 * about the next number, what goes into the machine and what comes out. Plain data.
 *
 * A vote is durable before anything that follows from it is said: that is why messages that depend
 * on it are inside the effect that saves it. A proposal is not durable: who forgets it has lost
 * nothing but the wish, and what others accepted of it is finished by whoever finds it.
 */
import type { MemberId } from '../../base/fact.ts'
import type { Ballot, Change, Configuration, Decision, Seat } from './configuration.ts'

/** Errors planted on purpose, so that the explorer can prove that it finds them. */
export type RosterBug = 'new-roster-alone' | 'accepts-without-looking'

export interface Accepted {
  readonly ballot: Ballot
  readonly change: Change
}

/** What a member promised and accepted for one number: its record on disk. */
export interface Vote {
  readonly number: number
  readonly promised: Ballot | null
  readonly accepted: Accepted | null
  /** Its store lost something: it may have promised and accepted more than this. */
  readonly isSure: boolean
}

export interface Promised {
  readonly accepted: Accepted | null
  readonly isSure: boolean
}

/** A number that this member tries to have decided. */
export interface Proposal {
  /** `null`: only what others began is to be finished. */
  readonly wish: Change | null
  readonly ballot: Ballot
  readonly promises: ReadonlyMap<MemberId, Promised>
  /** What this ballot is about, once enough have promised. */
  readonly value: Change | null
  readonly accepted: ReadonlyMap<MemberId, { readonly isSure: boolean }>
  /** Told once: more acceptances make no other decision. */
  readonly isDecided: boolean
}

export interface RosterState {
  readonly self: MemberId
  readonly planted: ReadonlySet<RosterBug>
  /** The newest configuration that is known to be decided. */
  known: Configuration
  /** For the number after it. */
  vote: Vote
  proposal: Proposal | null
  /** The highest counter that was seen for that number. */
  counter: number
}

export type RosterMessage =
  /** `members`: what the proposer has as the roster, where that is no chain yet. */
  | {
      readonly kind: 'prepare'
      readonly number: number
      readonly ballot: Ballot
      readonly members: readonly Seat[] | null
    }
  | {
      readonly kind: 'promise'
      readonly number: number
      readonly ballot: Ballot
      readonly accepted: Accepted | null
      readonly isSure: boolean
    }
  | {
      readonly kind: 'accept'
      readonly number: number
      readonly ballot: Ballot
      readonly change: Change
    }
  | {
      readonly kind: 'accepted'
      readonly number: number
      readonly ballot: Ballot
      readonly isSure: boolean
    }
  /** A higher ballot was promised; `null`: this member has another roster. */
  | {
      readonly kind: 'denied'
      readonly number: number
      readonly ballot: Ballot
      readonly promised: Ballot | null
    }

export interface Outgoing {
  readonly to: MemberId
  readonly message: RosterMessage
}

export type RosterEvent =
  | { readonly kind: 'propose'; readonly wish: Change | null }
  | { readonly kind: 'message'; readonly from: MemberId; readonly message: RosterMessage }
  /** More was learned, or the set of `visible` changed; with the decision that led there, if one. */
  | {
      readonly kind: 'known'
      readonly known: Configuration
      readonly decision: Decision | null
    }
  /** The ballot took too long. */
  | { readonly kind: 'retry' }
  /** Nobody waits for the wish any more. */
  | { readonly kind: 'giveUp' }

export type Ending =
  | { readonly kind: 'done' }
  /** It cannot follow on what was decided meanwhile. */
  | { readonly kind: 'overtaken' }
  /** Not every member had the same roster, or agreed, so it stays as it was. */
  | { readonly kind: 'stayed' }

export type RosterEffect =
  /** Makes a vote durable, and only then sends. */
  | { readonly kind: 'save'; readonly vote: Vote; readonly messages: readonly Outgoing[] }
  | { readonly kind: 'send'; readonly messages: readonly Outgoing[] }
  /** A member lags behind: it gets what was decided. */
  | { readonly kind: 'tell'; readonly to: MemberId }
  /** A member knows more: it is asked for what was decided. */
  | { readonly kind: 'fetch'; readonly from: MemberId }
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'ended'; readonly ending: Ending }

/** A member that knows this much; `saved` is its record, of whatever number. */
export function createRoster(options: {
  readonly self: MemberId
  readonly known: Configuration
  readonly saved: Vote | null
  readonly planted?: ReadonlySet<RosterBug>
}): RosterState {
  const { self, known, saved } = options
  const number = known.number + 1
  // a vote for a later number than the next one: decisions that it rested on were lost
  const isSure = saved === null || (saved.isSure && saved.number <= number)
  const vote = saved?.number === number ? saved : freshVote(number, isSure)
  const counter = vote.promised?.counter ?? 0
  return { self, planted: options.planted ?? new Set(), known, vote, proposal: null, counter }
}

export function freshVote(number: number, isSure: boolean): Vote {
  return { number, promised: null, accepted: null, isSure }
}
