/**
 * What can be asked of the ledger, and what it answers. Every change of facts in a member is one
 * of these; each promise resolves when the change is durable, never before.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Content, Fact, FactRef, FactState, ItemId, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import type { Stamp } from '../../base/stamp.ts'

/** A user's write; the ledger chains it on what is held, in the order of the calls. */
export interface UserWrite {
  readonly id: ItemId
  readonly intent:
    | { readonly kind: 'put'; readonly content: Content; readonly merge: boolean }
    | { readonly kind: 'delete' }
    | { readonly kind: 'resolveKeep'; readonly keep: ItemId | Hash }
    | { readonly kind: 'resolvePut'; readonly content: Content }
  /** Only on this head; null: only where there is no live item; absent: in any case. */
  readonly ifVersion?: Hash | null
  /** A small payload; null when it is in the blob folder already, or for a delete. */
  readonly payload: Bytes | null
}

/** A write that was accepted. */
export interface Written {
  readonly fact: Fact
  readonly state: FactState
  /** Its number when it was added at once; null while it is pending. */
  readonly sequence: number | null
}

/** A fact that came from another member. */
export interface Received {
  readonly fact: Fact
  readonly payload: Bytes | null
  /** Agreed with this stamp, or pending at the other and taken as pending here. */
  readonly added: Stamp | null
}

/** What became of a received fact. */
export type Reception =
  | { readonly kind: 'stored' }
  | { readonly kind: 'known' }
  /** Held before, and now agreed, or with an earlier `added`, or with another stamp. */
  | { readonly kind: 'changed' }
  /** Stamped too far ahead: not taken now, never refused for good. */
  | { readonly kind: 'later' }
  | { readonly kind: 'refused'; readonly sentence: string }

/** Whose stamp wins when one version carries two (PROTOCOL 1, `at`, `by`). */
export type StampRule = 'take' | 'smaller'

/** Facts that change their set. */
export type Restate =
  | { readonly kind: 'setAside' }
  /** Agreed with the stamp known from others, else with the smallest of all. */
  | { readonly kind: 'adopt'; readonly addedBy: ReadonlyMap<string, Stamp> }
  /** Added to the network by this member, now. */
  | { readonly kind: 'add' }

/** A fact that a member of ours added to the network, for the others. */
export interface AddedFact {
  readonly sequence: number
  readonly added: Stamp
  readonly fact: Fact
  readonly payload: Bytes | null
  /** Held as offered by the others already: only its name needs to go out. */
  readonly offered: boolean
}

export interface ReceiveOptions {
  readonly from: MemberId
  readonly stampRule: StampRule
}

export interface RestateResult {
  readonly moved: number
  readonly sequences: ReadonlyMap<string, number>
}

export type { FactRef }
