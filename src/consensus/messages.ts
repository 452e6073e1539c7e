/**
 * What members say to each other, as plain data (PROTOCOL 6). The wire layer turns a `Frame` into
 * bytes and back; nothing else is ever sent. Every frame, gossip or direct, carries the envelope:
 * uuid, status, hash, cut and clock are never absent. Many bodies share one envelope, so that a
 * batch of adds, acknowledgments and answers costs one header.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Fact, FactRef, FactState, Incarnation, MemberId } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import type { Stamp } from '../base/stamp.ts'
import type { WalkAnswer, WalkRequest } from '../merkle/walk.ts'
import type { RosterMessage } from './roster/state.ts'

/** The version of everything on the wire; a frame of another version is refused and counted. */
export const PROTOCOL_VERSION = 1

export type Status = 'empty' | 'counter-sync' | 'source-sync' | 'source'

/** On every message (PROTOCOL 6, S003-15). */
export interface Envelope {
  readonly uuid: MemberId
  readonly incarnation: Incarnation
  readonly status: Status
  /** The storage hash at `cut`. */
  readonly hash: Hash
  /** Milliseconds, a whole second of the network clock. */
  readonly cut: number
  /** The sender's network clock at the moment of sending; strictly ascending per incarnation. */
  readonly clock: Stamp
  /** Root of all that the sender holds, agreed and pending; only in counter-sync. */
  readonly held: Hash | null
  /** No agreed user fact and nothing set aside. */
  readonly empty: boolean
  /** The sender found after a start that something it once held is gone (DESIGN 3). */
  readonly gap: boolean
}

/** Gossiped at each new cut, at each change of status, and after a second of silence. */
export interface Ping {
  readonly kind: 'ping'
  /** Who answers the sender on direct streams. */
  readonly answers: readonly MemberId[]
  /** Whom the sender reached. */
  readonly reached: readonly MemberId[]
  /** Sources that the sender marked in this or its last period. */
  readonly marked: readonly MemberId[]
  /** Root of the system facts (roster and settings). */
  readonly systemRoot: Hash
  /** Last sequence of the sender's incarnation, and the lowest it still waits for. */
  readonly sequence: number
  readonly floor: number
  /** Where the sender can be dialled. */
  readonly addresses: readonly string[]
  /** The highest configuration of the roster that the sender knows or has accepted; 0: none. */
  readonly configuration: number
  /** The wall clock of the sender's machine: by many of them members judge whose clock is wrong. */
  readonly wallMs: number
}

/** How a ping names a member as it travels (`driver/pings.ts`). */
export type MemberRef = string

/** A ping as it travels. */
export interface PingBody extends Omit<Ping, 'answers' | 'reached' | 'marked'> {
  readonly seen: readonly {
    readonly ref: MemberRef
    readonly answers: boolean
    readonly reached: boolean
    readonly marked: boolean
  }[]
}

/** "Are you there?" and the direct answer to it; `number` lets the asker measure the round trip. */
export interface Probe {
  readonly kind: 'probe'
  readonly number: number
}
export interface Probed {
  readonly kind: 'probed'
  readonly number: number
}

/** "I hear two daemons under your identity": the incarnations of both. */
export interface Twin {
  readonly kind: 'twin'
  readonly lives: readonly [Incarnation, Incarnation]
}

/** One fact added to the network by a Source. */
export interface Add {
  /** Place in the adder's incarnation; 1, 2, 3, … */
  readonly sequence: number
  readonly added: Stamp
  readonly fact: Fact
  /** Payloads up to limits.inlinePayloadBytesMax travel along. */
  readonly payload: Bytes | null
}
export interface Adds {
  readonly kind: 'adds'
  readonly adds: readonly Add[]
}

/** Adds of a Source, passed on to who is not reached by it. */
export interface Relay {
  readonly kind: 'relay'
  readonly adder: MemberId
  /** Without numbers: only the adder's own word for a number is believed. */
  readonly adds: readonly Omit<Add, 'sequence'>[]
}

/** What of one adder's incarnation is durable at the sender, fact and payload. */
export interface AckVector {
  readonly adder: MemberId
  readonly incarnation: Incarnation
  /** All numbers up to and with this one. */
  readonly upTo: number
  /** Inclusive ranges above, ascending, at most limits.ackRangesMax. */
  readonly ranges: readonly (readonly [number, number])[]
}
export interface Ack {
  readonly kind: 'ack'
  readonly vector: AckVector
}

export interface AskSequences {
  readonly kind: 'askSequences'
  readonly request: number
  readonly incarnation: Incarnation
  readonly ranges: readonly (readonly [number, number])[]
}
export interface Sequences {
  readonly kind: 'sequences'
  readonly request: number
  readonly entries: readonly { readonly sequence: number; readonly ref: FactRef }[]
}

