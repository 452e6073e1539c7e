/**
 * What one request sees of its connection (CallContext), with progress that comes at most ten
 * times a second and never piles up before a slow reader.
 */
import type { Bytes } from '../base/bytes.ts'
import type { CallContext } from './methods.ts'
import type { Outbox } from './outbox.ts'
import type { Progress, WatchEvent } from './protocol-network.ts'
import type { RpcId } from './request-line.ts'
import type { StartedWatch, Watches } from './watches.ts'

const PROGRESS_EVERY_MS = 100

interface RequestOwner {
  readonly signal: AbortSignal
  readonly outbox: Outbox
  readonly watches: Watches
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

export class RequestContext implements CallContext {
  readonly body: AsyncIterable<Bytes> | undefined
  /** Set by `watch`: to be started once the answer is out. */
  events: StartedWatch | undefined
  readonly #owner: RequestOwner
  readonly #id: RpcId
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(owner: RequestOwner, id: RpcId, body: AsyncIterable<Bytes> | undefined) {
    this.#owner = owner
    this.#id = id
    this.body = body
  }

  get signal(): AbortSignal {
    return this.#owner.signal
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#owner.inTurn(work)
  }

  progress(progress: Progress): void {
    const now = performance.now()
    const isLast = progress.done === progress.of
    if (this.#owner.outbox.isFull || (!isLast && now - this.#toldMs < PROGRESS_EVERY_MS)) return
    this.#toldMs = now
    const params = { request: this.#id, ...progress }
    this.#owner.outbox.send(JSON.stringify({ jsonrpc: '2.0', method: 'progress', params }))
  }

  watch(events: AsyncIterable<WatchEvent>): number {
    this.events = this.#owner.watches.add(events)
    return this.events.watch
  }
}
