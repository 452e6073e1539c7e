/**
 * The methods of a member in its own process: what `connect` gives over the socket, without one.
 * They go through the very handlers and checks of the socket, so that a program that swaps one for
 * the other finds the same defaults, the same refusals and the same answers.
 *
 * Invariant: nothing is shared with the member. What goes in and what comes out is copied as the
 * socket would copy it, or a program that changes its own object would change what was hashed.
 */
import type { Bytes } from '../base/bytes.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import { checkParams } from '../control/check-params.ts'
import type { MemberService } from '../control/member-service.ts'
import {
  type CallContext,
  type ReportError,
  rpcServerOf,
  vecheErrorOf,
} from '../control/methods.ts'
import type {
  HeadParams,
  ItemHeader,
  ListParams,
  MethodName,
  Methods,
  PutResult,
  UploadParams,
} from '../control/protocol.ts'
import { errorOfRpc } from '../control/protocol-errors.ts'
import type {
  ByteSource,
  Download,
  MemberMethods,
  OnProgress,
  WatchOptions,
} from '../control/protocol-member.ts'
import type { WatchEvent } from '../control/protocol-network.ts'

/** The methods, but for the end of the member. */
export type OpenMethods = Omit<MemberMethods, 'close' | keyof AsyncDisposable>

export interface MethodsOptions {
  readonly service: MemberService
  readonly report: ReportError
  /** Aborted when the member is closed or failed; its reason is what methods throw then. */
  readonly closed: AbortSignal
}

/** The methods of a member that runs in this process. */
export function methodsOf({ service, report, closed }: MethodsOptions): OpenMethods {
  const rpc = rpcServerOf(service, report)

  async function call<M extends MethodName>(
    method: M,
    params: Methods[M]['params'],
    more: Partial<CallContext> = {},
  ): Promise<Methods[M]['result']> {
    closed.throwIfAborted()
    const context: CallContext = {
      body: undefined,
      signal: closed,
      inTurn: work => work(),
      progress: () => undefined,
      watch: () => 0,
      ...more,
    }
    const request = { jsonrpc: '2.0', id: 1, method, params: copied(params) } as const
    const answer = await rpc.receive(request, context)
    if (answer?.error !== undefined) throw errorOfRpc(answer.error)
    return copied(answer?.result)
  }

  async function* items(params: ListParams = {}): AsyncGenerator<ItemHeader, void, void> {
    let after = params.after
    for (;;) {
      const page = await call('list', { ...params, ...(after === undefined ? {} : { after }) })
      yield* page.items
      if (page.next === undefined) return
      after = page.next
    }
  }

  return {
    status: (params = {}) => call('status', params),
    put: params => call('put', params),
    get: params => call('get', params),
    head: params => call('head', params),
    delete: params => call('delete', params),
    list: (params = {}) => call('list', params),
    items,
    history: params => call('history', params),
    links: params => call('links', params),
    collisions: () => call('collisions', {}),
    resolve: params => call('resolve', params),
    why: (params = {}) => call('why', params),
    verify: (onProgress?: OnProgress) =>
      call('verify', {}, onProgress === undefined ? {} : { progress: onProgress }),
    invite: (params = {}) => call('invite', params),
    members: () => call('members', {}),
    leave: () => call('leave', {}),
    remove: member => call('remove', { member }),
    quorum: set => call('quorum', set === undefined ? {} : { set }),
    upload: (params: UploadParams, source: ByteSource): Promise<PutResult> =>
      call('upload', params, { body: copiedPieces(source, closed) }),
    download: (params: HeadParams) => download(service, params, closed),
    watch: (options = {}) => watch({ service, report, closed }, options),
  }
}

/** As it would be after the way over the socket; long texts are immutable and stay as they are. */
function copied<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  const { text, base64, ...rest } = value as { readonly text?: unknown; readonly base64?: unknown }
  return {
    ...JSON.parse(JSON.stringify(rest)),
    ...(text === undefined ? {} : { text }),
    ...(base64 === undefined ? {} : { base64 }),
  }
}

/** Pieces that the program may use again at once; stops when the member is closed. */
async function* copiedPieces(source: ByteSource, closed: AbortSignal): AsyncGenerator<Bytes> {
  for await (const piece of source) {
    closed.throwIfAborted()
    yield piece.slice()
  }
}

async function download(
  service: MemberService,
  params: HeadParams,
  closed: AbortSignal,
): Promise<Download> {
  closed.throwIfAborted()
  const checked = checkParams('download', copied(params))
  const { header, stream } = await service.download(checked).catch(fail)
  return { header: copied(header), stream }
}

/** Events from the member's log; a watch that its program leaves lets go of the log. */
async function* watch(
  { service, report, closed }: MethodsOptions,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, void> {
  const { signal, onConnection: _, ...params } = options
  const stop = signal === undefined ? closed : AbortSignal.any([signal, closed])
  closed.throwIfAborted()
  const { events } = await service.watch(checkParams('watch', params)).catch(fail)
  const iterator = events[Symbol.asyncIterator]()
  const stopped = Promise.withResolvers<undefined>()
  const onStop = () => stopped.resolve(undefined)
  stop.addEventListener('abort', onStop, { once: true })
  try {
    while (!stop.aborted) {
      const next = await Promise.race([iterator.next(), stopped.promise])
      if (next === undefined || next.done === true) break
      yield copied(next.value)
    }
  } finally {
    stop.removeEventListener('abort', onStop)
    // Not awaited: while the log is quiet the end comes with its next event, or the member's own.
    iterator.return?.().catch((error: unknown) => report('A watch did not end well.', error))
  }
  if (!isVecheError(closed.reason, 'CLOSED')) closed.throwIfAborted()
}

/** As a caller of the socket would be told. */
function fail(error: unknown): never {
  throw vecheErrorOf(error)
}

/** What methods throw after `close`. */
export function closedError(): VecheError {
  return new VecheError('CLOSED', 'This member was closed by its own program.')
}

/** What methods throw after the member could not go on. */
export function failedError(cause: Error): VecheError {
  const sentence = `This member could not go on and was stopped: ${cause.message}`
  return new VecheError('INTERNAL', sentence, {}, cause)
}
