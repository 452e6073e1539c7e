/**
 * The five-second check of a Source (PROTOCOL 9, S003-29 to S003-31): at least half of the *other*
 * Sources, rounded up, must have been marked. Only who was on the list for the whole period counts,
 * above and below the line. A Source that fell silent stays in the count until one check has
 * counted it as unmarked; only then is it forgotten.
 */
import { limits } from '../../base/limits.ts'
import { stepDown } from './duty.ts'
import type { Effect } from './events.ts'
import { isHeard, otherSources } from './reach.ts'
import type { AgreementState, Peer, SourceDuty } from './state.ts'

/** Runs the check when its moment has come. */
export function runCheck(state: AgreementState, effects: Effect[]): void {
  const duty = state.source
  if (duty === null || state.now < duty.checkAt) return
  const counted = otherSources(state).filter(peer => countsInPeriod(state, peer))
  const marked = counted.filter(peer => peer.marked).length
  const passed = hasMajority(state, marked, counted.length)
  state.lastCheck = { marked, of: counted.length, at: state.now }
  for (const peer of counted) {
    if (!peer.marked && !isHeard(state, peer)) peer.sourceSince = null
  }
  clearMarks(state)
  state.history = [{ cut: state.own.cut, hash: state.own.hash }]
  duty.checkAt = state.now + limits.checkMs
  if (!passed) {
    stepDown(state, `only ${marked} of ${counted.length} other Sources were in sync`, effects)
  }
}

/** On the list as Source since the beginning of the current period, or longer. */
export function countsInPeriod(state: AgreementState, peer: Peer): boolean {
  if (state.source === null || peer.sourceSince === null) return false
  return peer.sourceSince <= state.source.checkAt - limits.checkMs
}

/** Before its first check a Source judges nobody: no period of it was whole yet. */
export function isInFirstPeriod(duty: SourceDuty): boolean {
  return duty.checkAt <= duty.since + limits.checkMs
}

function hasMajority(state: AgreementState, marked: number, of: number): boolean {
  if (state.planted.has('count-self')) return marked + 1 >= Math.ceil((of + 1) / 2)
  return marked >= Math.ceil(of / 2)
}

function clearMarks(state: AgreementState): void {
  for (const peer of state.peers.values()) {
    peer.markedBefore = peer.marked
    peer.marked = false
  }
}
