/**
 * When an election without a Source may end: the conditions that both quorum settings put on it.
 */
import { limits } from '../../base/limits.ts'
import { isHeard, reachedPeers, reachesMajority } from './reach.ts'
import type { AgreementState } from './state.ts'

/**
 * Whether an election may end now: not before a newly heard member had a moment to be reached, not
 * alone before one silence period, and with quorum `roster` not without more than half.
 */
export function mayElect(state: AgreementState): boolean {
  const others = [...state.peers.values()]
  if (others.length === 0) return state.quorum === 'visible' || reachesMajority(state)
  const reached = new Set(reachedPeers(state).map(peer => peer.id))
  const arriving = others.some(
    peer =>
      isHeard(state, peer) && !reached.has(peer.id) && state.now - peer.heardSince < limits.pingMs,
  )
  if (arriving) return false
  const settled = state.now - state.startedAt >= limits.heardMs || reached.size === others.length
  if (!settled) return false
  if (reached.size === 0 && state.now - state.reachedAnybodyAt < limits.heardMs) return false
  return state.quorum === 'visible' || mayElectInRoster(state, reached)
}

function mayElectInRoster(state: AgreementState, reached: ReadonlySet<string>): boolean {
  if (!reachesMajority(state)) return false
  return [...state.peers.values()].every(peer => {
    if (reached.has(peer.id)) return true
    if (state.now - peer.heardAt >= limits.rosterSilenceMs) {
      return state.now - state.startedAt >= limits.rosterSilenceMs
    }
    return (
      peer.ping !== null && state.now - peer.ping.at <= limits.heardMs && peer.sourceSince === null
    )
  })
}
