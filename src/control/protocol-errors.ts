/**
 * A VecheError as the error of a JSON-RPC answer, and back. The number is for JSON-RPC libraries;
 * programs should look at `error.data.code`, which is stable. Both sides share this table.
 */
import { type ErrorCode, VecheError } from '../base/veche-error.ts'
import type { RpcError } from './protocol.ts'

/** JSON-RPC's own numbers where they fit, else the range for servers (−32000 … −32099). */
const rpcNumbers: Readonly<Record<ErrorCode, number>> = {
  UNKNOWN_METHOD: -32601,
  BAD_REQUEST: -32602,
  INTERNAL: -32603,
  NOT_FOUND: -32001,
  SPLIT: -32002,
  VERSION_MISMATCH: -32003,
  TOO_LARGE: -32004,
  DISK_FULL: -32005,
  DAMAGED: -32006,
  UNAVAILABLE: -32007,
  REMOVED: -32008,
  IN_USE: -32009,
  EXPIRED: -32010,
  USED: -32011,
  FORBIDDEN: -32012,
  TIMEOUT: -32013,
  NOT_A_STORE: -32014,
  NEWER_FORMAT: -32015,
  NO_PERMISSION: -32016,
  STOPPING: -32017,
  NOT_RUNNING: -32018,
  UNKNOWN: -32019,
  CLOSED: -32020,
}

/** JSON-RPC: the line is no JSON. */
export const RPC_PARSE_ERROR = -32700
/** JSON-RPC: the JSON is no request. */
export const RPC_INVALID_REQUEST = -32600

/** The error of an answer; `number` where JSON-RPC wants one of its own. */
export function rpcErrorOf(error: VecheError, number?: number): RpcError {
  return {
    code: number ?? rpcNumbers[error.code],
    message: error.message,
    data: { ...error.data, code: error.code },
  }
}

/** The error that an answer carries; an unknown code of a newer daemon reads as INTERNAL. */
export function errorOfRpc(rpc: {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}): VecheError {
  const { code, ...data } = isRecord(rpc.data) ? rpc.data : {}
  const known = typeof code === 'string' && Object.hasOwn(rpcNumbers, code)
  return new VecheError(
    known ? (code as ErrorCode) : 'INTERNAL',
    rpc.message,
    known ? data : { ...data, rpcCode: rpc.code, ...(code === undefined ? {} : { code }) },
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
