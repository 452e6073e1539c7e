/**
 * Writing of deterministic CBOR (RFC 8949 4.2.1): shortest heads, definite lengths. Equal values
 * give equal bytes on every member, the same that cborg gives (the tests hold one against the
 * other). Facts, summaries and frames are written several times for each change at every member, and
 * cborg's tokens cost ten times as much; what those never hold (maps, floats) is left to it.
 *
 * Nothing here is asynchronous, and nothing that is called here writes, too: so one buffer will do.
 */
import { encode } from 'cborg'
import { type Bytes, copyBytes, putHex, unfilledBytes, utf8 } from './bytes.ts'

/** Bytes of a hash or stamp that are known as hex: written without a copy in between. */
export class HexBytes {
  readonly hex: string

  /** Lower-case hex of an even length, or the writing throws a TypeError. */
  constructor(hex: string) {
    this.hex = hex
  }
}

/** A hash or stamp to be written as its raw bytes; it must be hex, which our own values are. */
export function hexBytes(hex: string): HexBytes {
  return new HexBytes(hex)
}

/** What can be written. */
export type CborValue =
  | null
  | boolean
  | number
  | string
  | Bytes
  | HexBytes
  | readonly CborValue[]
  | { readonly [key: string]: CborValue }

/** A larger buffer is let go after its value: one large payload is no reason to keep its size. */
const KEPT_BYTES = 64 * 1024
/** A head is at most this long. */
const HEAD_BYTES = 9

/** Deterministic CBOR of a value, in memory of its own. Texts must be well-formed UTF-16. */
export function writeCbor(value: CborValue): Bytes {
  return writer.whole(value)
}

/** Writes one value at a time into memory that it keeps. */
class Writer {
  readonly #kept = new Uint8Array(KEPT_BYTES)
  #target: Bytes = this.#kept
  #at = 0

  whole(value: CborValue): Bytes {
    this.#target = this.#kept
    this.#at = 0
    this.#write(value)
    const target = this.#target
    this.#target = this.#kept
    // A large byte string mostly comes last: then its memory was made to measure.
    return target !== this.#kept && target.length === this.#at
      ? target
      : copyBytes(target, 0, this.#at)
  }

  #write(value: CborValue): void {
    if (typeof value === 'string') this.#text(value)
    else if (value instanceof HexBytes) this.#hex(value.hex)
    else if (typeof value === 'number' && Number.isSafeInteger(value)) this.#int(value)
    else if (value === null) this.#head(0xe0, 22)
    else if (typeof value === 'boolean') this.#head(0xe0, value ? 21 : 20)
    else if (Array.isArray(value)) this.#list(value)
    else if (value instanceof Uint8Array) this.#bytes(0x40, value)
    else this.#append(encode(value)) // floats, maps: cborg knows their shortest form and their order
  }

  #list(values: readonly CborValue[]): void {
    this.#head(0x80, values.length)
    for (let i = 0; i < values.length; i++) this.#write(values[i]!)
  }

  #int(value: number): void {
    if (value >= 0) this.#head(0x00, value)
    else this.#head(0x20, -1 - value)
  }

  #bytes(kind: number, bytes: Bytes): void {
    this.#head(kind, bytes.length)
    this.#append(bytes)
  }

  #append(bytes: Bytes): void {
    this.#room(bytes.length)
    this.#target.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #hex(hex: string): void {
    const length = hex.length / 2
    this.#head(0x40, length)
    this.#room(length)
    if (!putHex(hex, this.#target, this.#at)) throw new TypeError(`not lower-case hex: ${hex}`)
    this.#at += length
  }

  /** Most texts are ASCII and short: as many bytes as units, copied by hand. */
  #text(text: string): void {
    const begin = this.#at
    this.#head(0x60, text.length)
    this.#room(text.length)
    const target = this.#target
    for (let i = 0, at = this.#at; i < text.length; i++, at++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.#at = begin
        return this.#bytes(0x60, utf8(text))
      }
      target[at] = unit
    }
    this.#at += text.length
  }

  /** The head of a value: its kind in the high three bits, and a number in its shortest form. */
  #head(kind: number, number: number): void {
    this.#room(HEAD_BYTES)
    const target = this.#target
    if (number < 24) {
      target[this.#at++] = kind | number
    } else if (number < 0x100) {
      target[this.#at++] = kind | 24
      target[this.#at++] = number
    } else if (number < 0x10000) {
      target[this.#at++] = kind | 25
      target[this.#at++] = number >> 8
      target[this.#at++] = number
    } else if (number < 0x1_0000_0000) {
      target[this.#at++] = kind | 26
      this.#uint32(number)
    } else {
      target[this.#at++] = kind | 27
      this.#uint32(Math.floor(number / 0x1_0000_0000))
      this.#uint32(number % 0x1_0000_0000)
    }
  }

  #uint32(number: number): void {
    const target = this.#target
    target[this.#at++] = number >>> 24
    target[this.#at++] = number >>> 16
    target[this.#at++] = number >>> 8
    target[this.#at++] = number
  }

  /** Makes sure that so many bytes fit behind what is written. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#target.length) return
    const grown = bytes > KEPT_BYTES ? 0 : 2 * this.#target.length
    const larger = unfilledBytes(Math.max(grown, this.#at + bytes)) // given out when all is written
    larger.set(this.#target.subarray(0, this.#at))
    this.#target = larger
  }
}

const writer = new Writer()
