/**
 * What is said on the control socket: the shapes of all methods, in their JSON form. Server,
 * client and command line share this file and nothing else. The socket speaks JSON-RPC 2.0, one
 * object a line; parameters are named.
 *
 * Invariants: fields are only ever added. Times are whole milliseconds since 1970 of the network
 * clock, hashes and versions 64 lower-case hex digits, stamps 16 hex digits, cursors opaque text.
 * Ids are in socket form (`~~` is a literal tilde, `~3` at the end a split step). The member's own
 * interface, with bytes in place of base64, is in member-service.ts. Items are described here, the
 * network (status, members, events, checks) in protocol-network.ts.
 */
import type { ItemId, Json, MemberId } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import type { Stamp } from '../base/stamp.ts'
import type { ErrorCode } from '../base/veche-error.ts'
import type {
  InviteParams,
  InviteResult,
  LeaveResult,
  MembersResult,
  QuorumParams,
  QuorumResult,
  RemoveParams,
  RemoveResult,
  StatusParams,
  StatusResult,
  VerifyResult,
  WatchParams,
  WatchResult,
  WhyParams,
  WhyResult,
} from './protocol-network.ts'

/** How far a write must have come before it is answered. */
export type Level = 'pending' | 'agreed' | 'majority'

export interface WriteOptions {
  /** Only if this is the head; null, for `put` and `upload`: only if there is no live item. */
  readonly ifVersion?: Hash | null
  readonly wait?: Level
  readonly timeoutMs?: number
}
export interface PropertyParams {
  readonly type?: string
  readonly tags?: readonly string[]
  readonly description?: string
  readonly meta?: Json
  readonly dependsOn?: readonly ItemId[]
}
/** Exactly one of the three. */
export interface PayloadFields {
  readonly text?: string
  readonly json?: Json
  readonly base64?: string
}
export interface PutParams extends WriteOptions, PropertyParams, PayloadFields {
  readonly id: ItemId
  /** Makes it the merge of a split item: all live heads become its parents. */
  readonly merge?: boolean
}
export interface PutResult {
  readonly id: ItemId
  readonly version: Hash
  readonly dataHash: Hash
  /** `null` for a delete. */
  readonly blob: Hash | null
  readonly size: number
  /** The level reached. */
  readonly level: Level
  /** Members known to hold fact and payload durably; this one is among them. */
  readonly heldBy: readonly MemberId[]
  /** Members of the roster, so that `heldBy.length` of `of` hold it. */
  readonly of: number
}
export interface DeleteParams extends WriteOptions {
  readonly id: ItemId
}
/** After the line follow exactly `size` raw bytes. */
export interface UploadParams extends WriteOptions, PropertyParams {
  readonly id: ItemId
  readonly size: number
  readonly merge?: boolean
}

/** One version of an item without its payload. */
export interface ItemHeader {
  readonly id: ItemId
  readonly version: Hash
  /** Place in the chain; the first version has 1. */
  readonly position: number
  readonly dataHash: Hash
  readonly blob: Hash | null
  readonly size: number
  readonly type: string
  readonly tags: readonly string[]
  readonly description: string
  readonly meta: Json
  readonly dependsOn: readonly ItemId[]
  readonly at: number
  readonly stamp: Stamp
  readonly by: MemberId
  readonly state: 'agreed' | 'pending'
  /** Only on a delete (in `list {deleted: true}` and `history`). */
  readonly deleted?: true
}
/** Of `version` and `at` at most one. */
export interface HeadParams {
  readonly id: ItemId
  readonly version?: Hash
  /** Milliseconds: the item as this member now knows it to have been at that time. */
  readonly at?: number
}
export interface HeadResult extends ItemHeader {
  readonly dependedOnBy: readonly ItemId[]
}
export type PayloadForm = 'text' | 'json' | 'base64'
export interface GetParams extends HeadParams {
  /** Forces the form; BAD_REQUEST where the bytes do not have it. */
  readonly as?: PayloadForm
}
export type GetResult = ItemHeader & PayloadFields
/** In the answer, after the line, follow exactly `size` raw bytes. */
export type DownloadResult = ItemHeader

