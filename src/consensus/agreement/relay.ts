/**
 * Who passes adds on (PROTOCOL 6): a member gets adds from whoever reaches it, so what a Source adds
 * does not come by itself to members that it does not reach. The last pings tell who reaches whom; of
 * all members that could pass on to one, the first in the order of their ids does.
 */
import type { MemberId } from '../../base/fact.ts'
import { isHeard, reachedPeers } from './reach.ts'
import type { AgreementState } from './state.ts'

/**
 * Members to whom this Source passes on what `from` just gave it and `adder` added: it reaches them,
 * neither of the two does, and no other Source before it in order is in the same place. In a network
 * where all reach all there are none.
 */
export function relayTargets(state: AgreementState, from: MemberId, adder: MemberId): MemberId[] {
  const giver = state.peers.get(from)
  if (state.source === null || giver?.ping == null) return []
  const served = new Set([from, adder, ...reachedBy(state, from), ...reachedBy(state, adder)])
  const others = reachedPeers(state).filter(({ id }) => !served.has(id))
  if (others.length === 0) return []
  const before = reachedBy(state, from).filter(id => id < state.self && isSource(state, id))
  const servedBefore = new Set(before.flatMap(id => reachedBy(state, id)))
  return others.map(({ id }) => id).filter(id => !servedBefore.has(id))
}

/** Whom a member reaches, as it said itself; of who is silent nothing is known. */
function reachedBy(state: AgreementState, id: MemberId): MemberId[] {
  const peer = state.peers.get(id)
  return peer?.ping != null && isHeard(state, peer) ? [...peer.ping.reached] : []
}

function isSource(state: AgreementState, id: MemberId): boolean {
  return state.peers.get(id)?.sourceSince != null
}
