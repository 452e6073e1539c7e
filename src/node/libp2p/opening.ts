/**
 * Watches what opens a connection or a stream, before libp2p reads it. Its reader of messages with
 * their length before them never gives up on a length that does not end: it tries anew with each
 * byte, so that some hundred KiB of 0x80, from anybody and before any key is shown, would stop this
 * process for minutes. Here such a length ends the connection or the stream at its third byte.
 *
 * Invariant: what is read as such a message is looked at here first; what follows it is passed on
 * unseen, as soon as the protocol is agreed on that reads it.
 */
import type { MessageStream } from '@libp2p/interface'

/** A message of up to 16 KiB: protocol names have 1 KiB at most, what identify tells 8 KiB. */
const LENGTH_BYTES_MAX = 2
/** Longer lines are no names of protocols. */
const NAME_BYTES_MAX = 128
const MULTISTREAM = '/multistream/1.0.0\n'

/** After a line: still the opening, messages with lengths to the end, or anything. */
export type AfterLine = 'opening' | 'messages' | 'anything'

/** How libp2p hands on what came; the interface does not name it. */
interface Incoming {
  onData(data: Chunk): void
}

type Chunk = { readonly byteLength: number; subarray(): Uint8Array }

/** Watches a connection or stream from its first byte on; `after` tells what a line leads to. */
export function watchOpening(stream: MessageStream, after: (line: string) => AfterLine): void {
  const incoming = stream as unknown as Incoming
  const pass = incoming.onData.bind(incoming)
  const opening = new Opening(after)
  incoming.onData = data => {
    if (opening.isOver || opening.take(data.subarray())) pass(data)
    else stream.abort(new Error('A length that does not end.'))
  }
}

export class Opening {
  readonly #after: (line: string) => AfterLine
  /** Bytes of the length that is being read. */
  #lengthBytes = 0
  #length = 0
  /** Bytes of the message that are still to come; null while its length is read. */
  #left: number | null = null
  #name = ''
  #isNamed = true
  isOver = false

  constructor(after: (line: string) => AfterLine) {
    this.#after = after
  }

  /** False: a length that libp2p would not come to an end with. */
  take(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      if (this.#left === null) {
        if (!this.#takeLength(bytes[at]!)) return false
        at += 1
      } else {
        const part = bytes.subarray(at, at + this.#left)
        this.#takePart(part, this.#left - part.length)
        at += part.length
      }
    }
    return true
  }

  #takeLength(byte: number): boolean {
    this.#length += (byte & 127) * 128 ** this.#lengthBytes
    this.#lengthBytes += 1
    if (byte >= 128) return this.#lengthBytes < LENGTH_BYTES_MAX
    const length = this.#length
    this.#lengthBytes = 0
    this.#length = 0
    this.#left = length === 0 ? null : length
    return true
  }

  #takePart(part: Uint8Array, left: number): void {
    if (this.#isNamed && this.#name.length + part.length <= NAME_BYTES_MAX)
      this.#name += Buffer.from(part).toString('latin1')
    this.#left = left === 0 ? null : left
    if (left > 0 || !this.#isNamed) return
    const next = this.#name === MULTISTREAM ? 'opening' : this.#after(this.#name)
    this.#name = ''
    if (next === 'messages') this.#isNamed = false
    if (next === 'anything') this.isOver = true
  }
}
