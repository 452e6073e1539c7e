/**
 * A client of the control socket that shares nothing with ours: plain `node:net` and JSON, written
 * from the contract alone (one JSON-RPC 2.0 object a line, raw bytes after `upload` and in the
 * answer of `download`). It believes little: an answer without its request is an error.
 */
import { connect, type Socket } from 'node:net'

type Json = Record<string, unknown>

/** An error answer. */
export class RpcFailure extends Error {
  readonly code: string
  readonly data: Json

  constructor(error: { message: string; data?: Json }) {
    super(error.message)
    this.data = error.data ?? {}
    this.code = String(this.data.code)
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  /** A download: the bytes follow. */
  readonly raw: boolean
}

export class JsonClient {
  readonly socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  /** Answers without an id: to lines that were no request. */
  readonly strays: { error: { message: string; code: number; data: Json } }[] = []
  /** Parameters of notifications, in order, by method. */
  readonly notifications: { method: string; params: Json }[] = []
  readonly closed: Promise<void>
  #next = 1
  #buffer: Buffer = Buffer.alloc(0)
  #raw: { left: number; pieces: Buffer[]; header: Json; to: Waiting } | null = null

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data: Buffer) => this.#take(data))
    socket.on('error', () => socket.destroy()) // `close` follows and ends what waits
    this.closed = new Promise(resolve => {
      socket.on('close', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error('the socket closed'))
        this.#raw?.to.reject(new Error('the socket closed inside a payload'))
        this.#waiting.clear()
        resolve()
      })
    })
  }

  static open(path: string): Promise<JsonClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new JsonClient(socket))
      })
    })
  }

  call<T = Json>(method: string, params?: unknown): Promise<T> {
    const { id, answer } = this.expect<T>(false)
    this.socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return answer
  }

  /** The error that a call must end with. */
  async refusal(method: string, params?: unknown): Promise<RpcFailure> {
    try {
      await this.call(method, params)
    } catch (error) {
      if (error instanceof RpcFailure) return error
      throw error
    }
    throw new Error(`${method} was not refused`)
  }

  upload<T = Json>(params: Json, bytes: Uint8Array): Promise<T> {
    const { id, answer } = this.expect<T>(false)
    this.socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'upload', params })}\n`)
    this.socket.write(bytes)
    return answer
  }

  download(params: Json): Promise<{ header: Json; bytes: Buffer }> {
    const { id, answer } = this.expect<{ header: Json; bytes: Buffer }>(true)
    this.socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'download', params })}\n`)
    return answer
  }

  /** Draws the id of a request that the caller writes by hand. */
  expect<T = Json>(raw: boolean): { id: number; answer: Promise<T> } {
    const id = this.#next++
    // Its end was told already, to those that waited then: nobody would end this one.
    if (this.socket.destroyed) return { id, answer: Promise.reject(new Error('the socket closed')) }
    const answer = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, raw })
    })
    return { id, answer }
  }

  close(): void {
    this.socket.destroy()
  }

  #take(data: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data])
    for (;;) {
      if (this.#raw !== null) {
        const piece = this.#buffer.subarray(0, this.#raw.left)
        this.#buffer = this.#buffer.subarray(piece.length)
        this.#raw.pieces.push(Buffer.from(piece))
        this.#raw.left -= piece.length
        if (this.#raw.left > 0) return
        const { header, pieces, to } = this.#raw
        this.#raw = null
        to.resolve({ header, bytes: Buffer.concat(pieces) })
      }
      const end = this.#buffer.indexOf(0x0a)
      if (end < 0) return
      const line = this.#buffer.subarray(0, end).toString()
      this.#buffer = this.#buffer.subarray(end + 1)
      this.#line(JSON.parse(line))
    }
  }

  #line(message: Json): void {
    if (message.jsonrpc !== '2.0') throw new Error('an answer without "jsonrpc": "2.0"')
    if (typeof message.method === 'string') {
      const { method, params } = message as { method: string; params: Json }
      this.notifications.push({ method, params })
      return
    }
    const to = this.#waiting.get(message.id as number)
    if (to === undefined) {
      if (message.error === undefined) throw new Error('an answer that nobody asked for')
      this.strays.push(message as (typeof this.strays)[number])
      return
    }
    this.#waiting.delete(message.id as number)
    if (message.error !== undefined) {
      to.reject(new RpcFailure(message.error as { message: string; data?: Json }))
    } else if (to.raw) {
      const header = message.result as Json
      this.#raw = { left: header.size as number, pieces: [], header, to }
    } else {
      to.resolve(message.result)
    }
  }
}
