/**
 * What a message of another member changes: its place on the list, its history, a mark, and, with
 * two Sources, our own status (PROTOCOL 9).
 */
import { STAMP_ZERO } from '../../base/stamp.ts'
import type { Envelope, Ping } from '../messages.ts'
import { countsInPeriod, isInFirstPeriod } from './check.ts'
import { stepDown } from './duty.ts'
import type { Effect } from './events.ts'
import { match, record } from './history.ts'
import { isHeard, isReached, otherSources } from './reach.ts'
import { type AgreementState, type Peer, takeTicket } from './state.ts'

/** A heal compares at most once a second with each Source. */
const HEAL_EVERY_MS = 1000

/** The envelope of any message. Messages of strangers never come here. */
export function hear(state: AgreementState, envelope: Envelope, effects: Effect[]): void {
  const peer = state.peers.get(envelope.uuid)
  if (peer === undefined) return
  if (peer.incarnation !== envelope.incarnation) restarted(state, peer, envelope)
  if (!isHeard(state, peer)) peer.heardSince = state.now
  peer.heardAt = state.now
  if (envelope.clock <= peer.clock) return // relayed late: newer news of it are known
  peer.clock = envelope.clock
  peer.hash = envelope.hash
  peer.cut = envelope.cut
  peer.held = envelope.held
  peer.empty = envelope.empty
  peer.gap = envelope.gap
  if (
    peer.status !== envelope.status ||
    (envelope.status === 'source') !== (peer.sourceSince !== null)
  ) {
    changeStatus(state, peer, envelope, effects)
  }
}

/** A ping: besides the envelope an announcement, which makes an entry and perhaps a match. */
export function hearPing(
  state: AgreementState,
  envelope: Envelope,
  ping: Ping,
  effects: Effect[],
): void {
  hear(state, envelope, effects)
  const peer = state.peers.get(envelope.uuid)
  if (peer === undefined || peer.incarnation !== envelope.incarnation) return
  // Gossip is slower than the direct streams: a ping that a probe has overtaken is still the newest.
  if (peer.ping === null || envelope.clock > peer.ping.clock) {
    peer.ping = {
      at: state.now,
      clock: envelope.clock,
      answers: new Set(ping.answers),
      reached: new Set(ping.reached),
      marked: new Set(ping.marked),
      configuration: ping.configuration,
    }
  }
  announced(state, peer, envelope, effects)
}

/**
 * A member that was opened anew: what it announced in its former life is over. While it is heard,
 * an older clock under another incarnation is a relayed message of that former life. Its mark stays
 * until its status is looked at: a restart within a period in which it was marked is no
 * desynchronisation, and must not take its only other Source down.
 */
function restarted(state: AgreementState, peer: Peer, envelope: Envelope): void {
  if (isHeard(state, peer) && envelope.clock <= peer.clock) return
  peer.clock = STAMP_ZERO
  peer.incarnation = envelope.incarnation
  peer.history = []
  peer.ping = null
  if (envelope.status !== 'source') return
  peer.sourceSince = null // Source again before anything else was heard of it: a newcomer
  peer.marked = false
  peer.markedBefore = false
}

function changeStatus(
  state: AgreementState,
  peer: Peer,
  envelope: Envelope,
  effects: Effect[],
): void {
  const wasOnlyOther = peer.sourceSince !== null && lostMyOnlySource(state, peer)
  peer.status = envelope.status
  if (envelope.status === 'source') {
    if (peer.sourceSince === null) {
      peer.sourceSince = state.now
      peer.history = []
    }
    return
  }
  peer.sourceSince = null
  peer.history = []
  peer.marked = false
  peer.markedBefore = false
  if (wasOnlyOther) stepDown(state, 'the only other Source lost its status unmarked', effects)
}

/**
 * With two Sources any desynchronisation takes both to counter-sync. Not one in its first period:
 * it was in sync when it was elected, and the loss may be the echo of its own a moment ago. Each
 * would take the other down again, once in each delay of the network, without an end.
 */
function lostMyOnlySource(state: AgreementState, peer: Peer): boolean {
  if (state.source === null || isInFirstPeriod(state.source)) return false
  if (peer.marked || !countsInPeriod(state, peer)) return false
  return otherSources(state).filter(other => countsInPeriod(state, other)).length === 1
}

function announced(state: AgreementState, peer: Peer, envelope: Envelope, effects: Effect[]): void {
  const entry = { cut: envelope.cut, hash: envelope.hash }
  if (peer.sourceSince === null) {
    peer.history = [entry]
    return
  }
  record(peer.history, entry)
  if (state.source === null) return
  tryMatch(state, peer)
  heal(state, peer, effects)
}

/**
 * Tries every Source after an own announcement: also for healing, since of two members one always
 * comes to a cut later, and never hears the other's ping at a moment when both are there.
 */
export function matchAll(state: AgreementState, effects: Effect[]): void {
  for (const peer of otherSources(state)) {
    tryMatch(state, peer)
    heal(state, peer, effects)
  }
}

function tryMatch(state: AgreementState, peer: Peer): void {
  if (state.planted.has('suppress-marks')) return
  if (match(state.history, peer.history)) peer.marked = true
}

/** Two Sources that marked each other and differ at the same cut compare before the check does. */
function heal(state: AgreementState, peer: Peer, effects: Effect[]): void {
  if (peer.cut !== state.own.cut || peer.hash === state.own.hash) return
  if (!isReached(state, peer)) return
  if (!(peer.marked || peer.markedBefore) || !(peer.ping?.marked.has(state.self) ?? false)) return
  if (state.now - peer.healedAt < HEAL_EVERY_MS) return
  peer.healedAt = state.now
  effects.push({
    kind: 'compare',
    ticket: takeTicket(state),
    peer: peer.id,
    scope: 'settled',
    purpose: 'heal',
  })
}
