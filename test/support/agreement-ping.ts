/** What a model member says of itself and of the others, and when it has something new to say. */
import { answersMe, reachedPeers } from '../../src/consensus/agreement/reach.ts'
import type { Outgoing } from '../../src/consensus/agreement/sequences.ts'
import type { AgreementState, Own } from '../../src/consensus/agreement/state.ts'
import type { Ping } from '../../src/consensus/messages.ts'

/** The ping that goes out with an announcement. */
export function pingOf(state: AgreementState, outgoing: Outgoing): Ping {
  const peers = [...state.peers.values()]
  return {
    kind: 'ping',
    answers: peers.filter(peer => answersMe(state, peer)).map(peer => peer.id),
    reached: reachedPeers(state).map(peer => peer.id),
    marked: peers.filter(peer => peer.marked || peer.markedBefore).map(peer => peer.id),
    systemRoot: '',
    configuration: 0,
    wallMs: 0,
    sequence: outgoing.last,
    floor: outgoing.floor,
    addresses: [],
  }
}

/** Whether the own sets say the same. */
export function isSameOwn(a: Own, b: Own): boolean {
  return (
    a.cut === b.cut &&
    a.hash === b.hash &&
    a.held === b.held &&
    a.empty === b.empty &&
    a.gap === b.gap
  )
}
