/**
 * The state of the agreement machine: what this member is, what it knows of the others, and which
 * comparison or rearrangement is under way. Plain data; only the functions of this folder change
 * it, in `step`. It never looks inside an item: facts appear here by name only.
 *
 * All times are milliseconds of the monotonic clock, given with each event.
 */
import { compareAscii } from '../../base/bytes.ts'
import type { FactRef, FactState, Incarnation, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import type { Stamp } from '../../base/stamp.ts'
import { STAMP_ZERO } from '../../base/stamp.ts'
import { EMPTY_ROOT } from '../../merkle/tree.ts'
import type { Scope, Status } from '../messages.ts'
import type { Entry } from './history.ts'

export type Quorum = 'visible' | 'roster'

/**
 * Errors planted on purpose, so that the simulator and the explorer can prove that they find them
 * (sim/planted.test.ts, sim/explore/planted.test.ts). Each is one line where the rule stands.
 */
export const plantedBugNames = [
  /** No match of histories is ever marked. */
  'suppress-marks',
  /** A check counts its own member among the other Sources. */
  'count-self',
  /** A client is told of a write before it is durable. */
  'answer-before-persist',
  /** A split is named by the order in which its facts came. */
  'split-by-arrival',
  /** Who refused a comparison, or did not answer in time, holds what I hold. */
  'silence-is-agreement',
  /** An election does not wait for the answer of who has been asked. */
  'wait-for-nobody',
  /** An election ends though facts of the majority could not be fetched. */
  'elect-half-fetched',
  /** With quorum roster, whoever is seen is majority enough. */
  'majority-of-the-seen',
  /** Who sees a Source takes its root for its own, and is Source without comparing. */
  'trust-peers-root',
  /** More than half is counted of the roster that was there when the process began. */
  'yesterdays-roster',
  /** A number is acknowledged when its fact is durable, though its payload is not here yet. */
  'ack-before-payload',
  /** The last piece of a payload is not asked for when it is a short one. */
  'drop-last-piece',
  /** Nobody looks whether a fact's version is the hash of what it says. */
  'skip-version-check',
  /** Whoever was a member once is let in like one. */
  'let-in-removed',
  /** A payload's own fsync is forgotten: it is on the disk when the kernel likes. */
  'forget-payload-sync',
] as const
export type PlantedBug = (typeof plantedBugNames)[number]

/** What the last ping of a member said of the others. */
export interface PingView {
  readonly at: number
  /** Its sender's network clock: an older ping that comes late says nothing new. */
  readonly clock: Stamp
  readonly answers: ReadonlySet<MemberId>
  readonly reached: ReadonlySet<MemberId>
  readonly marked: ReadonlySet<MemberId>
  /** The highest configuration that it knew or had accepted. */
  readonly configuration: number
}

/** What is known of one other member. Never heard: `heardAt` is −Infinity. */
export interface Peer {
  readonly id: MemberId
  status: Status
  hash: Hash
  cut: number
  held: Hash | null
  empty: boolean
  gap: boolean
  incarnation: Incarnation
  /** Its network clock in its newest message: older messages that arrive late say nothing new. */
  clock: Stamp
  heardAt: number
  /** Since when it has been heard without a silence. */
  heardSince: number
  /** Its last direct answer. */
  answeredAt: number
  rttMs: number | null
  ping: PingView | null
  /** Since when it is on the list of Sources; null: it is not. */
  sourceSince: number | null
  /** What it announced: the last entries of a Source, only the last of any other. */
  history: Entry[]
  marked: boolean
  markedBefore: boolean
  /** When a healing comparison with it was last begun. */
  healedAt: number
}

/** The member's own sets, as the driver last told. */
export interface Own {
  readonly cut: number
  readonly hash: Hash
  readonly held: Hash | null
  readonly empty: boolean
  readonly gap: boolean
}

export interface SourceDuty {
  readonly since: number
  checkAt: number
}

/** What a participant of a counter-sync has and lacks, seen from this member's held set. */
export interface Answer {
  readonly theirHeld: Hash
  /** Facts of mine that it lacks. */
  readonly lacks: Map<string, FactRef>
  /** Facts that it holds and I lack. */
  readonly has: Map<string, { readonly ref: FactRef; readonly state: FactState }>
}

/** A round of counter-sync (PROTOCOL 7). */
export interface Round {
  readonly answers: Map<MemberId, Answer>
  /** Comparisons under way, each with the number of facts gained when it began. */
  readonly asking: Map<MemberId, { readonly ticket: number; readonly gained: number }>
  /** Facts that became held during this round, by key: each is worked into the answers once. */
  readonly gained: Set<string>
  /** Facts became held that `own.held` does not have yet: it compares with nothing until told. */
  isGaining: boolean
  /** A rearrangement under way, with the round's revision when it was asked for. */
  rearranging: { readonly ticket: number; readonly revision: string } | null
  /** The last revision at which nothing had to move. */
  inLineAt: string | null
  /** When a comparison with a member may be tried again after it failed. */
  readonly retryAt: Map<MemberId, number>
}

/** Source-sync (PROTOCOL 8). */
export interface Sync {
  asking: { readonly ticket: number; readonly peer: MemberId } | null
  rearranging: number | null
  nextAt: number
  /** Reached Sources that failed lately are tried last. */
  readonly failedAt: Map<MemberId, number>
}

export interface LastCheck {
  readonly marked: number
  readonly of: number
  readonly at: number
}

export interface AgreementState {
  readonly self: MemberId
  readonly startedAt: number
  readonly planted: ReadonlySet<PlantedBug>
  quorum: Quorum
  /** All members of the roster in effect, this one included; sorted. */
  roster: readonly MemberId[]
  /** With quorum `roster`: more than half of each of these; two while a change is under way. */
  bodies: readonly (readonly MemberId[])[]
  /** The highest configuration known or accepted; who shows a higher one counts for nothing. */
  configuration: number
  now: number
  lastTickAt: number
  status: Status
  own: Own
  /** What this member announced: since its last check, or since it began to follow Sources. */
  history: Entry[]
  readonly peers: Map<MemberId, Peer>
  source: SourceDuty | null
  round: Round | null
  sync: Sync | null
  /** Whether the driver keeps the held tree (only outside of Source times, without a Source). */
  holding: boolean
  lastCheck: LastCheck | null
  pingedAt: number
  /**
   * To be announced with the next tick, not a second after the last time: a fact that came late
   * changed the hash of a cut that was announced (a Source that only healing keeps in sync would
   * never be marked by the others), or a member answers that did not, and waits to hear that it is reached.
   */
  announcesSoon: boolean
  /** When this member last reached anybody. */
  reachedAnybodyAt: number
  /** When this member last reached more than half of the roster. */
  reachedMajorityAt: number
  nextTicket: number
}

export interface AgreementOptions {
  readonly self: MemberId
  readonly now: number
  readonly roster: readonly MemberId[]
  readonly quorum: Quorum
  readonly own: Own
  readonly planted?: ReadonlySet<PlantedBug>
}

/** A member that has just been opened: it has heard nobody and is not Source. */
export function createAgreement(options: AgreementOptions): AgreementState {
  const state: AgreementState = {
    self: options.self,
    startedAt: options.now,
    planted: options.planted ?? new Set(),
    quorum: options.quorum,
    roster: [],
    bodies: [options.roster],
    configuration: 0,
    now: options.now,
    lastTickAt: options.now,
    status: options.own.empty ? 'empty' : 'counter-sync',
    own: options.own,
    history: [{ cut: options.own.cut, hash: options.own.hash }],
    peers: new Map(),
    source: null,
    round: null,
    sync: null,
    holding: false,
    lastCheck: null,
    pingedAt: Number.NEGATIVE_INFINITY,
    announcesSoon: false,
    reachedAnybodyAt: options.now,
    reachedMajorityAt: options.now,
    nextTicket: 1,
  }
  setRoster(state, options.roster)
  return state
}

/** Takes a roster: members that left are forgotten, new ones are unknown yet. */
export function setRoster(state: AgreementState, members: readonly MemberId[]): void {
  state.roster = [...new Set(members)].sort(compareAscii)
  for (const id of state.peers.keys()) if (!state.roster.includes(id)) state.peers.delete(id)
  for (const id of state.roster) {
    if (id !== state.self && !state.peers.has(id)) state.peers.set(id, unknownPeer(id))
  }
}

function unknownPeer(id: MemberId): Peer {
  return {
    id,
    status: 'counter-sync',
    hash: EMPTY_ROOT,
    cut: 0,
    held: null,
    empty: true,
    gap: false,
    incarnation: '',
    clock: STAMP_ZERO,
    heardAt: Number.NEGATIVE_INFINITY,
    heardSince: Number.NEGATIVE_INFINITY,
    answeredAt: Number.NEGATIVE_INFINITY,
    rttMs: null,
    ping: null,
    sourceSince: null,
    history: [],
    marked: false,
    markedBefore: false,
    healedAt: Number.NEGATIVE_INFINITY,
  }
}

/** A new number for a comparison or rearrangement; late results of old ones are known by it. */
export function takeTicket(state: AgreementState): number {
  return state.nextTicket++
}

export type { Scope }
