/**
 * Source-sync (PROTOCOL 8): there is a Source and I am not it. Compare with a reached Source, take
 * what I lack, set aside what the Sources lack, and become Source when what I announced is in the
 * histories of at least half (rounded up) of the Sources.
 */
import { limits } from '../../base/limits.ts'
import { stampOf } from '../../base/stamp.ts'
import { becomeSource } from './duty.ts'
import type { Compared, Effect } from './events.ts'
import { shares } from './history.ts'
import { isReached, otherSources, reachesMajority } from './reach.ts'
import { type AgreementState, type Peer, takeTicket } from './state.ts'

/** After a comparison the next cut must pass before another can tell more. */
const COMPARE_EVERY_MS = 500

/** Compares when it is time, and becomes Source when in sync. */
export function reviewSync(state: AgreementState, effects: Effect[]): void {
  if (state.sync === null) {
    state.sync = { asking: null, rearranging: null, nextAt: state.now, failedAt: new Map() }
    state.history = [{ cut: state.own.cut, hash: state.own.hash }]
  }
  if (promotable(state)) {
    becomeSource(state, 'in sync with at least half of the Sources', effects)
    return
  }
  compareWithSource(state, effects)
}

function promotable(state: AgreementState): boolean {
  if (state.sync?.rearranging !== null || state.sync.asking !== null) return false
  const sources = otherSources(state)
  if (sources.length === 0) return false
  if (state.quorum === 'roster' && !reachesMajority(state)) return false
  if (state.planted.has('trust-peers-root')) return true
  const inSync = sources.filter(peer => shares(state.history, peer.history)).length
  return inSync >= Math.ceil(sources.length / 2)
}

function compareWithSource(state: AgreementState, effects: Effect[]): void {
  const sync = state.sync
  if (sync === null || sync.asking !== null || sync.rearranging !== null) return
  if (state.now < sync.nextAt) return
  const reached = otherSources(state).filter(peer => isReached(state, peer))
  const differing = reached.filter(peer => differs(state, peer))
  const target = differing.sort((a, b) => preference(state, a) - preference(state, b))[0]
  if (target === undefined) return
  const ticket = takeTicket(state)
  sync.asking = { ticket, peer: target.id }
  effects.push({
    kind: 'compare',
    ticket,
    peer: target.id,
    scope: 'settled',
    purpose: 'source-sync',
  })
}

/**
 * Nothing in common, or something else at this very cut: an old common entry does not help a member
 * that lacks what the Sources got since, and it stays in a history for a minute.
 */
function differs(state: AgreementState, peer: Peer): boolean {
  if (peer.cut === state.own.cut && peer.hash !== state.own.hash) return true
  return !shares(state.history, peer.history)
}

/** Whole and near Sources first; one that failed within the last seconds comes last. */
function preference(state: AgreementState, peer: Peer): number {
  const failedAt = state.sync?.failedAt.get(peer.id)
  const failed = failedAt !== undefined && state.now - failedAt < limits.checkMs
  return (failed ? 2_000_000 : 0) + (peer.gap ? 1_000_000 : 0) + (peer.rttMs ?? 1000)
}

/** A comparison with a Source came back; what it has and I lacked was taken on the way. */
export function onSyncCompared(state: AgreementState, event: Compared, effects: Effect[]): void {
  const sync = state.sync
  if (sync === null) return
  sync.asking = null
  sync.nextAt = state.now + COMPARE_EVERY_MS
  if (!event.done) {
    sync.failedAt.set(event.peer, state.now)
    return
  }
  // What is newer than that Source's cut may just be on its way to it: left alone.
  const cutStamp = stampOf(event.theirCut)
  const setAside = event.theyLack
    .filter(entry => entry.state.kind === 'agreed' && entry.state.added <= cutStamp)
    .map(entry => entry.ref)
  if (setAside.length === 0) return
  sync.rearranging = takeTicket(state)
  effects.push({
    kind: 'rearrange',
    ticket: sync.rearranging,
    setAside,
    fetch: [],
    keepPending: null,
    addedBy: new Map(),
  })
}

/** What the Sources lack is in the pending queue now. */
export function onSyncRearranged(state: AgreementState): void {
  if (state.sync === null) return
  state.sync.rearranging = null
  state.sync.nextAt = state.now
}
