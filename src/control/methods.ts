/**
 * From a checked request to the member and back: one function per method, put into the JSON-RPC
 * server of the package json-rpc-2.0. `upload`, `download` and `watch` need their connection and
 * get it as the call's context.
 */
import { JSONRPCServer } from 'json-rpc-2.0'
import type { Bytes } from '../base/bytes.ts'
import { limits } from '../base/limits.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import { checkParams } from './check-params.ts'
import type { MemberService, PutContent, ResolveRequest } from './member-service.ts'
import { fieldsOf, payloadOf } from './payload-form.ts'
import type { GetParams, GetResult, MethodName, Methods, ResolveParams } from './protocol.ts'
import { rpcErrorOf } from './protocol-errors.ts'
import type { Progress, WatchEvent } from './protocol-network.ts'
import type { RpcId } from './request-line.ts'

/** What a request may ask of the connection that it came on. */
export interface CallContext {
  /** The raw bytes of an upload. */
  readonly body: AsyncIterable<Bytes> | undefined
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal
  /** Runs one after the other on this connection, and only while its reader keeps up. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  progress(progress: Progress): void
  /** Starts to send these events once the answer is out; answers the watch's number. */
  watch(events: AsyncIterable<WatchEvent>): number
}

type Handler<M extends MethodName> = (
  params: Methods[M]['params'],
  context: CallContext,
) => Promise<Methods[M]['result']>

/** `download` is missing: its answer is no line alone, the connection does it. */
type Handlers = { readonly [M in Exclude<MethodName, 'download'>]: Handler<M> }

function handlersOf(service: MemberService): Handlers {
  return {
    status: params => service.status(params),
    put: params => {
      const { text, json, base64, ...rest } = params
      const payload = payloadOf(params)
      return service.put({ ...rest, type: params.type ?? payload.type, payload: payload.bytes })
    },
    upload: (params, { body }) =>
      service.upload({ ...params, type: params.type ?? 'application/octet-stream' }, body!),
    get: (params, context) => get(service, params, context),
    head: params => service.head(params),
    delete: params => service.delete(params),
    list: (params, context) => context.inTurn(() => service.list(withPage(params))),
    history: (params, context) => context.inTurn(() => service.history(withPage(params))),
    links: (params, context) => context.inTurn(() => service.links(params)),
    collisions: (_, context) => context.inTurn(() => service.collisions()),
    resolve: params => service.resolve(resolveRequest(params)),
    watch: async (params, context) => {
      const { cursor, events } = await service.watch(params)
      return { watch: context.watch(events), cursor }
    },
    why: (params, context) => context.inTurn(() => service.why(params)),
    verify: (_, context) =>
      service.verify({ progress: step => context.progress(step), signal: context.signal }),
    invite: params => service.invite(params),
    members: () => service.members(),
    leave: () => service.leave(),
    remove: params => service.remove(params),
    quorum: params => service.quorum(params),
  }
}

/** Small payloads at once; a large one in turn, so that a thousand of them cannot fill memory. */
async function get(
  service: MemberService,
  { as, ...params }: GetParams,
  context: CallContext,
): Promise<GetResult> {
  const first = await service.get(params, limits.getPayloadAtOnceBytes).catch((error: unknown) => {
    if (isVecheError(error, 'TOO_LARGE')) return undefined
    throw error
  })
  const read = async () => {
    const { header, payload } = first ?? (await service.get(params, limits.getPayloadBytesMax))
    return { ...header, ...fieldsOf(payload, header.type, as) }
  }
  return first === undefined ? context.inTurn(read) : read()
}

function resolveRequest(params: ResolveParams): ResolveRequest {
  const { id, keep, text, json, base64, ifVersion, wait, timeoutMs, ...properties } = params
  const request = {
    id,
    ...(ifVersion === undefined ? {} : { ifVersion }),
    ...(wait === undefined ? {} : { wait }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  if (keep !== undefined) return { ...request, kind: 'keep', keep }
  const payload = payloadOf(params)
  const content: PutContent = {
    ...properties,
    type: properties.type ?? payload.type,
    payload: payload.bytes,
  }
  return { ...request, kind: 'content', content }
}

function withPage<P extends { readonly limit?: number }>(params: P): P {
  return { ...params, limit: Math.min(params.limit ?? limits.pageMax, limits.pageMax) }
}

/** Told of an error that is a bug or a fault and not a refusal. */
export type ReportError = (sentence: string, error: unknown) => void

/** The error of any thrown value; what is no VecheError is a bug, and told as such. */
export function vecheErrorOf(error: unknown): VecheError {
  return isVecheError(error)
    ? error
    : new VecheError('INTERNAL', 'A fault of Veche itself; the log of the daemon says more.')
}

/** The JSON-RPC server over a member. Parameters are checked here, once for all methods. */
export function rpcServerOf(
  service: MemberService,
  report: ReportError,
): JSONRPCServer<CallContext> {
  const server = new JSONRPCServer<CallContext>({
    errorListener: (sentence, error) => {
      if (!isVecheError(error) || error.code === 'INTERNAL') report(sentence, error)
    },
  })
  server.mapErrorToJSONRPCErrorResponse = (id: RpcId, error: unknown) => ({
    jsonrpc: '2.0',
    id,
    error: rpcErrorOf(vecheErrorOf(error)),
  })
  for (const [name, handler] of Object.entries(handlersOf(service))) {
    const method = name as MethodName
    const call = handler as Handler<MethodName>
    server.addMethod(name, async (params: unknown, context: CallContext) =>
      call(checkParams(method, params), context),
    )
  }
  return server
}
