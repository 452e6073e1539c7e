/**
 * Pings as they travel: other members are named by a few bytes of a hash and not by their whole ids,
 * which would be most of a ping. Who reads one knows the members of its roster, and no other matters.
 */
import { utf8 } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { Memo } from '../../base/memo.ts'
import type { MemberRef, Ping, PingBody } from '../../consensus/messages.ts'
import type { Context } from './context.ts'

/** Hexadecimal digits of 8 bytes: two members of a roster never have them in common by chance. */
const REF_DIGITS = 16

const refs = new Memo(
  2 * limits.membersMax,
  (id: MemberId): MemberRef => hashBytes(utf8(id)).slice(0, REF_DIGITS),
)

/** How a ping names a member: the first 8 bytes of the SHA-256 of its id. */
export function refOfMember(id: MemberId): MemberRef {
  return refs.of(id)
}

/** What a member says of itself and of the others, at this moment. */
export function pingOf(member: Context): Ping {
  const { agreement, ledger, ports } = member
  const peers = [...agreement.peers.values()]
  return {
    kind: 'ping',
    answers: peers.filter(p => agreement.now - p.answeredAt <= limits.heardMs).map(p => p.id),
    reached: member.reached(),
    marked: peers.filter(p => p.marked || p.markedBefore).map(p => p.id),
    systemRoot: ledger.systemRoot(),
    sequence: ledger.outgoing.own.upTo,
    floor: ledger.outgoing.floor,
    addresses: ports.network.addresses().slice(0, limits.addressesMax),
    configuration: agreement.configuration,
    wallMs: Math.max(0, Math.floor(ports.clock.wallMs())),
  }
}

export function bodyOfPing({ answers, reached, marked, ...rest }: Ping): PingBody {
  const seen = [...new Set([...answers, ...reached, ...marked])].map(id => ({
    ref: refOfMember(id),
    answers: answers.includes(id),
    reached: reached.includes(id),
    marked: marked.includes(id),
  }))
  return { ...rest, seen }
}

/** What a ping says of these members. */
export function pingOfBody({ seen, ...rest }: PingBody, members: Iterable<MemberId>): Ping {
  const ids = new Map([...members].map(id => [refOfMember(id), id]))
  const named = (said: 'answers' | 'reached' | 'marked') =>
    seen.flatMap(entry => (entry[said] ? (ids.get(entry.ref) ?? []) : []))
  return { ...rest, answers: named('answers'), reached: named('reached'), marked: named('marked') }
}
