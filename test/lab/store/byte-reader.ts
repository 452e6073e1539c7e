/**
 * Reads numbers and strings as LevelDB and Snappy write them: varints of seven bits a byte, strings
 * behind their length. It must never read beyond the bytes that it was given.
 */

/** A place in bytes that moves on with each read. */
export class ByteReader {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length
  }

  byte(): number {
    if (this.isAtEnd) throw new Error('bytes end too early')
    const byte = this.#bytes[this.at]!
    this.at += 1
    return byte
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      if (scale > 2 ** 56) throw new Error('a varint that does not end')
    }
  }

  take(length: number): Buffer {
    if (this.at + length > this.#bytes.length) throw new Error('bytes end too early')
    const taken = this.#bytes.subarray(this.at, this.at + length)
    this.at += length
    return taken
  }

  /** A string behind its length. */
  prefixed(): Buffer {
    return this.take(this.varint())
  }
}
