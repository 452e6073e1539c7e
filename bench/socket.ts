/**
 * A small client of the control socket, written from docs/control-socket.md alone: one JSON object a
 * line, and raw bytes after `upload` and in the answer of `download`. It costs as little as it can,
 * since it shares the machine with what it measures, and imports nothing of the product.
 */
import { createHash, hash } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface Put {
  readonly version: string
  readonly level: 'pending' | 'agreed' | 'majority'
}

export interface Status {
  readonly uuid: string
  readonly status: string
  readonly hash: string
  readonly cut: number
  readonly items: number
  readonly facts: number
  readonly pending: number
  readonly unsettled: number
}

/** An answer with an error in it. */
export class Refused extends Error {
  readonly code: string
  readonly ids: readonly string[]

  constructor({ message, data }: Refusal) {
    super(`${data.code}: ${message}`)
    this.code = data.code
    this.ids = data.ids ?? []
  }
}

interface Refusal {
  readonly message: string
  readonly data: { readonly code: string; readonly ids?: readonly string[] }
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: Refusal
}

/** Takes the events of the watches of a connection. */
export type OnEvent = (event: Readonly<Record<string, unknown>>) => void

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** How long a put waits for a majority before it counts as an error. */
const PUT_TIMEOUT_MS = 30_000

/** One connection; many calls at once. */
export class Connection {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #onEvent: OnEvent
  #last = 0
  #unsent: string[] = []
  #pieces: Buffer[] = []

  private constructor(socket: Socket, onEvent: OnEvent) {
    this.#socket = socket
    this.#onEvent = onEvent
    socket.on('data', piece => this.#take(piece))
    socket.on('error', () => socket.destroy()) // `close` follows and ends what waits
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The socket closed.'))
      this.#waiting.clear()
    })
  }

  static async open(path: string, onEvent: OnEvent = () => undefined): Promise<Connection> {
    return new Connection(await opened(path), onEvent)
  }

  call<Result>(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#last
    this.#unsent.push(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    // What is asked in one turn goes out in one piece.
    if (this.#unsent.length === 1) queueMicrotask(() => this.#send())
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
    })
  }

  status(): Promise<Status> {
    return this.call('status')
  }

  /** Writes a text; an answer below the level that was waited for is an error. */
  async put(id: string, text: string, wait: Put['level'] = 'majority'): Promise<void> {
    const { level } = await this.call<Put>('put', { id, text, wait, timeoutMs: PUT_TIMEOUT_MS })
    if (wait === 'majority' && level !== 'majority')
      throw new Error(`${id} is only ${level} after ${PUT_TIMEOUT_MS / 1000} s.`)
  }

  /** Reads a text and holds it against its hash. */
  async get(id: string): Promise<string> {
    const { text, blob } = await this.call<{ text: string; blob: string }>('get', { id })
    if (hash('sha256', text) !== blob) throw new Error(`${id} does not match its hash.`)
    return text
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(): void {
    if (this.#socket.destroyed) {
      for (const { reject } of this.#waiting.values()) reject(new Error('The socket is closed.'))
      this.#waiting.clear()
    } else {
      this.#socket.write(`${this.#unsent.join('\n')}\n`)
    }
    this.#unsent = []
  }

  #take(piece: Buffer): void {
    let from = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      this.#pieces.push(piece.subarray(from, end))
      this.#answer(this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces))
      this.#pieces = []
      from = end + 1
    }
    if (from < piece.length) this.#pieces.push(piece.subarray(from))
  }

  #answer(line: Buffer): void {
    const { id, method, params, result, error } = JSON.parse(line.toString()) as Answer
    if (method === 'event') this.#onEvent(params ?? {})
    const waiting = this.#waiting.get(id ?? -1)
    if (waiting === undefined) return
    this.#waiting.delete(id!)
    if (error === undefined) waiting.resolve(result)
    else waiting.reject(new Refused(error))
  }
}

/** Uploads so many bytes on a connection of its own, piece by piece; resolves with the blob. */
export async function upload(
  path: string,
  params: { readonly id: string; readonly size: number; readonly wait: Put['level'] },
  pieceAt: (offset: number) => Uint8Array,
): Promise<string> {
  const socket = await opened(path)
  const answer = firstLine(socket)
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'upload', params })}\n`)
  for (let at = 0; at < params.size; ) {
    const piece = pieceAt(at).subarray(0, params.size - at)
    at += piece.length
    // A refusal may come before all bytes are sent; a socket that closes never drains.
    const drained = () => new Promise(resolve => socket.once('drain', resolve))
    if (!socket.write(piece)) await Promise.race([drained(), answer])
  }
  const { line } = await answer
  socket.destroy()
  return resultOf<{ blob: string }>(line).blob
}

/** Downloads a payload and holds it against its hash; resolves with its size. */
export async function download(path: string, id: string): Promise<number> {
  const socket = await opened(path)
  const first = firstLine(socket)
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'download', params: { id } })}\n`)
  const { line, rest } = await first
  const { size, blob } = resultOf<{ size: number; blob: string }>(line)
  const sum = createHash('sha256').update(rest)
  let left = size - rest.length
  await new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error(`${left} bytes of ${id} did not come.`)))
    const take = (piece: Buffer) => {
      sum.update(piece)
      left -= piece.length
      if (left <= 0) resolve()
    }
    socket.on('data', take)
    if (left === 0) resolve()
    socket.resume()
  })
  socket.destroy()
  if (sum.digest('hex') !== blob) throw new Error(`${id} does not match its hash.`)
  return size
}

function resultOf<Result>(line: string): Result {
  const { result, error } = JSON.parse(line) as Answer
  if (error !== undefined) throw new Refused(error)
  return result as Result
}

/** The first line of a socket, and what came behind it; the socket stands still then. */
function firstLine(socket: Socket): Promise<{ readonly line: string; readonly rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0)
    const take = (piece: Buffer) => {
      held = Buffer.concat([held, piece])
      const end = held.indexOf(10)
      if (end < 0) return
      socket.off('data', take)
      socket.pause()
      resolve({ line: held.subarray(0, end).toString(), rest: held.subarray(end + 1) })
    }
    socket.on('data', take)
    socket.once('close', () => reject(new Error('The socket closed before it answered.')))
  })
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}
