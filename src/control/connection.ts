/**
 * One connection to the control socket. Requests run at once and are answered in the order of
 * completion. Bounded in every direction: it stops reading while too many requests are at work, or
 * their lines are too long together, or the client does not read its answers; a watch pulls its
 * next event only while there is room, and a watcher that reads nothing at all is cut.
 *
 * A client that goes away in the middle of an upload makes the member's source throw, so that
 * nothing is stored.
 */
import type { Socket } from 'node:net'
import type { JSONRPCServer } from 'json-rpc-2.0'
import type { Bytes } from '../base/bytes.ts'
import { limits } from '../base/limits.ts'
import { LineReader, type LineReaderOwner } from '../base/line-reader.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import { ByteChannel } from './byte-channel.ts'
import { checkMethod, checkParams } from './check-params.ts'
import type { MemberService } from './member-service.ts'
import { type CallContext, type ReportError, vecheErrorOf } from './methods.ts'
import { Outbox } from './outbox.ts'
import { RPC_INVALID_REQUEST, rpcErrorOf } from './protocol-errors.ts'
import { RequestContext } from './request-context.ts'
import { announcedSize, parseRequest, type Request, type RpcId } from './request-line.ts'
import { Watches } from './watches.ts'

export interface ConnectionOptions {
  readonly service: MemberService
  readonly rpc: JSONRPCServer<CallContext>
  readonly report: ReportError
  readonly lineBytesMax: number
  readonly watchStuckMs: number
}

export class Connection implements LineReaderOwner {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #outbox: Outbox
  readonly #reader: LineReader
  readonly #watches: Watches
  readonly #gone = new AbortController()
  #requests = 0
  #requestBytes = 0
  #upload: ByteChannel | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #waitsForRoom = false
  #inputEnded = false
  #refused = false
  /** Resolves when the connection is closed and all its requests are done. */
  readonly closed: Promise<void>

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#outbox = new Outbox(socket)
    this.#reader = new LineReader(this, options.lineBytesMax)
    this.#watches = new Watches(this.#outbox, socket, options)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    socket.on('data', piece => this.#receive(piece))
    socket.on('end', () => this.#inputEnds())
    socket.on('error', () => socket.destroy()) // a client that went away; `close` follows
    socket.on('close', () => {
      this.#loseClient()
      resolve()
    })
  }

  /** Answers what is at work for at most `graceMs`, then cuts. */
  async stop(graceMs: number): Promise<void> {
    this.#socket.pause()
    this.#inputEnded = true
    this.#watches.end()
    this.#socket.once('finish', () => this.#socket.destroy())
    this.#settle()
    const timer = setTimeout(() => this.#socket.destroy(), graceMs)
    await this.closed
    clearTimeout(timer)
  }

  line(bytes: Bytes): boolean {
    if (bytes.length > 1 || (bytes.length === 1 && bytes[0] !== 0x0d)) this.#requestLine(bytes)
    return !this.#refused && !this.#mustWait()
  }

  raw(bytes: Bytes, last: boolean): boolean {
    this.#upload?.push(bytes)
    if (last) {
      this.#upload?.end()
      this.#upload = undefined
    }
    return this.#upload === undefined ? !this.#mustWait() : !this.#upload.isFull
  }

  lineTooLong(): void {
    const limit = this.#options.lineBytesMax
    const sentence = `A line has at most ${limit} bytes. Larger payloads go by "upload".`
    this.#refuse(new VecheError('TOO_LARGE', sentence, { limit }), RPC_INVALID_REQUEST)
  }

  #receive(piece: Bytes): void {
    if (this.#refused) return
    this.#reader.push(piece)
    if (this.#reader.isStopped) this.#pause()
  }

  #pause(): void {
    this.#socket.pause()
    if (!this.#outbox.isFull || this.#waitsForRoom) return
    this.#waitsForRoom = true
    void this.#outbox.room().then(() => {
      this.#waitsForRoom = false
      this.#settle()
    })
  }

