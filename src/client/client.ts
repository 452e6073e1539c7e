/**
 * The client that other programs import: the methods of the control socket, typed. It keeps one
 * connection for small requests and opens one for each upload, download and watch.
 *
 * When the connection is lost, reads are asked again on a new one. A write whose answer was lost
 * throws UNKNOWN and is never sent twice: only its caller can know whether twice is harmless.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { limits } from '../base/limits.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import type {
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
  MethodName,
  Methods,
  PutParams,
  PutResult,
  ResolveParams,
  ResolveResult,
  UploadParams,
} from '../control/protocol.ts'
import type {
  ByteSource,
  Download,
  MemberMethods,
  OnProgress,
  WatchOptions,
} from '../control/protocol-member.ts'
import type {
  InviteParams,
  QuorumName,
  StatusParams,
  VerifyResult,
  WatchEvent,
  WhyParams,
} from '../control/protocol-network.ts'
import { Link } from './link.ts'
import { download, upload } from './transfer.ts'
import { watch } from './watch.ts'

/** Where the member is: its store's folder, or the socket itself. */
export type ConnectOptions = ({ readonly store: string } | { readonly socket: string }) & {
  /** How long to look for the daemon after a loss; default limits.reconnectMs. */
  readonly reconnectMs?: number
}

/** What may be asked again after a lost answer. */
const reads: ReadonlySet<MethodName> = new Set<MethodName>([
  'status',
  'get',
  'head',
  'list',
  'history',
  'links',
  'collisions',
  'why',
  'verify',
  'members',
])

/** Connects to a running member. Throws NOT_RUNNING, NO_PERMISSION. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const path = 'socket' in options ? options.socket : join(options.store, 'control.sock')
  return new Client(path, await Link.open(path), options.reconnectMs ?? limits.reconnectMs)
}

/** A connected client; made by `connect`, ended by `close`. All methods throw VecheError. */
export class Client implements MemberMethods {
  readonly #path: string
  readonly #reconnectMs: number
  readonly #closed = new AbortController()
  #link: Link
  #opening: Promise<Link> | undefined

  constructor(path: string, link: Link, reconnectMs: number) {
    this.#path = path
    this.#link = link
    this.#reconnectMs = reconnectMs
  }

  status(params: StatusParams = {}) {
    return this.#call('status', params)
  }

  /** Writes a small payload; `upload` takes any size. */
  put(params: PutParams): Promise<PutResult> {
    return this.#call('put', params)
  }

  get(params: GetParams): Promise<GetResult> {
    return this.#call('get', params)
  }

  head(params: HeadParams): Promise<HeadResult> {
    return this.#call('head', params)
  }

  delete(params: DeleteParams): Promise<PutResult> {
    return this.#call('delete', params)
  }

  /** One page; `items` walks all. */
  list(params: ListParams = {}): Promise<ListResult> {
    return this.#call('list', params)
  }

  /** All items of a listing, page by page as they are pulled. */
  async *items(params: ListParams = {}): AsyncGenerator<ItemHeader, void, void> {
    let after = params.after
    for (;;) {
      const page = await this.list({ ...params, ...(after === undefined ? {} : { after }) })
      yield* page.items
      if (page.next === undefined) return
      after = page.next
    }
  }

  /** One page, youngest first. */
  history(params: HistoryParams): Promise<HistoryResult> {
    return this.#call('history', params)
  }

  links(params: LinksParams): Promise<LinksResult> {
    return this.#call('links', params)
  }

  collisions() {
    return this.#call('collisions', {})
  }

  resolve(params: ResolveParams): Promise<ResolveResult> {
    return this.#call('resolve', params)
  }

  /** What is not in sync, and why; for one item or all. */
  why(params: WhyParams = {}) {
    return this.#call('why', params)
  }

  /** Checks every fact, chain, payload and the root; may take long. */
  verify(onProgress?: OnProgress): Promise<VerifyResult> {
    return this.#call('verify', {}, onProgress)
  }

  invite(params: InviteParams = {}) {
    return this.#call('invite', params)
  }

  members() {
    return this.#call('members', {})
  }

  /** This member leaves its network and keeps its data. */
  leave() {
    return this.#call('leave', {})
  }

  remove(member: string) {
    return this.#call('remove', { member })
  }

  quorum(set?: QuorumName) {
    return this.#call('quorum', set === undefined ? {} : { set })
  }

  /** Writes exactly `params.size` bytes from the source, as fast as the member stores them. */
  upload(params: UploadParams, source: ByteSource): Promise<PutResult> {
    this.#assertOpen()
    return upload(this.#path, params, source)
  }

  /** Reads a payload of any size. */
  download(params: HeadParams): Promise<Download> {
    this.#assertOpen()
    return download(this.#path, params)
  }

  /** Events, each once per cursor, across reconnections; leave it with `break` or `signal`. */
  watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, void> {
    this.#assertOpen()
    return watch(this.#path, options, this.#closed.signal)
  }

  /** Ends all that is under way: calls throw UNKNOWN, watches end. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.#link.close()
    await this.#opening?.then(
      link => link.close(),
      () => undefined, // whoever waited for it was told
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call<M extends MethodName>(
    method: M,
    params: Methods[M]['params'],
    onProgress?: OnProgress,
  ): Promise<Methods[M]['result']> {
    const link = this.#link.isOpen ? this.#link : await this.#reopened()
    this.#assertOpen()
    try {
      return await link.call(method, params, onProgress)
    } catch (error) {
      if (!isVecheError(error, 'UNKNOWN') || !reads.has(method) || this.#closed.signal.aborted)
        throw error
    }
    return (await this.#reopened()).call(method, params, onProgress)
  }

  #reopened(): Promise<Link> {
    if (this.#link.isOpen) return Promise.resolve(this.#link)
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #reopen(): Promise<Link> {
    const endMs = performance.now() + this.#reconnectMs
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, limits.reconnectPauseMsMax)) {
      this.#assertOpen()
      try {
        this.#link = await Link.open(this.#path)
        return this.#link
      } catch (error) {
        if (performance.now() + pauseMs > endMs) throw error
      }
      await pause(pauseMs)
    }
  }

  #assertOpen(): void {
    if (this.#closed.signal.aborted)
      throw new VecheError('CLOSED', 'This client was closed by its own program.')
  }
}
