/**
 * The shared vocabulary (PROTOCOL 1): plain data that every layer speaks of. Only types and the
 * few pure helpers that belong to them; what facts *mean* is in consensus/items, what members agree
 * on in consensus/agreement, how they are kept in storage.
 */
import type { Hash } from './hash.ts'
import type { Stamp } from './stamp.ts'

/**
 * An item's id in socket form: UTF-8, at most `limits.idBytesMax`; `~~` is a literal tilde and a
 * run of `~` + hex digit at the very end are split steps. This one form is used everywhere: on
 * disk, on the wire, in hashes, in lists.
 */
export type ItemId = string

/** A libp2p peer id in text form (the seed's *uuid*). */
export type MemberId = string

/** 64 random bits drawn at every opening of a store, as 16 hex digits. */
export type Incarnation = string

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** What a user sees of an item besides its bytes; all of it is under the dataHash. */
export interface Properties {
  /** Media type. */
  readonly type: string
  /** Sorted by bytes, without duplicates. */
  readonly tags: readonly string[]
  readonly description: string
  readonly meta: Json
  /** Ids of items that this one depends on; sorted by bytes, without duplicates. */
  readonly dependsOn: readonly ItemId[]
}

/** What a version holds: the payload's hash and size, and the properties. */
export interface Content extends Properties {
  /** SHA-256 of the payload; `null` in a delete. */
  readonly blob: Hash | null
  /** Bytes of the payload; 0 in a delete. */
  readonly size: number
}

/** For one split id on the path of a fact's id: the sorted heads that its writer saw. */
export interface BaseHeads {
  readonly id: ItemId
  readonly heads: readonly Hash[]
}

/** One version of one item. Facts are only ever added; they are looked up by (id, version). */
export interface Fact extends Content {
  readonly id: ItemId
  readonly version: Hash
  /** Sorted; empty for a first version. For a fact on a split id these may be derived versions. */
  readonly parents: readonly Hash[]
  /** 64 zeros for a delete. */
  readonly dataHash: Hash
  /** When and by which member the write was accepted. Not under the version. */
  readonly at: Stamp
  readonly by: MemberId
  /** Only on a fact written to a split item, outermost split id first. Not under the version. */
  readonly base: readonly BaseHeads[] | null
}

/** A fact's name. */
export interface FactRef {
  readonly id: ItemId
  readonly version: Hash
}

/**
 * Agreed: takes part in agreement since `added`. Pending: held durably, not agreed; `order` is the
 * place in the pending queue (unique, ascending); `fresh` marks an own new write that nobody else
 * can hold yet, accepted since this member last left counter-sync (PROTOCOL 7.2: "changes only by
 * newer own writes").
 */
export type FactState =
  | { readonly kind: 'agreed'; readonly added: Stamp }
  | { readonly kind: 'pending'; readonly order: number; readonly fresh: boolean }

/** A fact as a member holds it. */
export interface HeldFact {
  readonly fact: Fact
  readonly state: FactState
}

/** The newest facts of an item within one set (agreed, or pending), each with its chain digest. */
export interface SetSummary {
  /** Facts of the item in this set. */
  readonly count: number
  /** Facts of the set that are no parent of another fact of the set; sorted by version. */
  readonly newest: readonly { readonly version: Hash; readonly digest: Hash }[]
  /** The largest `added` in the set; STAMP_ZERO for a pending set. */
  readonly addedMax: Stamp
}

/** A rooted fact that is no parent of another rooted fact. */
export interface HeadSummary {
  readonly version: Hash
  readonly dataHash: Hash
  readonly deleted: boolean
  /** Length of the longest chain down to a first version, which has 1. */
  readonly position: number
  readonly at: Stamp
  readonly by: MemberId
}

/**
 * What is remembered of an item so that the common case (the next fact of a whole item) needs
 * nothing else. Everything in it is a pure function of the item's held facts.
 */
export interface ItemSummary {
  readonly id: ItemId
  /** Facts held, agreed and pending. */
  readonly facts: number
  /** XOR of the versions of all facts held: with `facts` it notices loss after damage. */
  readonly factsXor: Hash
  readonly agreed: SetSummary | null
  readonly pending: SetSummary | null
  /** Over agreed and pending alike; sorted by version. */
  readonly heads: readonly HeadSummary[]
  /** Facts held with an ancestor that is not held. */
  readonly unrooted: number
}

/** The text key of a fact in maps. A hash has a fixed length, so the joint is unambiguous. */
export function refKey(ref: FactRef): string {
  return ref.version + ref.id
}

/** The fact that a key of `refKey` names. */
export function keyRef(key: string): FactRef {
  return { version: key.slice(0, 64), id: key.slice(64) }
}

/** Whether a fact ends its item. */
export function isDelete(fact: { readonly blob: Hash | null }): boolean {
  return fact.blob === null
}

/**
 * System facts (roster, network settings) are items whose id starts with U+0001, which no user's
 * id can contain. They are kept by the same code in a set, a tree and a root of their own.
 */
export const SYSTEM_PREFIX = '\u0001'

/** Whether an id is one of the system's. */
export function isSystemId(id: ItemId): boolean {
  return id.startsWith(SYSTEM_PREFIX)
}
