/**
 * One connection for small requests, many at once, matched by id with the package json-rpc-2.0.
 * Requests of one turn are joined into one write. When the connection is lost every request that
 * waits gets UNKNOWN: whether it was executed cannot be told from here.
 */
import type { Socket } from 'node:net'
import { JSONRPCClient, type JSONRPCResponse } from 'json-rpc-2.0'
import { limits } from '../base/limits.ts'
import { LineReader } from '../base/line-reader.ts'
import { VecheError } from '../base/veche-error.ts'
import type { MethodName, Methods } from '../control/protocol.ts'
import { errorOfRpc, rpcErrorOf } from '../control/protocol-errors.ts'
import type { OnProgress } from '../control/protocol-member.ts'
import type { ProgressNotification } from '../control/protocol-network.ts'
import { messageOf, openSocket } from './socket.ts'

export class Link {
  readonly #socket: Socket
  readonly #rpc: JSONRPCClient
  readonly #waiting = new Map<number, OnProgress | undefined>()
  #lines: string[] = []
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#rpc = new JSONRPCClient(request => this.#send(JSON.stringify(request)))
    const reader = new LineReader(
      {
        line: bytes => {
          this.#receive(bytes)
          return true
        },
        raw: () => true,
        lineTooLong: () => socket.destroy(),
      },
      limits.answerBytesMax,
    )
    socket.on('data', piece => reader.push(piece))
    socket.on('close', () => this.#lose())
  }

  /** Throws NOT_RUNNING, NO_PERMISSION. */
  static async open(path: string): Promise<Link> {
    return new Link(await openSocket(path))
  }

  get isOpen(): boolean {
    return this.#socket.writable && this.#socket.readable
  }

  /** Calls a method. Throws what the daemon answers, UNKNOWN when the answer was lost. */
  async call<M extends MethodName>(
    method: M,
    params: Methods[M]['params'],
    onProgress?: OnProgress,
  ): Promise<Methods[M]['result']> {
    if (!this.isOpen) throw new VecheError('NOT_RUNNING', 'The daemon is gone: nothing was sent.')
    const id = ++this.#lastId
    this.#waiting.set(id, onProgress)
    const response = await this.#rpc.requestAdvanced({ jsonrpc: '2.0', id, method, params })
    this.#waiting.delete(id)
    if (response.error !== undefined) throw errorOfRpc(response.error)
    return response.result
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 1) return
    queueMicrotask(() => {
      this.#socket.write(`${this.#lines.join('\n')}\n`)
      this.#lines = []
    })
  }

  #receive(bytes: Uint8Array): void {
    const message = messageOf(bytes)
    if (message.method === 'progress') {
      const { request, ...progress } = message.params as ProgressNotification
      this.#waiting.get(request as number)?.(progress)
    } else if (message.method === undefined) {
      this.#rpc.receive(message as JSONRPCResponse)
    }
  }

  #lose(): void {
    for (const id of this.#waiting.keys())
      this.#rpc.receive({ jsonrpc: '2.0', id, error: rpcErrorOf(lost()) })
  }
}

/** The answer was lost. */
export function lost(): VecheError {
  return new VecheError(
    'UNKNOWN',
    'The connection to the daemon was lost before the answer came: it may have happened or not. ' +
      'Look with "history" before you write again.',
  )
}
