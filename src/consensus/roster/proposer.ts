/**
 * The proposer's half of the roster machine. Its own promise comes first and is saved before others
 * hear of the ballot: so a ballot is never used twice, whatever is forgotten. Others are asked
 * then; with more than half of them the ballot takes up what was accepted in the highest one found,
 * else the wish. A `begin` needs the promise of every member, or nothing begins: it is given up by
 * deciding `stay`, which frees those that promised.
 */
import { compareAscii } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import {
  after,
  type Change,
  compareBallots,
  electorates,
  holds,
  isMajority,
  isSameBallot,
  type Seat,
} from './configuration.ts'
import type { Accepted, Proposal, RosterEffect, RosterMessage, RosterState } from './state.ts'

/** Begins to have a wish decided, or (`null`) to finish what others began. */
export function propose(state: RosterState, wish: Change | null): RosterEffect[] {
  const { known, self } = state
  if (wish !== null && holds(known, wish)) return [{ kind: 'ended', ending: { kind: 'done' } }]
  const isElector = known.members.some(({ peer }) => peer === self)
  if (!isElector || (wish !== null && after(known, wish) === null)) {
    return [{ kind: 'ended', ending: { kind: 'overtaken' } }]
  }
  state.counter += 1
  const ballot = { counter: state.counter, peer: self }
  state.proposal = {
    wish,
    ballot,
    promises: new Map(),
    value: null,
    accepted: new Map(),
    isDecided: false,
  }
  return [{ kind: 'send', messages: [{ to: self, message: prepareOf(state, state.proposal) }] }]
}

/** A ballot that did not come through: another one, or the end of a `begin` that not all want. */
export function retry(state: RosterState): RosterEffect[] {
  const { proposal } = state
  if (proposal === null || proposal.isDecided) return []
  if (proposal.wish?.kind === 'begin' && proposal.value === null) {
    const stay = stayOf(state)
    if (isPromised(state, proposal, stay)) return askToAccept(state, proposal, stay)
  }
  return propose(state, proposal.wish)
}

/** Forgets the wish; what is accepted of it lives on and is finished by whoever finds it. */
export function giveUp(state: RosterState): RosterEffect[] {
  state.proposal = null
  return []
}

export function onPromise(
  state: RosterState,
  from: MemberId,
  told: Extract<RosterMessage, { kind: 'promise' }>,
): RosterEffect[] {
  const { proposal, known, self } = state
  if (proposal === null || !isSameBallot(proposal.ballot, told.ballot)) return []
  if (proposal.value !== null) return []
  const { accepted, isSure } = told
  const promises = new Map(proposal.promises).set(from, { accepted, isSure })
  const next: Proposal = { ...proposal, promises }
  state.proposal = next
  const effects: RosterEffect[] = []
  if (from === self) {
    const message = prepareOf(state, next)
    const others = known.members.filter(({ peer }) => peer !== self)
    effects.push({ kind: 'send', messages: others.map(({ peer }) => ({ to: peer, message })) })
  }
  return [...effects, ...choose(state, next)]
}

export function onAccepted(
  state: RosterState,
  from: MemberId,
  told: Extract<RosterMessage, { kind: 'accepted' }>,
): RosterEffect[] {
  const { proposal, known } = state
  if (proposal === null || proposal.value === null || proposal.isDecided) return []
  if (!isSameBallot(proposal.ballot, told.ballot)) return []
  const accepted = new Map(proposal.accepted).set(from, { isSure: told.isSure })
  const { value: change, ballot } = proposal
  const isDecided = bodiesOf(state, change).every(electors => isMajority(electors, accepted))
  state.proposal = { ...proposal, accepted, isDecided }
  if (!isDecided) return []
  const decision = {
    number: known.number + 1,
    change,
    ballot,
    accepted: [...accepted.keys()].sort(compareAscii),
  }
  return [{ kind: 'decided', decision }]
}

/** Only remembers how high others are: the next ballot is above it. */
export function onDenied(
  state: RosterState,
  { promised }: Extract<RosterMessage, { kind: 'denied' }>,
): RosterEffect[] {
  state.counter = Math.max(state.counter, promised?.counter ?? 0)
  return []
}

/** Enough have promised: the ballot is about what was accepted highest, else about the wish. */
function choose(state: RosterState, proposal: Proposal): RosterEffect[] {
  const { known } = state
  const found = highest(proposal)
  if (found !== null) {
    return isPromised(state, proposal, found.change)
      ? askToAccept(state, proposal, found.change)
      : []
  }
  const wish = proposal.wish ?? (known.quorum === 'visible' ? stayOf(state) : null)
  if (wish?.kind === 'begin') {
    // Who did not promise could still change the set: nothing begins without it.
    const isWhole = wish.members.every(({ peer }) => proposal.promises.has(peer))
    return isWhole ? askToAccept(state, proposal, wish) : []
  }
  if (!isPromised(state, proposal, wish)) return []
  if (wish !== null) return askToAccept(state, proposal, wish)
  state.proposal = null // nothing that was begun could have been decided: nothing is to be finished
  return [{ kind: 'ended', ending: { kind: 'done' } }]
}

function highest({ promises }: Proposal): Accepted | null {
  let found: Accepted | null = null
  for (const { accepted } of promises.values()) {
    if (accepted === null) continue
    if (found === null || compareBallots(accepted.ballot, found.ballot) > 0) found = accepted
  }
  return found
}

/** Promises come from those that decided before: whatever was decided, some of them accepted it. */
function isPromised(state: RosterState, proposal: Proposal, change: Change | null): boolean {
  const isPlanted = state.planted.has('new-roster-alone') && change !== null
  const electors = isPlanted ? bodiesOf(state, change)[0]! : state.known.members
  return isMajority(electors, proposal.promises)
}

function askToAccept(state: RosterState, proposal: Proposal, change: Change): RosterEffect[] {
  const { ballot } = proposal
  state.proposal = { ...proposal, value: change, accepted: new Map() }
  const number = state.known.number + 1
  const asked = new Set(electorates(state.known, change).flatMap(peersOf))
  const message: RosterMessage = { kind: 'accept', number, ballot, change }
  return [{ kind: 'send', messages: [...asked].map(to => ({ to, message })) }]
}

function bodiesOf(state: RosterState, change: Change): readonly (readonly Seat[])[] {
  const bodies = electorates(state.known, change)
  return state.planted.has('new-roster-alone') ? bodies.slice(-1) : bodies
}

function peersOf(electors: readonly Seat[]): MemberId[] {
  return electors.map(({ peer }) => peer)
}

function stayOf({ known }: RosterState): Change {
  return { kind: 'stay', members: known.members }
}

function prepareOf({ known }: RosterState, { ballot }: Proposal): RosterMessage {
  const members = known.quorum === 'visible' ? known.members : null
  return { kind: 'prepare', number: known.number + 1, ballot, members }
}
