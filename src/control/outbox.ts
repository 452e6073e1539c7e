/**
 * What goes out on one connection. Lines of one turn of the event loop are joined into one write
 * (40,000 small answers a second leave no room for a system call each). A download owns the
 * connection from its line to its last raw byte: lines that come meanwhile wait behind it.
 *
 * The outbox never refuses a line: whoever produces lines looks at `isFull` first, and that bounds
 * it (the connection stops reading requests, a watch stops pulling events).
 */
import type { Socket } from 'node:net'
import type { Bytes } from '../base/bytes.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'

export class Outbox {
  readonly #socket: Socket
  #lines: string[] = []
  #lineChars = 0
  #flushing = false
  #ended = false
  /** Streams that run or wait; each starts when the one before has ended. */
  #streams = 0
  #turn: Promise<void> = Promise.resolve()
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('drain', () => this.#wake())
    socket.on('close', () => this.#wake())
  }

  /** More than `limits.socketAnswerBytesMax` wait for the reader. */
  get isFull(): boolean {
    return this.#lineChars + this.#socket.writableLength > limits.socketAnswerBytesMax
  }

  /** Queues one line (without its end). */
  send(line: string): void {
    if (this.#socket.destroyed || this.#ended) return
    this.#lines.push(line)
    this.#lineChars += line.length
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (this.#streams === 0) this.#writeLines()
  }

  #writeLines(): void {
    if (this.#lines.length === 0 || this.#socket.destroyed) return
    const text = `${this.#lines.join('\n')}\n`
    this.#lines = []
    this.#lineChars = 0
    this.#socket.write(text)
    if (!this.isFull) this.#wake()
  }

  /**
   * Sends a line and then exactly `size` raw bytes. If the source fails or has another length the
   * connection is cut, because the reader could not tell the next line from payload.
   */
  async stream(line: string, size: number, source: AsyncIterable<Bytes>): Promise<void> {
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    this.#streams++
    try {
      await before
      this.#writeLines()
      this.#socket.write(`${line}\n`)
      await this.#writeAll(size, source)
    } catch (error) {
      this.#socket.destroy()
      throw error
    } finally {
      this.#streams--
      resolve()
      if (this.#streams === 0) this.#writeLines()
    }
  }

  async #writeAll(size: number, source: AsyncIterable<Bytes>): Promise<void> {
    let sent = 0
    for await (const piece of source) {
      sent += piece.length
      if (sent > size) break
      if (this.#socket.destroyed) throw new VecheError('CLOSED', 'The reader is gone.')
      this.#socket.write(piece)
      if (this.#socket.writableLength > limits.downloadAheadBytesMax) await this.#drained()
    }
    if (sent !== size)
      throw new VecheError('DAMAGED', `A payload of ${size} bytes gave ${sent}: connection cut.`)
  }

  /** Resolves when the socket took all, or is gone. */
  async #drained(): Promise<void> {
    while (this.#socket.writableNeedDrain && !this.#socket.destroyed) await this.#change()
  }

  /** Resolves when there is room, or the connection is gone. */
  async room(): Promise<void> {
    while (this.isFull && !this.#socket.destroyed) await this.#change()
  }

  /** Bytes that the reader has taken so far: tells a slow reader from a stuck one. */
  get taken(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength
  }

  /** Writes what waits, behind any download, and ends the connection's sending side. */
  async end(): Promise<void> {
    await this.#turn
    if (this.#ended) return
    this.#writeLines()
    this.#ended = true
    this.#socket.end()
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
