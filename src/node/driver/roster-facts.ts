/**
 * Who is a member, read from system facts (PROTOCOL 10). Joining and, with quorum `visible`, leaving
 * are facts of their own, two sets that only grow; what was decided under quorum `roster` is a
 * fact for each number, believed only where it shows its majorities and follows on the one before.
 *
 * Everything here is a pure function of the facts: members with equal facts have equal rosters.
 */
import { compareText } from '../../base/bytes.ts'
import type { Fact, MemberId } from '../../base/fact.ts'
import type { WriteStamp } from '../../consensus/items/write.ts'
import {
  after,
  type Change,
  type Configuration,
  compareBallots,
  type Decision,
  isDecided,
  isSameSeat,
  type Seat,
} from '../../consensus/roster/configuration.ts'
import { type Membership, membershipsOf, systemFact, systemId } from './system.ts'

/** What the system facts say of a network. */
export interface Standing {
  readonly network: string
  /** All memberships ever, newest of each peer last. */
  readonly memberships: readonly Membership[]
  readonly known: Configuration
  /**
   * Seats of `known` whose membership was ended before it was in effect, while others decided that it
   * be: to be decided out.
   */
  readonly leaving: readonly Seat[]
  /** What led there, one for each number. */
  readonly decisions: readonly Decision[]
}

/** The fact by which a decision is told. */
export function decisionFact(decision: Decision, stamp: WriteStamp): Fact {
  const { number, change, ballot, accepted } = decision
  const described = { number, change, ballot: [ballot.counter, ballot.peer], accepted }
  return systemFact(systemId.configuration(number), described, stamp)
}

/** What system facts say. */
export function standingOf(facts: readonly Fact[]): Standing {
  const joined = membershipsOf(facts)
  const told = decisionsOf(facts)
  const decisions: Decision[] = []
  const ended: Seat[] = []
  let known = beginning(facts, told, joined)
  for (;;) {
    const next = told.get(known.number + 1)?.find(decision => isDecided(known, decision))
    if (next === undefined) break
    if (next.change.kind === 'remove') ended.push(next.change.seat)
    decisions.push(next)
    known = after(known, next.change) ?? known
  }
  const memberships = joined.map(entry => {
    const mine = seatOf(entry)
    const isSeated = known.quorum === 'roster' && known.members.some(s => isSameSeat(s, mine))
    const isEnded = entry.removed || ended.some(seat => isSameSeat(seat, mine))
    return { ...entry, removed: !isSeated && isEnded }
  })
  const isRoster = known.quorum === 'roster'
  const leaving = known.members.filter(
    seat => isRoster && joined.some(entry => entry.removed && isSameSeat(seatOf(entry), seat)),
  )
  if (!isRoster) known = { ...known, members: seatsOf(memberships) }
  return {
    network: String(metaOf(facts, systemId.network).name ?? ''),
    memberships,
    known,
    leaving,
    decisions,
  }
}

export function seatOf({ peer, number }: Membership): Seat {
  return { peer, membership: number }
}

/** The facts that prove a removal to whom it concerns: no more than what led there. */
export function removalProof(facts: readonly Fact[], peer: MemberId): Fact[] {
  const { decisions } = standingOf(facts)
  const last = decisions.findLast(
    ({ change }) => change.kind === 'remove' && change.seat.peer === peer,
  )
  const chain = decisions
    .filter(({ number }) => last !== undefined && number <= last.number)
    .map(({ number }) => systemId.configuration(number))
  // A chain without a beginning of its own rests on what its network was made with.
  const isOld = chain.length > 0 && decisions[0]?.change.kind !== 'begin'
  const own = [systemId.member(peer, 0), systemId.removed(peer, 0)].map(id => id.slice(0, -1))
  const told = isOld ? [...own, systemId.quorum, systemId.member('', 0).slice(0, -2)] : own
  return facts.filter(({ id }) => chain.includes(id) || told.some(prefix => id.startsWith(prefix)))
}

/**
 * Where the chain begins: with nothing, or, for a network that was made with quorum `roster` before
 * there was a chain, with the members that were written together with that: who joins later has to
 * be decided.
 */
function beginning(
  facts: readonly Fact[],
  told: ReadonlyMap<number, readonly Decision[]>,
  joined: readonly Membership[],
): Configuration {
  const begins = told.get(1)?.some(({ change }) => change.kind === 'begin') ?? false
  const made = facts.find(({ id }) => id === systemId.quorum)
  if (begins || made === undefined || objectOf(made.meta).quorum !== 'roster') {
    return { number: 0, quorum: 'visible', members: seatsOf(joined) }
  }
  const first = facts.filter(({ at, by }) => at === made.at && by === made.by).map(({ id }) => id)
  const seats = joined.filter(({ peer, number }) => first.includes(systemId.member(peer, number)))
  return { number: 0, quorum: 'roster', members: seats.map(seatOf) }
}

/** Seats of who joined and was not removed; of two memberships of one peer the later. */
function seatsOf(memberships: readonly Membership[]): Seat[] {
  const seats = new Map<MemberId, Seat>()
  for (const entry of memberships) if (!entry.removed) seats.set(entry.peer, seatOf(entry))
  return [...seats.values()].sort((a, b) => compareText(a.peer, b.peer))
}

/** What was told of each number, lowest ballot first; what has another form is passed over. */
function decisionsOf(facts: readonly Fact[]): Map<number, Decision[]> {
  const told = new Map<number, Decision[]>()
  for (const fact of facts) {
    const decision = readDecision(fact)
    if (decision === undefined) continue
    const these = told.get(decision.number) ?? []
    told.set(decision.number, [...these, decision])
  }
  for (const these of told.values()) these.sort((a, b) => compareBallots(a.ballot, b.ballot))
  return told
}

function readDecision({ id, meta }: Fact): Decision | undefined {
  const { number, change, ballot, accepted } = objectOf(meta)
  if (typeof number !== 'number' || id !== systemId.configuration(number)) return undefined
  const read = readChange(objectOf(change))
  const [counter, peer] = Array.isArray(ballot) ? ballot : []
  if (read === undefined || typeof counter !== 'number' || typeof peer !== 'string')
    return undefined
  if (!Array.isArray(accepted)) return undefined
  return { number, change: read, ballot: { counter, peer }, accepted: accepted.map(String) }
}

function readChange({
  kind,
  members,
  seat,
}: Readonly<Record<string, unknown>>): Change | undefined {
  switch (kind) {
    case 'begin':
    case 'stay': {
      const seats = Array.isArray(members) ? members.map(readSeat) : []
      return seats.every(one => one !== undefined) ? { kind, members: seats } : undefined
    }
    case 'add':
    case 'remove': {
      const read = readSeat(seat)
      return read === undefined ? undefined : { kind, seat: read }
    }
    case 'visible':
      return { kind }
    default:
      return undefined
  }
}

function readSeat(value: unknown): Seat | undefined {
  const { peer, membership } = objectOf(value)
  if (typeof peer !== 'string' || typeof membership !== 'number') return undefined
  return { peer, membership }
}

function metaOf(facts: readonly Fact[], id: string): Readonly<Record<string, unknown>> {
  return objectOf(facts.find(fact => fact.id === id)?.meta)
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Readonly<Record<string, unknown>>) : {}
}
