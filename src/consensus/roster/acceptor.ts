/**
 * The acceptor's half of the roster machine: what a member promises and accepts for the next
 * number. It judges no wish; it only keeps its word. Every word is in the effect that makes it
 * durable, and a ballot below the promised one is denied for good.
 */
import type { MemberId } from '../../base/fact.ts'
import { after, areSameSeats, compareBallots } from './configuration.ts'
import type { RosterEffect, RosterMessage, RosterState, Vote } from './state.ts'

type Prepare = Extract<RosterMessage, { kind: 'prepare' }>
type Accept = Extract<RosterMessage, { kind: 'accept' }>

/** Promises to take no lower ballot, and tells what it has accepted so far. */
export function onPrepare(state: RosterState, from: MemberId, asked: Prepare): RosterEffect[] {
  const { known, vote, self } = state
  if (asked.ballot.peer !== from || !known.members.some(({ peer }) => peer === self)) return []
  const { number, ballot } = asked
  const isSame = known.quorum === 'roster' || areSameSeats(asked.members ?? [], known.members)
  if (!isSame) return deny(from, asked, null)
  if (isAbove(vote, asked)) return deny(from, asked, vote.promised)
  const { accepted, isSure } = vote
  return save(state, { ...vote, promised: ballot }, from, {
    kind: 'promise',
    number,
    ballot,
    accepted,
    isSure,
  })
}

/** Accepts what a ballot is about, unless a higher one was promised. */
export function onAccept(state: RosterState, from: MemberId, asked: Accept): RosterEffect[] {
  const { known, vote, self } = state
  const { number, ballot, change } = asked
  const next = after(known, change)
  if (ballot.peer !== from || next === null) return []
  if (![...known.members, ...next.members].some(({ peer }) => peer === self)) return []
  const isSet = change.kind === 'begin' || change.kind === 'stay'
  if (isSet && !areSameSeats(change.members, known.members)) return deny(from, asked, null)
  if (isAbove(vote, asked) && !state.planted.has('accepts-without-looking')) {
    return deny(from, asked, vote.promised)
  }
  const accepted = { ...vote, promised: ballot, accepted: { ballot, change } }
  const { isSure } = vote
  return save(state, accepted, from, { kind: 'accepted', number, ballot, isSure })
}

function isAbove({ promised }: Vote, { ballot }: Prepare | Accept): boolean {
  return promised !== null && compareBallots(promised, ballot) > 0
}

function save(
  state: RosterState,
  vote: Vote,
  to: MemberId,
  message: RosterMessage,
): RosterEffect[] {
  state.vote = vote
  state.counter = Math.max(state.counter, vote.promised?.counter ?? 0)
  return [{ kind: 'save', vote, messages: [{ to, message }] }]
}

function deny(
  to: MemberId,
  { number, ballot }: Prepare | Accept,
  promised: Vote['promised'],
): RosterEffect[] {
  if (ballot.peer !== to) return []
  return [
    { kind: 'send', messages: [{ to, message: { kind: 'denied', number, ballot, promised } }] },
  ]
}
