/**
 * One line of the socket as a JSON-RPC request, or why it is none. Hostile or broken input ends
 * here as a value: a sentence, the number that JSON-RPC has for it, and the id where one was told.
 */
import { isUtf8 } from 'node:buffer'
import type { Bytes } from '../base/bytes.ts'
import { RPC_INVALID_REQUEST, RPC_PARSE_ERROR } from './protocol-errors.ts'

/** The id of a request. */
export type RpcId = string | number | null

export interface Request {
  readonly ok: true
  readonly method: string
  /** Absent in a notification, which gets no answer. */
  readonly id: RpcId | undefined
  readonly params: unknown
}

export interface NoRequest {
  readonly ok: false
  readonly sentence: string
  readonly number: number
  readonly id: RpcId
}

/** Reads a line without its end. */
export function parseRequest(bytes: Bytes): Request | NoRequest {
  if (!isUtf8(bytes)) return noRequest('The line is not UTF-8.', RPC_PARSE_ERROR)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return noRequest(`The line is not JSON: ${(error as Error).message}`, RPC_PARSE_ERROR)
  }
  return requestOf(value)
}

function requestOf(value: unknown): Request | NoRequest {
  if (Array.isArray(value)) return noRequest('Send one request a line, no batch.')
  if (typeof value !== 'object' || value === null) return noRequest('A request is a JSON object.')
  const { jsonrpc, method, id, params } = value as Record<string, unknown>
  if (id !== undefined && !isRpcId(id))
    return noRequest('The id of a request is a text or a number.')
  if (jsonrpc !== '2.0') return noRequest('A request has "jsonrpc": "2.0".', undefined, id)
  if (typeof method !== 'string') return noRequest('A request has a "method".', undefined, id)
  return { ok: true, method, id, params }
}

function isRpcId(value: unknown): value is RpcId {
  return value === null || typeof value === 'string' || typeof value === 'number'
}

function noRequest(sentence: string, number = RPC_INVALID_REQUEST, id: RpcId = null): NoRequest {
  return { ok: false, sentence, number, id }
}

/** The size that an upload announces, also when the rest of its parameters is wrong. */
export function announcedSize(params: unknown): number | undefined {
  if (typeof params !== 'object' || params === null || !('size' in params)) return undefined
  const { size } = params
  return Number.isSafeInteger(size) && (size as number) >= 0 ? (size as number) : undefined
}