export interface ListParams {
  readonly prefix?: string
  readonly after?: ItemId
  readonly limit?: number
  readonly at?: number
  readonly deleted?: boolean
}
export interface ListResult {
  readonly items: readonly ItemHeader[]
  /** Pass as `after` for the next page; absent on the last. */
  readonly next?: ItemId
  /**
   * Items left out of this page: a version of theirs was damaged here and is being fetched, and
   * what is left may be an old one. Absent when there is none.
   */
  readonly damaged?: readonly ItemId[]
}
export interface HistoryParams {
  readonly id: ItemId
  readonly after?: Hash
  readonly limit?: number
}
export interface HistoryFact extends Omit<ItemHeader, 'deleted'> {
  readonly parents: readonly Hash[]
  readonly deleted: boolean
}
export interface HistoryResult {
  /** Youngest first. */
  readonly facts: readonly HistoryFact[]
  readonly next?: Hash
}
export interface LinksParams {
  readonly id: ItemId
}
export interface LinksResult {
  readonly dependsOn: readonly { readonly id: ItemId; readonly missing: boolean }[]
  readonly dependedOnBy: readonly ItemId[]
}
export interface Branch {
  /** The split item's id. */
  readonly id: ItemId
  readonly version: Hash
  readonly at: number
  readonly by: MemberId
  readonly size: number
}
export interface Collision {
  readonly id: ItemId
  readonly branches: readonly Branch[]
}
export interface CollisionsResult {
  readonly collisions: readonly Collision[]
}
/** Either `keep` (a split id, or a version) or the fields of a `put`. */
export interface ResolveParams extends WriteOptions, PropertyParams, PayloadFields {
  readonly id: ItemId
  readonly keep?: ItemId | Hash
}
export interface ResolveResult {
  readonly id: ItemId
  readonly version: Hash
}

export type NoParams = Readonly<Record<never, never>>

/** Every method of the socket: what goes in, what comes out. */
export interface Methods {
  readonly status: { readonly params: StatusParams; readonly result: StatusResult }
  readonly put: { readonly params: PutParams; readonly result: PutResult }
  readonly get: { readonly params: GetParams; readonly result: GetResult }
  readonly head: { readonly params: HeadParams; readonly result: HeadResult }
  readonly delete: { readonly params: DeleteParams; readonly result: PutResult }
  readonly list: { readonly params: ListParams; readonly result: ListResult }
  readonly history: { readonly params: HistoryParams; readonly result: HistoryResult }
  readonly links: { readonly params: LinksParams; readonly result: LinksResult }
  readonly collisions: { readonly params: NoParams; readonly result: CollisionsResult }
  readonly resolve: { readonly params: ResolveParams; readonly result: ResolveResult }
  readonly watch: { readonly params: WatchParams; readonly result: WatchResult }
  readonly upload: { readonly params: UploadParams; readonly result: PutResult }
  readonly download: { readonly params: HeadParams; readonly result: DownloadResult }
  readonly why: { readonly params: WhyParams; readonly result: WhyResult }
  readonly verify: { readonly params: NoParams; readonly result: VerifyResult }
  readonly invite: { readonly params: InviteParams; readonly result: InviteResult }
  readonly members: { readonly params: NoParams; readonly result: MembersResult }
  readonly leave: { readonly params: NoParams; readonly result: LeaveResult }
  readonly remove: { readonly params: RemoveParams; readonly result: RemoveResult }
  readonly quorum: { readonly params: QuorumParams; readonly result: QuorumResult }
}
export type MethodName = keyof Methods

/** The error of a JSON-RPC answer. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data: { readonly code: ErrorCode } & Readonly<Record<string, unknown>>
}