/** A fact as the answerer holds it, with its payload when it is small and here. */
export interface ShownFact {
  readonly fact: Fact
  readonly state: FactState
  readonly payload: Bytes | null
}
export interface AskFacts {
  readonly kind: 'askFacts'
  readonly request: number
  readonly refs: readonly FactRef[]
}
export interface Facts {
  readonly kind: 'facts'
  readonly request: number
  readonly facts: readonly ShownFact[]
  /** How many of the refs, in order, were looked at; ask again for the rest. */
  readonly answered: number
}

export interface AskHolds {
  readonly kind: 'askHolds'
  readonly request: number
  readonly refs: readonly FactRef[]
}
export interface Holds {
  readonly kind: 'holds'
  readonly request: number
  /** One per ref: fact and payload are durable here. */
  readonly held: readonly boolean[]
}

/** Which of a member's sets a comparison is over. */
export type Scope = 'settled' | 'held'

export interface AskWalk {
  readonly kind: 'askWalk'
  readonly request: number
  readonly scope: Scope
  readonly walk: WalkRequest
}
export interface Walked {
  readonly kind: 'walked'
  readonly request: number
  /** Absent when the answerer refuses: empty, not in that scope now, or the request is bad. */
  readonly walk: WalkAnswer | null
}

/** Asks for the facts of items that differ, but for those that a version in `have` covers. */
export interface AskItems {
  readonly kind: 'askItems'
  readonly request: number
  readonly scope: Scope
  /** `names`: headers only, for counting; `facts`: the facts themselves with small payloads. */
  readonly want: 'names' | 'facts'
  readonly items: readonly {
    readonly idHash: Hash
    /** Versions that the asker holds with all their ancestors, in this scope. */
    readonly have: readonly Hash[]
    /** Skips so many of the answer's facts (continuing a long item). */
    readonly skip: number
  }[]
}
/** A fact by name, with what matters for agreement. */
export interface NamedFact {
  readonly version: Hash
  readonly state: FactState
  readonly at: Stamp
  readonly by: MemberId
}
export interface ShownItem {
  readonly idHash: Hash
  /** `null` when the answerer has nothing of this item in that scope. */
  readonly id: string | null
  /** Of `have`: what the answerer holds with all ancestors, with its digest in that scope. */
  readonly covered: readonly { readonly version: Hash; readonly digest: Hash }[]
  /** Filled for `names`; in the order of chains, parents first. */
  readonly names: readonly NamedFact[]
  /** Filled for `facts`; in the order of chains, parents first. */
  readonly facts: readonly ShownFact[]
  /** More facts follow: ask again with `skip`. */
  readonly more: boolean
}
export interface Items {
  readonly kind: 'items'
  readonly request: number
  /** For the first so many items of the request; ask again for the rest. Refused: empty. */
  readonly items: readonly ShownItem[]
  readonly refused: boolean
}

/** Facts of the pending queue shown before they are added (PROTOCOL 8). */
export interface Offer {
  readonly kind: 'offer'
  readonly request: number
  readonly facts: readonly { readonly fact: Fact; readonly payload: Bytes | null }[]
}
export interface Offered {
  readonly kind: 'offered'
  readonly request: number
  /** Of the offered facts, those that the answerer already shows as agreed. */
  readonly agreed: readonly { readonly ref: FactRef; readonly added: Stamp }[]
}
/** Adds what was offered before. */
export interface Adopt {
  readonly kind: 'adopt'
  readonly adds: readonly {
    readonly sequence: number
    readonly added: Stamp
    readonly ref: FactRef
  }[]
}

/** System facts: whole sets, they are small. */
export interface AskSystem {
  readonly kind: 'askSystem'
  readonly request: number
}
export interface SystemFacts {
  readonly kind: 'system'
  /** 0 when nobody asked. */
  readonly request: number
  readonly facts: readonly Fact[]
}

/** A piece of a large payload; travels on the bulk lane. */
export interface AskChunk {
  readonly kind: 'askChunk'
  readonly request: number
  readonly blob: Hash
  readonly offset: number
  readonly length: number
}
export interface Chunk {
  readonly kind: 'chunk'
  readonly request: number
  /** `null`: not here. */
  readonly bytes: Bytes | null
}

export type Body =
  | PingBody
  | Probe
  | Probed
  | Adds
  | Ack
  | Twin
  | AskSequences
  | Sequences
  | AskFacts
  | Facts
  | AskHolds
  | Holds
  | AskWalk
  | Walked
  | AskItems
  | Items
  | Offer
  | Offered
  | Adopt
  | Relay
  | AskSystem
  | SystemFacts
  | AskChunk
  | Chunk
  | RosterMessage

/** Bodies that ask; each is answered by exactly one body with the same `request`, or by silence. */
export type Asking =
  | AskSequences
  | AskFacts
  | AskHolds
  | AskWalk
  | AskItems
  | Offer
  | AskSystem
  | AskChunk
export type Answering = Sequences | Facts | Holds | Walked | Items | Offered | SystemFacts | Chunk

export interface Frame {
  readonly envelope: Envelope
  readonly bodies: readonly Body[]
}
