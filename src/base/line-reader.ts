/**
 * Cuts the incoming bytes of a connection into lines and runs of raw bytes, for both ends of the
 * control socket. It never holds more than one line of the given limit and the piece of bytes that
 * was received last.
 *
 * The owner may stop it in the middle of a piece (`false` from a callback): the rest is kept and
 * given by `resume()`. Lines are bytes here; whether they are UTF-8 and JSON is the owner's matter.
 */
import { type Bytes, concatBytes } from './bytes.ts'

const LINE_FEED = 0x0a

export interface LineReaderOwner {
  /** A whole line without its end; `false` stops the reader until `resume()`. */
  line(bytes: Bytes): boolean
  /** A piece of raw bytes; `last` when all that were expected came. `false` stops the reader. */
  raw(bytes: Bytes, last: boolean): boolean
  /** The line grew above the limit; the reader takes nothing more. */
  lineTooLong(): void
}

export class LineReader {
  readonly #owner: LineReaderOwner
  readonly #lineBytesMax: number
  #parts: Bytes[] = []
  #partBytes = 0
  #rawLeft = 0
  #kept: Bytes | undefined
  #state: 'flowing' | 'stopped' | 'dead' = 'flowing'

  constructor(owner: LineReaderOwner, lineBytesMax: number) {
    this.#owner = owner
    this.#lineBytesMax = lineBytesMax
  }

  /** Inside a line or a run of raw bytes: the end of the connection here cuts something off. */
  get isInside(): boolean {
    return this.#partBytes > 0 || this.#rawLeft > 0
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** From the next byte on come so many raw bytes. Called from within `line`. */
  expectRaw(size: number): void {
    this.#rawLeft = size
  }

  /** Takes a piece; must not be called while stopped. */
  push(piece: Bytes): void {
    let offset = 0
    while (offset < piece.length && this.#state === 'flowing') {
      offset = this.#rawLeft > 0 ? this.#raw(piece, offset) : this.#line(piece, offset)
    }
    if (this.#state === 'stopped' && offset < piece.length) this.#kept = piece.subarray(offset)
  }

  /** Goes on after a stop, first with what was kept. */
  resume(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'flowing'
    const kept = this.#kept
    this.#kept = undefined
    if (kept !== undefined) this.push(kept)
  }

  #raw(piece: Bytes, offset: number): number {
    const end = Math.min(piece.length, offset + this.#rawLeft)
    this.#rawLeft -= end - offset
    if (!this.#owner.raw(piece.subarray(offset, end), this.#rawLeft === 0)) this.#state = 'stopped'
    return end
  }

  #line(piece: Bytes, offset: number): number {
    const end = piece.indexOf(LINE_FEED, offset)
    const part = piece.subarray(offset, end < 0 ? piece.length : end)
    if (this.#partBytes + part.length > this.#lineBytesMax) {
      this.#state = 'dead'
      this.#parts = []
      this.#owner.lineTooLong()
      return piece.length
    }
    if (end < 0) {
      this.#parts.push(part)
      this.#partBytes += part.length
      return piece.length
    }
    const whole = this.#parts.length === 0 ? part : concatBytes([...this.#parts, part])
    this.#parts = []
    this.#partBytes = 0
    if (!this.#owner.line(whole)) this.#state = 'stopped'
    return end + 1
  }
}
