/**
 * Who passes adds on (PROTOCOL 6): a member gets adds from whoever reaches it, so what a Source adds
 * does not come by itself to members that it does not reach. The last pings tell who reaches whom; of
 * all members that could pass on to one, the first in the order of their ids does.
 */
import type { MemberId } from '../../base/fact.ts'
import { isHeard, reachedPeers } from './reach.ts'
import type { AgreementState, Peer } from './state.ts'

/**
 * Members to whom this Source passes on what `from` just gave it and `adder` added: it reaches them,
 * neither of the two does, and no other Source before it in order is in the same place. In a network
 * where all reach all there are none.
 */
export function relayTargets(state: AgreementState, from: MemberId, adder: MemberId): MemberId[] {
  const giver = state.peers.get(from)
  if (state.source === null || giver === undefined) return []
  const served = new Set([from, adder, ...reachedBy(state, giver)])
  for (const id of reachedBy(state, state.peers.get(adder))) served.add(id)
  const others = reachedPeers(state).filter(({ id }) => !served.has(id))
  if (others.length === 0 || giver.ping === null) return []
  const relays = [...giver.ping.reached].flatMap(id => state.peers.get(id) ?? [])
  const before = relays.filter(({ id, sourceSince }) => sourceSince !== null && id < state.self)
  return others
    .filter(({ id }) => !before.some(relay => reachedBy(state, relay).has(id)))
    .map(({ id }) => id)
}

const NOBODY: ReadonlySet<MemberId> = new Set()

/** Whom a member reaches, as it said itself; of who is silent nothing is known. */
function reachedBy(state: AgreementState, peer: Peer | undefined): ReadonlySet<MemberId> {
  return peer?.ping != null && isHeard(state, peer) ? peer.ping.reached : NOBODY
}
