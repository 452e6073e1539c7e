/**
 * The socket's shapes that speak of the network and not of one item: status, members, events, what
 * is not in sync, verification, invitations. The rules of protocol.ts hold here, too: fields are
 * only ever added, times are milliseconds, unknown is `null`.
 */
import type { ItemId, MemberId } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import type { Branch } from './protocol.ts'

/** `removed`: this member left or was removed; it reads and takes no writes. */
export type MemberStatusName = 'empty' | 'counter-sync' | 'source-sync' | 'source' | 'removed'

/** A member as the answering member knows it; the answering member lists itself, too. */
export interface MemberStatus {
  readonly uuid: MemberId
  readonly name: string
  /** `null`: never heard. */
  readonly status: MemberStatusName | null
  readonly hash: Hash | null
  /** The cut at which `hash` was announced; own cut − this is its lag. */
  readonly cut: number | null
  /** Milliseconds since its last message; 0 for itself, `null` if never heard. */
  readonly lastHeardMs: number | null
  readonly rttMs: number | null
  /** Same hash at the same cut in both histories. */
  readonly inSync: boolean
  /** It answers me, and says that I answer it. */
  readonly reached: boolean
  readonly address: string | null
}

/** Something that is not as it should be, and what to do. */
export interface Problem {
  /** A stable word, as `unreachable`, `clock`, `pending`, `payload-missing`, `damage`, `gap`. */
  readonly reason: string
  readonly sentence: string
  readonly id?: ItemId
  readonly version?: Hash
  readonly member?: MemberId
  /** What a person can do; absent if nothing needs to be done. */
  readonly nextStep?: string
  /** When Veche itself tries again, in milliseconds from now. */
  readonly nextTryMs?: number
}

export interface StatusParams {
  /** Also compute the live root. */
  readonly liveHash?: boolean
}
export interface StatusResult {
  readonly uuid: MemberId
  readonly name: string
  readonly network: string
  readonly status: MemberStatusName
  /** The network has a Source that this member sees. */
  readonly synchronized: boolean
  readonly hash: Hash
  readonly cut: number
  readonly liveHash?: Hash
  readonly items: number
  readonly facts: number
  readonly pending: number
  /** Agreed facts above the cut. */
  readonly unsettled: number
  /** The last five-second check as Source; zeros, and `at: null`, before the first. */
  readonly lastCheck: { readonly marked: number; readonly of: number; readonly at: number | null }
  readonly members: readonly MemberStatus[]
  readonly problems: readonly Problem[]
  /** Of the program. */
  readonly version: string
}

export interface WatchParams {
  readonly prefix?: string
  /** The cursor of the last event seen; `"0"`: all events kept; absent: from now on. */
  readonly since?: string
}
export interface WatchResult {
  readonly watch: number
  /** The cursor from which on events will come: where to resume if none came yet. */
  readonly cursor: string
}
/** What happened; `watch` of one member gives each once per cursor, also across restarts. */
export type EventBody =
  | {
      readonly kind: 'added' | 'deleted'
      readonly id: ItemId
      readonly version: Hash
      readonly at: number
      readonly by: MemberId
      readonly size: number
    }
  | { readonly kind: 'agreed' | 'resolved'; readonly id: ItemId; readonly version: Hash }
  | {
      readonly kind: 'collision'
      readonly id: ItemId
      /** The versions of `id` that do not know of each other. */
      readonly versions: readonly Hash[]
      /** What they have become; with a policy that keeps one item, that item's heads. */
      readonly branches: readonly Branch[]
    }
  | {
      readonly kind: 'status'
      readonly status: MemberStatusName
      readonly synchronized: boolean
    }
  | {
      readonly kind: 'member'
      readonly uuid: MemberId
      readonly name: string
      readonly change: 'joined' | 'left' | 'removed' | 'reached' | 'lost' | 'status'
      readonly status?: MemberStatusName
    }
  | ({ readonly kind: 'problem' } & Problem)
export type WatchEvent = EventBody & { readonly cursor: string }
/** The parameters of the notification `event`. */
export type EventNotification = WatchEvent & { readonly watch: number }

export interface WhyParams {
  readonly id?: ItemId
}
export interface WhyResult {
  readonly inSync: boolean
  readonly reasons: readonly Problem[]
}

/** How far a long method is; `of` is `null` while unknown. */
export interface Progress {
  readonly phase: string
  readonly done: number
  readonly of: number | null
}
/** The parameters of the notification `progress`; `request` is the id of the request. */
export type ProgressNotification = Progress & { readonly request: string | number }

export interface VerifyDamage {
  /** `fact`, `chain`, `payload`, `root`, `index`, `journal`, `link`. */
  readonly what: string
  readonly sentence: string
  readonly id?: ItemId
  readonly version?: Hash
  readonly blob?: Hash
}
export interface VerifyResult {
  readonly ok: boolean
  readonly items: number
  readonly facts: number
  readonly payloads: number
  /** The root recomputed from the facts. */
  readonly hash: Hash
  readonly damages: readonly VerifyDamage[]
  /** Links to items that are not here: reported, no damage. */
  readonly danglingLinks: readonly { readonly id: ItemId; readonly missing: ItemId }[]
}

export interface InviteParams {
  /** Milliseconds that the token is good for. */
  readonly expiresInMs?: number
  /** How many machines may join with it; default 1. */
  readonly uses?: number
}
export interface InviteResult {
  readonly token: string
  readonly expires: number
  readonly addresses: readonly string[]
  readonly uses: number
}
export interface MembersResult {
  readonly members: readonly MemberStatus[]
}
export interface LeaveResult {
  readonly uuid: MemberId
  /** Facts that no other member is known to hold: they stay in this store. */
  readonly unshared: number
  /** Payloads of current versions that no other member holds yet; `null`: not known. */
  readonly unsharedPayloads: number | null
}
/** Which majority counts (PROTOCOL 9): of the members that are seen, or of the roster. */
export type QuorumName = 'visible' | 'roster'
export interface QuorumParams {
  /** Changes it, for the whole network; absent: only tells. */
  readonly set?: QuorumName
}
export interface QuorumResult {
  readonly quorum: QuorumName
}
export interface RemoveParams {
  /** Uuid or name. */
  readonly member: string
}
export interface RemoveResult {
  readonly uuid: MemberId
  readonly name: string
  /** Present when the member was not reached: what it alone holds stays with it. */
  readonly warning?: string
}
