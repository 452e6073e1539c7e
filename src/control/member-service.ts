/**
 * What the control server asks of the member in this process: the methods of the socket with bytes
 * in place of text, JSON and base64. The daemon's member implements it (src/node), the server and
 * the embedded client call it, and test/support has an honest twin in memory.
 *
 * Contract. Parameters arrive checked for shape, type and bounds that need no knowledge of the
 * store (check-params.ts); the member checks ids, versions, limits of properties and everything
 * that depends on its state. Refusals are thrown as VecheError with the codes named at each method;
 * any method may also throw DAMAGED (a record that fails its checksum), STOPPING and INTERNAL.
 * Anything else that is thrown is a bug and is answered as INTERNAL. Methods may be called at any
 * time and at once; writes on one id take effect in the order of the calls.
 */
import type { Bytes } from '../base/bytes.ts'
import type { ItemId } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import type {
  CollisionsResult,
  DeleteParams,
  HeadParams,
  HeadResult,
  HistoryParams,
  HistoryResult,
  ItemHeader,
  LinksParams,
  LinksResult,
  ListParams,
  ListResult,
  PropertyParams,
  PutResult,
  ResolveResult,
  UploadParams,
  WriteOptions,
} from './protocol.ts'
import type {
  InviteParams,
  InviteResult,
  LeaveResult,
  MembersResult,
  Progress,
  QuorumParams,
  QuorumResult,
  RemoveParams,
  RemoveResult,
  StatusParams,
  StatusResult,
  VerifyResult,
  WatchEvent,
  WatchParams,
  WhyParams,
  WhyResult,
} from './protocol-network.ts'

/** What a put writes; absent properties are empty (they are not taken over from the head). */
export interface PutContent extends Omit<PropertyParams, 'type'> {
  readonly payload: Bytes
  /** Always set: the server fills in the default of the payload's form. */
  readonly type: string
}

export interface PutRequest extends PutContent, WriteOptions {
  readonly id: ItemId
  readonly merge?: boolean
}

export type ResolveRequest = WriteOptions & { readonly id: ItemId } & (
    | { readonly kind: 'keep'; readonly keep: ItemId | Hash }
    | { readonly kind: 'content'; readonly content: PutContent }
  )

export type UploadRequest = Omit<UploadParams, 'type'> & { readonly type: string }

/** A version with its whole payload. */
export interface ItemPayload {
  readonly header: ItemHeader
  readonly payload: Bytes
}

/** A version with its payload as it is read. */
export interface ItemStream {
  readonly header: ItemHeader
  /**
   * Exactly `header.size` bytes, in pieces of at most a few hundred KiB, read as they are pulled.
   * Throws DAMAGED or UNAVAILABLE when it cannot go on (the server then cuts the connection: the
   * reader can never take a part for the whole). `return()` frees what it holds.
   */
  readonly stream: AsyncIterable<Bytes>
}

export interface VerifyOptions {
  readonly progress: (progress: Progress) => void
  /** Aborted when the caller is gone: stop soon and throw its reason. */
  readonly signal: AbortSignal
}

export interface MemberService {
  /** Never fails for want of a network. */
  status(params: StatusParams): Promise<StatusResult>
  /**
   * Answers when `wait` (default `majority`) is reached or after `timeoutMs` (default
   * limits.putWaitMs) with the level reached; an accepted write is never an error later.
   * `merge` on an item that is whole is a plain put. BAD_REQUEST (id, properties), TOO_LARGE,
   * SPLIT (`data.ids`), VERSION_MISMATCH (`data.head`, null where there is no item), NOT_FOUND (a
   * split id that is not known), DISK_FULL, REMOVED.
   */
  put(request: PutRequest): Promise<PutResult>
  /** As `put`; NOT_FOUND where there is no live item. `blob` is null and `size` 0 in the answer. */
  delete(params: DeleteParams): Promise<PutResult>
  /**
   * As `put`. Pulls `source` as fast as it can store it (that is the back-pressure). When `source`
   * throws (the client is gone) or ends before `size` bytes, nothing is stored and the error is
   * thrown on. May refuse before it has read all: the server discards the rest.
   */
  upload(request: UploadRequest, source: AsyncIterable<Bytes>): Promise<PutResult>
  /**
   * The whole payload in memory. NOT_FOUND (also for a deleted item, then with `data.deleted` and
   * `data.version`), SPLIT, UNAVAILABLE, DAMAGED, BAD_REQUEST; TOO_LARGE with `data.size` when the
   * payload is above `payloadBytesMax`: then `download` is the way.
   */
  get(params: HeadParams, payloadBytesMax: number): Promise<ItemPayload>
  /** As `get`, for any size; fetches from a member that has it when it is not here. */
  download(params: HeadParams): Promise<ItemStream>
  /** As `get`, without the payload; a payload that is not here does not matter. */
  head(params: HeadParams): Promise<HeadResult>
  /**
   * Byte order of ids; the items of a split, never the split id. At most `limit` items (the server
   * always sets it, to at most limits.pageMax) and about limits.pageBytesMax bytes of headers.
   * BAD_REQUEST (`after`).
   */
  list(params: ListParams): Promise<ListResult>
  /** Youngest first; of a split item its derived chain. NOT_FOUND, SPLIT, BAD_REQUEST (`after`). */
  history(params: HistoryParams): Promise<HistoryResult>
  /** NOT_FOUND, SPLIT. */
  links(params: LinksParams): Promise<LinksResult>
  collisions(): Promise<CollisionsResult>
  /** As `put`; NOT_FOUND (`keep` is none of the branches), BAD_REQUEST (the item is not split). */
  resolve(request: ResolveRequest): Promise<ResolveResult>
  /**
   * Events after the cursor, for ever; `cursor` is where the stream starts. Events are read as they
   * are pulled, from the kept log, so a slow reader costs no memory. EXPIRED (with `data.oldest`)
   * when events after the cursor are no longer kept, BAD_REQUEST for a cursor that is none.
   * `return()` of the iterator ends it, also while a `next()` waits; it ends by itself at stop.
   */
  watch(params: WatchParams): Promise<EventStream>
  /** NOT_FOUND (id). */
  why(params: WhyParams): Promise<WhyResult>
  verify(options: VerifyOptions): Promise<VerifyResult>
  /** UNAVAILABLE when this member cannot write the invitation durably, REMOVED. */
  invite(params: InviteParams): Promise<InviteResult>
  members(): Promise<MembersResult>
  /** REMOVED, BAD_REQUEST where the network's settings do not allow it now. */
  leave(): Promise<LeaveResult>
  /** NOT_FOUND, BAD_REQUEST (itself, an ambiguous name, settings), REMOVED. */
  remove(params: RemoveParams): Promise<RemoveResult>
  /** UNAVAILABLE (members are not reached, or do not agree in time), REMOVED. */
  quorum(params: QuorumParams): Promise<QuorumResult>
}

/** What `watch` gives: where it starts, and the events. */
export interface EventStream {
  readonly cursor: string
  readonly events: AsyncIterable<WatchEvent>
}
