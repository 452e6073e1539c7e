/**
 * The roster machine (PROTOCOL 10): how the members of a configuration decide what the next one is.
 * Single-decree Paxos for each number: a proposer has its ballot promised by more than half, takes
 * up what it finds accepted there before its own wish, and has it accepted by more than half of the
 * configuration before and of the one after. Events in, effects out; no clock: who is driven too
 * fast loses time and nothing else.
 *
 * What must never be: a vote that is said before it is saved, a promise that is broken, a value of
 * one's own in a ballot that found another.
 */
import { unreachable } from '../../base/invariant.ts'
import { onAccept, onPrepare } from './acceptor.ts'
import { after, holds } from './configuration.ts'
import { giveUp, onAccepted, onDenied, onPromise, propose, retry } from './proposer.ts'
import { freshVote, type RosterEffect, type RosterEvent, type RosterState } from './state.ts'

/** Takes one event in and answers what to do, in this order. */
export function stepRoster(state: RosterState, event: RosterEvent): RosterEffect[] {
  switch (event.kind) {
    case 'propose':
      return propose(state, event.wish)
    case 'message':
      return hear(state, event)
    case 'known':
      return learn(state, event)
    case 'retry':
      return retry(state)
    case 'giveUp':
      return giveUp(state)
    default:
      return unreachable(event)
  }
}

function hear(
  state: RosterState,
  { from, message }: Extract<RosterEvent, { kind: 'message' }>,
): RosterEffect[] {
  const { number } = message
  if (number > state.known.number + 1) return [{ kind: 'fetch', from }]
  if (number <= state.known.number) {
    // Only who asks is told: answers to what is over would go to and fro.
    const asks = message.kind === 'prepare' || message.kind === 'accept'
    return asks && from !== state.self ? [{ kind: 'tell', to: from }] : []
  }
  switch (message.kind) {
    case 'prepare':
      return onPrepare(state, from, message)
    case 'accept':
      return onAccept(state, from, message)
    case 'promise':
      return onPromise(state, from, message)
    case 'accepted':
      return onAccepted(state, from, message)
    case 'denied':
      return onDenied(state, message)
    default:
      return unreachable(message)
  }
}

/** Goes on from what was decided: votes begin anew, and a wish that is still open is tried again. */
function learn(
  state: RosterState,
  { known, decision }: Extract<RosterEvent, { kind: 'known' }>,
): RosterEffect[] {
  const isNext = known.number > state.known.number
  state.known = known
  if (!isNext) return []
  const effects: RosterEffect[] = []
  const { vote, proposal } = state
  // Sure again, once a decision rests on what it said after the loss.
  const isCounted =
    decision?.number === vote.number &&
    decision.accepted.includes(state.self) &&
    decision.ballot.counter === vote.accepted?.ballot.counter &&
    decision.ballot.peer === vote.accepted.ballot.peer
  const isSure = vote.isSure || (isCounted && known.number === vote.number)
  state.vote = freshVote(known.number + 1, isSure)
  if (!vote.isSure) effects.push({ kind: 'save', vote: state.vote, messages: [] })
  state.counter = 0
  state.proposal = null
  if (proposal === null) return effects
  const { wish } = proposal
  if (wish === null || holds(known, wish)) {
    return [...effects, { kind: 'ended', ending: { kind: 'done' } }]
  }
  if (decision?.change.kind === 'stay') {
    return [...effects, { kind: 'ended', ending: { kind: 'stayed' } }]
  }
  if (after(known, wish) === null) {
    return [...effects, { kind: 'ended', ending: { kind: 'overtaken' } }]
  }
  return [...effects, ...propose(state, wish)]
}
