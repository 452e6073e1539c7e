/**
 * The agreement machine (PROTOCOL 4–9): events in, effects out. The daemon, the simulator and the
 * explorer run this very code. `step` takes in what happened and then reviews where the member
 * stands; the review is the only place that changes the status.
 *
 * Statuses and their only ways:
 *   empty, counter-sync, source-sync → source    (counter-sync.ts, source-sync.ts, or all empty)
 *   source → counter-sync | source-sync | empty  (a failed check, the last other Source gone,
 *                                                 or, with quorum `roster`, no majority reached)
 *   empty ↔ counter-sync ↔ source-sync           (by what is held and whether a Source is seen)
 */
import type { Hash } from '../../base/hash.ts'
import { unreachable } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import type { Status } from '../messages.ts'
import { runCheck } from './check.ts'
import {
  onGained,
  onRearranged,
  onCompared as onRoundCompared,
  reviewRound,
} from './counter-sync.ts'
import { becomeSource, stepDown } from './duty.ts'
import { mayElect } from './elect.ts'
import type { AgreementEvent, Compared, Effect } from './events.ts'
import { hear, hearPing, matchAll } from './hear.ts'
import { record } from './history.ts'
import { answersMe, isHeard, reachedPeers, reachesMajority, seesSource } from './reach.ts'
import { onSyncCompared, onSyncRearranged, reviewSync } from './source-sync.ts'
import { type AgreementState, setRoster } from './state.ts'

const STOOD_STILL = 'this process stood still for over 3 s'

/** Takes one event in and answers what to do. */
export function step(state: AgreementState, event: AgreementEvent): Effect[] {
  const effects: Effect[] = []
  if (event.kind !== 'tick' && stoodStill(state, event.now)) stepDown(state, STOOD_STILL, effects)
  state.now = Math.max(state.now, event.now)
  take(state, event, effects)
  review(state, effects)
  return announceOnce(effects)
}

/**
 * Whether this process stood still for so long that, with quorum `roster`, it is Source no more,
 * though no tick came yet: it gives the status up before it says or takes anything (PROTOCOL 9).
 * Who is about to say something asks this first, and lets time pass.
 */
export function stoodStill(state: AgreementState, now: number): boolean {
  if (state.source === null || state.quorum !== 'roster') return false
  return now - state.lastTickAt > limits.heardMs
}

/** However often a step wants to be heard, one announcement at its end says where it stands. */
function announceOnce(effects: Effect[]): Effect[] {
  const once: Effect[] = effects.filter(effect => effect.kind !== 'announce')
  if (once.length < effects.length) once.push({ kind: 'announce' })
  return once
}

function take(state: AgreementState, event: AgreementEvent, effects: Effect[]): void {
  switch (event.kind) {
    case 'tick':
      return onTick(state, event.isCutMoving === true, effects)
    case 'message':
      return hear(state, event.envelope, effects)
    case 'ping':
      return hearPing(state, event.envelope, event.ping, effects)
    case 'answered': {
      const peer = state.peers.get(event.peer)
      if (peer === undefined) return
      if (!answersMe(state, peer)) state.announcesSoon = true
      peer.answeredAt = state.now
      if (event.rttMs !== null) peer.rttMs = event.rttMs
      return
    }
    case 'roster':
      state.quorum = event.quorum
      if (!state.planted.has('yesterdays-roster') || state.roster.length <= 1) {
        state.bodies = event.bodies ?? [event.members]
      }
      state.configuration = event.configuration ?? 0
      return setRoster(state, event.members)
    case 'own':
      return onOwn(state, event.own, effects)
    case 'gained':
      onGained(state, event.refs)
      if (event.held !== undefined) takeHeld(state, event.held)
      return
    case 'lost':
      // No answer is seen from what is held now, and none on its way will be: all are asked anew.
      state.own = { ...state.own, held: event.held }
      state.round = null
      return
    case 'compared':
      return onCompared(state, event, effects)
    case 'rearranged':
      if (state.sync?.rearranging === event.ticket) return onSyncRearranged(state)
      return onRearranged(state, event, effects)
    default:
      return unreachable(event)
  }
}

