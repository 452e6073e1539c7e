/**
 * Changes of a roster under quorum `roster`, as a member makes them: what is wanted and what came of
 * it, in words for whoever asked; and who joined is brought into effect. What is refused here has
 * changed nothing; what is late may still be decided, and says so.
 */
import type { MemberId } from '../../base/fact.ts'
import { unreachable } from '../../base/invariant.ts'
import { VecheError } from '../../base/veche-error.ts'
import { reachesMajority } from '../../consensus/agreement/reach.ts'
import type { Change, Seat } from '../../consensus/roster/configuration.ts'
import { isMajorityOf } from '../../consensus/roster/counting.ts'
import type { Member } from './member.ts'
import { seatOf } from './roster-facts.ts'
import { type Membership, systemId } from './system.ts'

/** After so long any member that can proposes what is due, not only the first. */
const SEAT_PATIENCE_MS = 3000

/** Since when a member waits for a change that is due. */
const waiting = new WeakMap<Member, Map<string, number>>()

/** Has a change decided. Throws UNAVAILABLE, BAD_REQUEST. */
export async function decide(member: Member, change: Change): Promise<void> {
  const { roster } = member
  if (!roster.mayChange) throw notChangeable(member)
  if (change.kind === 'remove' && roster.voting.known.members.length === 1) {
    const sentence = 'The last member of a network cannot leave it. `veche stop` ends its daemon.'
    throw new VecheError('BAD_REQUEST', sentence)
  }
  const outcome = await roster.voting.want(change)
  switch (outcome) {
    case 'done':
      return
    case 'overtaken':
      throw new VecheError(
        'UNAVAILABLE',
        'The roster was changed in another way meanwhile. Look at `veche members`, and try again.',
      )
    case 'stayed':
      throw new VecheError(
        'UNAVAILABLE',
        'Not every member agreed in time, so the quorum stays `visible`. Try again when all are reached.',
      )
    case 'late':
      throw new VecheError(
        'UNAVAILABLE',
        'More than half of the roster did not answer in time. The change may still come about: look at `veche members` before you try again.',
      )
    default:
      return unreachable(outcome)
  }
}

/**
 * Changes which majority counts, for the whole network. To `roster` every member must agree, and so
 * be reached. Throws UNAVAILABLE.
 */
export async function changeQuorum(member: Member, quorum: 'visible' | 'roster'): Promise<void> {
  const { known } = member.roster.voting
  if (quorum === known.quorum) return
  if (quorum === 'visible') return decide(member, { kind: 'visible' })
  const here = new Set([member.self, ...member.reached()])
  const away = known.members.filter(({ peer }) => !here.has(peer))
  if (away.length > 0) {
    const names = away.map(({ peer }) => member.roster.nameOf(peer) || peer).join(', ')
    const sentence = `Every member must agree to that, and these are not reached: ${names}.`
    throw new VecheError('UNAVAILABLE', sentence)
  }
  return decide(member, { kind: 'begin', members: known.members })
}

/** Why the roster cannot be changed from here now, and what to do. */
export function notChangeable(member: Member): VecheError {
  const { agreement, roster } = member
  if (roster.quorum === 'visible') {
    const sentence =
      'The network is being changed to quorum `roster` at this moment. Try again in a few seconds.'
    return new VecheError('UNAVAILABLE', sentence)
  }
  if (!roster.isElector) {
    const sentence =
      'This member joined, but the others have not brought it into effect yet. Try again when `veche status` says that it is Source.'
    return new VecheError('UNAVAILABLE', sentence)
  }
  const of = agreement.roster.length
  const sentence =
    `This network needs more than half of its roster (quorum: roster) for that, and this member reaches ` +
    `${member.reached().length + 1} of ${of}. \`veche members\` shows who is missing; do it on the side of the majority, or bring them back.`
  return new VecheError('UNAVAILABLE', sentence)
}

/**
 * Brings the decided roster after what is known of memberships. Who joined is proposed as soon as it
 * is linked: who never came is in nobody's way. Who was removed before it was in effect, and was
 * decided to be in all the same, is proposed to be out. The first of the members that reach each
 * other proposes it; any of them, if that takes long.
 */
export function settleSeats(
  member: Member,
  joined: readonly Membership[],
  leaving: readonly Seat[],
): void {
  const { agreement, ports, roster, self } = member
  let since = waiting.get(member)
  if (since === undefined) {
    since = new Map()
    waiting.set(member, since)
  }
  if (roster.quorum === 'visible' || !roster.isElector || !reachesMajority(agreement))
    return since.clear()
  const now = member.now()
  const due = new Map<string, Change>()
  for (const entry of joined) {
    if (roster.isInEffect(entry) || !ports.network.isConnected(entry.peer)) continue
    due.set(`add ${entry.peer} ${entry.number}`, { kind: 'add', seat: seatOf(entry) })
  }
  for (const seat of leaving) {
    due.set(`remove ${seat.peer} ${seat.membership}`, { kind: 'remove', seat })
  }
  for (const key of since.keys()) if (!due.has(key)) since.delete(key)
  for (const [key, change] of due) {
    const from = since.get(key) ?? now
    since.set(key, from)
    const isFirst = member.reached().every(peer => self < peer)
    if (roster.voting.isBusy || (!isFirst && now - from < SEAT_PATIENCE_MS)) continue
    // Whether it came about is seen with the next tick.
    member.background(roster.voting.want(change))
  }
}

/** Whether more than half of a roster under quorum `roster` have it that a peer joined. */
export async function isKnownByMost(member: Member, peer: MemberId): Promise<boolean> {
  const { agreement, links, roster, self } = member
  const joined = roster.members().find(entry => entry.peer === peer)
  if (joined === undefined) return false
  if (roster.quorum === 'visible') return true
  const id = systemId.member(peer, joined.number)
  const knows = new Set([self])
  const asked = [...agreement.peers.keys()].map(async one => {
    const answer = await links.ask(one, { kind: 'askSystem' })
    if (answer?.kind === 'system' && answer.facts.some(fact => fact.id === id)) knows.add(one)
  })
  await Promise.all(asked)
  return agreement.bodies.every(body => isMajorityOf(body, knows))
}
