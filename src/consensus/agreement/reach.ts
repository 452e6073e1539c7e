/**
 * Who is heard, who answers, who is reached, and which Sources this member sees (PROTOCOL 1).
 * Everything here is a question to the state; nothing changes it.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { isMajorityOf } from '../roster/counting.ts'
import type { AgreementState, Peer } from './state.ts'

/** A message of it came in the last 3 s, by any path. */
export function isHeard(state: AgreementState, peer: Peer): boolean {
  return state.now - peer.heardAt <= limits.heardMs
}

/** It answered on a direct stream in the last 3 s. */
export function answersMe(state: AgreementState, peer: Peer): boolean {
  return state.now - peer.answeredAt <= limits.heardMs
}

/** It answers me, and its last ping, at most 3 s old, lists me among those that answer it. */
export function isReached(state: AgreementState, peer: Peer): boolean {
  if (!answersMe(state, peer) || peer.ping === null) return false
  return state.now - peer.ping.at <= limits.heardMs && peer.ping.answers.has(state.self)
}

/** All members that this one reaches. */
export function reachedPeers(state: AgreementState): Peer[] {
  return [...state.peers.values()].filter(peer => isReached(state, peer))
}

/**
 * More than half of the roster, this member included, is reached; of each of its bodies, while a
 * change of it is under way. Who shows a higher configuration than this member knows of counts for
 * nothing until that is fetched (PROTOCOL 10).
 */
export function reachesMajority(state: AgreementState): boolean {
  if (state.planted.has('majority-of-the-seen')) return true
  const here = new Set([state.self])
  for (const peer of reachedPeers(state)) {
    if ((peer.ping?.configuration ?? 0) <= state.configuration) here.add(peer.id)
  }
  return state.bodies.every(body => isMajorityOf(body, here))
}

/** Members in this one's component of the reached graph, as drawn from the last pings. */
export function component(state: AgreementState): Peer[] {
  const found = new Set<MemberId>()
  const frontier: Peer[] = reachedPeers(state)
  for (const peer of frontier) found.add(peer.id)
  for (let at = 0; at < frontier.length; at++) {
    for (const id of frontier[at]!.ping?.reached ?? []) {
      const next = state.peers.get(id)
      if (next === undefined || found.has(id) || !isHeard(state, next)) continue
      found.add(id)
      frontier.push(next)
    }
  }
  return frontier
}

/** A Source is in my component of the reached graph. */
export function seesSource(state: AgreementState): boolean {
  return component(state).some(peer => peer.sourceSince !== null)
}

/** The other Sources on the list. */
export function otherSources(state: AgreementState): Peer[] {
  return [...state.peers.values()].filter(peer => peer.sourceSince !== null)
}

/** Non-empty members that this one reaches: with it, the participants of a counter-sync. */
export function participants(state: AgreementState): Peer[] {
  return reachedPeers(state).filter(peer => !peer.empty)
}
