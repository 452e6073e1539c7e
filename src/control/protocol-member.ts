/**
 * What a program can ask of a member, whether it speaks with a daemon over the socket (`connect`)
 * or runs the member itself (`open`): one interface, so that a program can swap one for the other.
 * All methods throw VecheError. What goes in and out is plain JSON data, except streams of bytes.
 */
import type { Bytes } from '../base/bytes.ts'
import type {
  CollisionsResult,
  DeleteParams,
  GetParams,
  GetResult,
  HeadParams,
  HeadResult,
  HistoryParams,
  HistoryResult,
  ItemHeader,
  LinksParams,
  LinksResult,
  ListParams,
  ListResult,
  PutParams,
  PutResult,
  ResolveParams,
  ResolveResult,
  UploadParams,
} from './protocol.ts'
import type {
  InviteParams,
  InviteResult,
  LeaveResult,
  MembersResult,
  Progress,
  QuorumName,
  QuorumResult,
  RemoveResult,
  StatusParams,
  StatusResult,
  VerifyResult,
  WatchEvent,
  WatchParams,
  WhyParams,
  WhyResult,
} from './protocol-network.ts'

/** Bytes as they come, for example a Readable of Node. */
export type ByteSource = Iterable<Bytes> | AsyncIterable<Bytes>

/** A version and its payload; `stream` must be read to its end or left by `break`. */
export interface Download {
  readonly header: ItemHeader
  /**
   * The bytes, held against the item's hash: the last step throws DAMAGED when they differ, and
   * UNAVAILABLE when they broke off, so a part is never taken for the whole.
   */
  readonly stream: AsyncIterable<Bytes>
}

export interface WatchOptions extends WatchParams {
  /** Ends the iteration. */
  readonly signal?: AbortSignal
  /** Told when the connection to a daemon was lost and when events flow again. */
  readonly onConnection?: (state: 'lost' | 'open') => void
}

/** Told how far a long method is. */
export type OnProgress = (progress: Progress) => void

/** The methods of a member. */
export interface MemberMethods extends AsyncDisposable {
  status(params?: StatusParams): Promise<StatusResult>
  /** Writes a small payload; `upload` takes any size. */
  put(params: PutParams): Promise<PutResult>
  get(params: GetParams): Promise<GetResult>
  /** As `get`, without the payload. */
  head(params: HeadParams): Promise<HeadResult>
  delete(params: DeleteParams): Promise<PutResult>
  /** One page; `items` walks all. */
  list(params?: ListParams): Promise<ListResult>
  /** All items of a listing, page by page as they are pulled. */
  items(params?: ListParams): AsyncGenerator<ItemHeader, void, void>
  /** One page, youngest first. */
  history(params: HistoryParams): Promise<HistoryResult>
  links(params: LinksParams): Promise<LinksResult>
  /** Items that were changed apart. */
  collisions(): Promise<CollisionsResult>
  /** Makes one item of the branches of a collision again. */
  resolve(params: ResolveParams): Promise<ResolveResult>
  /** What is not in sync, and why; for one item or all. */
  why(params?: WhyParams): Promise<WhyResult>
  /** Checks every fact, chain, payload and the root; may take long. */
  verify(onProgress?: OnProgress): Promise<VerifyResult>
  /** A token with which another member can join. */
  invite(params?: InviteParams): Promise<InviteResult>
  members(): Promise<MembersResult>
  /** This member leaves its network and keeps its data. */
  leave(): Promise<LeaveResult>
  /** Removes a member, by name or uuid. */
  remove(member: string): Promise<RemoveResult>
  /** Which majority counts; with `set`, changes it for the whole network. */
  quorum(set?: QuorumName): Promise<QuorumResult>
  /** Writes exactly `params.size` bytes from the source, as fast as the member stores them. */
  upload(params: UploadParams, source: ByteSource): Promise<PutResult>
  /** Reads a payload of any size. */
  download(params: HeadParams): Promise<Download>
  /** Events, each once per cursor; leave it with `break` or `signal`. */
  watch(options?: WatchOptions): AsyncGenerator<WatchEvent, void, void>
  /** Ends all that is under way; with `open`, the member, too. */
  close(): Promise<void>
}