/** A result belongs to whoever holds its ticket; results of what was given up are dropped. */
function onCompared(state: AgreementState, event: Compared, effects: Effect[]): void {
  if (state.sync?.asking?.ticket === event.ticket) return onSyncCompared(state, event, effects)
  onRoundCompared(state, event)
}

function onOwn(state: AgreementState, own: AgreementState['own'], effects: Effect[]): void {
  const before = state.own
  state.own = own
  if (state.round !== null) state.round.isGaining = false
  if (before.cut === own.cut && before.hash === own.hash) return
  record(state.history, { cut: own.cut, hash: own.hash })
  if (state.source !== null) matchAll(state, effects)
  if (before.cut !== own.cut) announce(state, effects)
  else if (state.source !== null) state.announcesSoon = true
}

/** The held root that goes with what was just gained: no other step stands between the two. */
function takeHeld(state: AgreementState, held: Hash): void {
  state.own = { ...state.own, held }
  if (state.round !== null) state.round.isGaining = false
}

function onTick(state: AgreementState, isCutMoving: boolean, effects: Effect[]): void {
  if (stoodStill(state, state.now)) stepDown(state, STOOD_STILL, effects)
  state.lastTickAt = state.now
  if (reachesMajority(state)) state.reachedMajorityAt = state.now
  if (reachedPeers(state).length > 0) state.reachedAnybodyAt = state.now
  if (state.source === null) forgetSilentSources(state)
  else {
    keepRosterQuorum(state, effects)
    runCheck(state, effects)
  }
  const isDue = state.announcesSoon || state.now - state.pingedAt >= limits.pingMs
  if (isDue && !isCutMoving) announce(state, effects)
}

/** quorum `roster`: without more than half for 3 s Source ends at once. */
function keepRosterQuorum(state: AgreementState, effects: Effect[]): void {
  if (state.source === null || state.quorum !== 'roster') return
  if (state.now - state.reachedMajorityAt > limits.heardMs) {
    stepDown(state, 'more than half of the roster was not reached for 3 s', effects)
  }
}

/** A member that is not Source forgets a Source that it has not heard for 3 s (PROTOCOL 1). */
function forgetSilentSources(state: AgreementState): void {
  for (const peer of state.peers.values()) {
    if (peer.sourceSince !== null && !isHeard(state, peer)) peer.sourceSince = null
  }
}

/** Where a member that is not Source stands, and what it does there. */
function review(state: AgreementState, effects: Effect[]): void {
  if (state.source !== null) return
  const source = seesSource(state)
  setHolding(state, !source && !state.own.empty, effects)
  if (source) {
    state.round = null
    reviewSync(state, effects)
  } else {
    state.sync = null
    if (state.own.empty) reviewEmpty(state, effects)
    else reviewRound(state, effects)
  }
  if (state.source === null) label(state, source, effects)
}

function label(state: AgreementState, source: boolean, effects: Effect[]): void {
  const to: Status = state.own.empty ? 'empty' : source ? 'source-sync' : 'counter-sync'
  if (to === state.status) return
  const sentence =
    to === 'empty'
      ? 'nothing is held yet'
      : to === 'source-sync'
        ? 'a Source is seen: comparing with it'
        : 'no Source is seen: comparing with all reached members'
  effects.push({ kind: 'status', from: state.status, to, sentence })
  state.status = to
  announce(state, effects)
}

/** All empty: all become Source at once; never while a non-empty member is heard (PROTOCOL 7.5). */
function reviewEmpty(state: AgreementState, effects: Effect[]): void {
  state.round = null
  for (const peer of state.peers.values()) {
    if (isHeard(state, peer) && !peer.empty) return
  }
  if (mayElect(state)) becomeSource(state, 'all members that are heard are empty', effects)
}

function setHolding(state: AgreementState, on: boolean, effects: Effect[]): void {
  if (state.holding === on) return
  state.holding = on
  effects.push({ kind: 'hold', on })
}

function announce(state: AgreementState, effects: Effect[]): void {
  state.pingedAt = state.now
  state.announcesSoon = false
  effects.push({ kind: 'announce' })
}
