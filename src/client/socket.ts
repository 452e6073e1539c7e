/**
 * Opening the control socket, and reading lines from it, with errors that say what to do.
 */
import { closeSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { limits } from '../base/limits.ts'
import { LineReader } from '../base/line-reader.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import { type SocketAddress, socketAddress } from '../control/protocol-address.ts'

/** Opens a connection. Throws NOT_RUNNING, NO_PERMISSION. */
export async function openSocket(path: string): Promise<Socket> {
  const address = addressOf(path)
  try {
    return await openAddress(address.path, path)
  } finally {
    address.release()
  }
}

function addressOf(path: string): SocketAddress {
  try {
    return socketAddress(path, {
      platform: process.platform,
      open: folder => openSync(folder, 'r'),
      close: closeSync,
    })
  } catch (error) {
    throw isVecheError(error, 'NOT_FOUND') ? notRunning(path, error) : error
  }
}

function openAddress(address: string, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    const fail = (error: NodeJS.ErrnoException) => reject(openError(error, path))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.on('error', () => socket.destroy()) // a loss; whoever reads or writes is told by it
      resolve(socket)
    })
  })
}

function openError(error: NodeJS.ErrnoException, path: string): VecheError {
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return new VecheError(
      'NO_PERMISSION',
      `May not open ${path}: only the user who runs the daemon may.`,
      { path },
      error,
    )
  return notRunning(path, error)
}

function notRunning(path: string, cause: unknown): VecheError {
  return new VecheError(
    'NOT_RUNNING',
    `No member answers at ${path}. Start it with: veche start --store ${dirname(path)}`,
    { path },
    cause,
  )
}

/** One request as a line. */
export function requestLine(id: number, method: string, params: object): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
}

/** What a line of the daemon can hold. */
export interface Message {
  readonly id?: number | null
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Reads a line of the daemon. Throws INTERNAL for what is no JSON-RPC. */
export function messageOf(bytes: Bytes): Message {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  } catch (error) {
    throw new VecheError('INTERNAL', 'The daemon sent a line that is no JSON.', {}, error)
  }
}

/** The messages of a connection, pulled: what is not pulled waits in the kernel. */
export async function* messagesOf(socket: Socket): AsyncGenerator<Message, void, void> {
  let messages: Message[] = []
  const reader = new LineReader(
    {
      line: bytes => messages.push(messageOf(bytes)) > 0,
      raw: () => true,
      lineTooLong: () => {
        throw new VecheError('INTERNAL', 'The daemon sent a line above every limit.')
      },
    },
    limits.answerBytesMax,
  )
  for await (const piece of socket) {
    reader.push(piece as Bytes)
    yield* messages
    messages = []
  }
}