  #mustWait(): boolean {
    return (
      this.#requests >= limits.socketRequestsMax ||
      this.#requestBytes >= limits.socketRequestBytesMax ||
      this.#outbox.isFull
    )
  }

  /** After anything ended: reads on if it may, ends if all is done. */
  #settle(): void {
    if (this.#refused) {
      if (this.#requests === 0) void this.#outbox.end()
      return
    }
    if (this.#reader.isStopped && !this.#mustWait() && !this.#upload?.isFull) {
      this.#reader.resume()
      if (!this.#reader.isStopped && !this.#inputEnded) this.#socket.resume()
    }
    if (this.#reader.isStopped) this.#pause()
    else if (this.#inputEnded && this.#requests === 0) void this.#outbox.end()
  }

  #requestLine(bytes: Bytes): void {
    const request = parseRequest(bytes)
    if (!request.ok) return this.#answerError(request.id, bad(request.sentence), request.number)
    void this.#serve(request, bytes.length)
  }

  /** Runs synchronously up to the call of the member, so that calls keep the order of lines. */
  async #serve(request: Request, bytes: number): Promise<void> {
    this.#requests++
    this.#requestBytes += bytes
    try {
      await this.#run(request)
    } catch (error) {
      this.#answerError(request.id, error)
    } finally {
      this.#requests--
      this.#requestBytes -= bytes
      if (this.#reader.isStopped || this.#inputEnded || this.#refused) this.#settle()
    }
  }

  #run(request: Request): Promise<void> {
    if (request.method === 'upload') return this.#runUpload(request)
    const method = checkMethod(request.method)
    if (method === 'download') return this.#runDownload(request)
    return this.#call(request, undefined)
  }

  async #call(request: Request, body: ByteChannel | undefined): Promise<void> {
    const context = new RequestContext(this, request.id ?? null, body)
    const { method, params } = request
    const response = await this.#options.rpc.receive(
      { jsonrpc: '2.0', method, params, ...(request.id === undefined ? {} : { id: request.id }) },
      context,
    )
    if (response !== null) this.#outbox.send(JSON.stringify(response))
    if (context.events !== undefined) this.#watches.start(context.events)
  }

  async #runUpload(request: Request): Promise<void> {
    const size = announcedSize(request.params)
    if (size === undefined) {
      try {
        checkParams('upload', request.params)
      } finally {
        this.#refused = true // without a size nobody knows where the next line begins
      }
    }
    const channel = new ByteChannel(() => this.#settle())
    if (size === 0 || size === undefined) channel.end()
    else {
      this.#upload = channel
      this.#reader.expectRaw(size)
    }
    try {
      await this.#call(request, channel)
    } finally {
      channel.discard()
    }
  }

  async #runDownload({ params, id }: Request): Promise<void> {
    if (id === undefined) throw bad('A download needs an id, or its answer could not be told.')
    const { header, stream } = await this.#options.service.download(checkParams('download', params))
    const line = JSON.stringify({ jsonrpc: '2.0', id, result: header })
    await this.#outbox.stream(line, header.size, stream).catch((error: unknown) => {
      if (!isVecheError(error, 'CLOSED')) this.#options.report('A download broke off.', error)
    })
  }

  #answerError(id: RpcId | undefined, error: unknown, number?: number): void {
    if (!isVecheError(error)) this.#options.report('A request failed.', error)
    const answer = rpcErrorOf(vecheErrorOf(error), number)
    if (id !== undefined) this.#outbox.send(JSON.stringify({ jsonrpc: '2.0', id, error: answer }))
    if (this.#refused) this.#hangUp()
  }

  /** Says why, and reads no more requests of this connection. */
  #refuse(error: VecheError, number: number): void {
    this.#refused = true
    this.#answerError(null, error, number)
  }

  /** Ends when all is answered; meanwhile takes and drops what still comes. */
  #hangUp(): void {
    this.#watches.end()
    this.#settle()
    this.#socket.resume()
    const timer = setTimeout(() => this.#socket.destroy(), limits.socketLingerMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  /** A client that is gone looks the same, so this ends its watches, too. */
  #inputEnds(): void {
    this.#inputEnded = true
    this.#watches.end()
    if (this.#reader.isInside && this.#upload === undefined && !this.#refused)
      this.#answerError(null, bad('The last line has no end: it was not executed.'))
    this.#failUpload()
    this.#settle()
  }

  #failUpload(): void {
    this.#upload?.fail(
      new VecheError('CLOSED', 'The client went away before the upload was whole.'),
    )
    this.#upload = undefined
  }

  #loseClient(): void {
    this.#failUpload()
    this.#watches.end()
    this.#gone.abort(new VecheError('CLOSED', 'The client went away.'))
  }

  /** See CallContext. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  get outbox(): Outbox {
    return this.#outbox
  }

  get watches(): Watches {
    return this.#watches
  }

  /** See CallContext. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(async () => {
      await this.#outbox.room()
      return work()
    })
    this.#turn = mine.catch(() => undefined) // told to its own caller; the next one starts anyway
    return mine
  }
}

function bad(sentence: string): VecheError {
  return new VecheError('BAD_REQUEST', sentence)
}
