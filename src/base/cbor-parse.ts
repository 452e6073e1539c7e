/**
 * Plain values out of deterministic CBOR, in one pass without tokens: what our own encoder writes,
 * and nothing else. Whatever it does not know or does not like (floats, tags, repeated keys, bytes
 * that end early) it leaves to the strict decoder of cbor.ts, which reads it anew and says what is
 * wrong with it. So this one can only be quicker, never more lenient: what it accepts, that one
 * accepts as the same value (the tests hold one against the other).
 *
 * It keeps to the same bounds: nesting and the number of values, counted when a list announces them,
 * and nothing is allocated from a number that was read.
 */
import { type Bytes, copyBytes, utf8Text } from './bytes.ts'

/** Answered in place of a value: the strict decoder is to read these bytes. */
export const NOT_PLAIN: unique symbol = Symbol('not plain')

/** From here on a copy of nearly all of the bytes is worth avoiding. */
const LARGE_BYTES = 64 * 1024
/** Longer texts come from Node's own decoder: put together by hand they would be trees of strings. */
const SHORT_TEXT_BYTES = 12
const UINT32 = 2 ** 32

/** The value of all of the bytes (a plain Uint8Array, no Buffer), or `NOT_PLAIN`. */
export function parsePlain(bytes: Bytes, depthMax: number, valuesMax: number): unknown {
  const parser = new Parser(bytes, depthMax, valuesMax)
  const value = parser.value(0)
  return parser.at === bytes.length ? value : NOT_PLAIN
}

class Parser {
  at = 0
  readonly #bytes: Bytes
  readonly #depthMax: number
  #valuesLeft: number
  #buffer: Buffer | null = null

  constructor(bytes: Bytes, depthMax: number, valuesMax: number) {
    this.#bytes = bytes
    this.#depthMax = depthMax
    this.#valuesLeft = valuesMax
  }

  value(depth: number): unknown {
    const first = this.#bytes[this.at]
    if (first === undefined) return NOT_PLAIN
    this.at += 1
    const kind = first >> 5
    if (kind === 7) return this.#simple(first)
    const number = this.#number(first & 31)
    if (number < 0) return NOT_PLAIN
    switch (kind) {
      case 0:
        return number
      case 1:
        return number < Number.MAX_SAFE_INTEGER ? -1 - number : NOT_PLAIN
      case 2:
        return this.#byteString(number)
      case 3:
        return this.#text(number)
      case 4:
        return this.#list(number, depth)
      case 5:
        return this.#map(number, depth)
      default:
        return NOT_PLAIN
    }
  }

  #simple(first: number): unknown {
    if (first === 0xf6) return null
    if (first === 0xf5) return true
    return first === 0xf4 ? false : NOT_PLAIN
  }

  /** The number of a head in its shortest form; −1 for any other. */
  #number(minor: number): number {
    if (minor < 24) return minor
    const bytes = this.#bytes
    const at = this.at
    const length = minor < 28 ? 1 << (minor - 24) : 0
    if (length === 0 || at + length > bytes.length) return -1
    this.at += length
    if (length === 1) return bytes[at]! < 24 ? -1 : bytes[at]!
    if (length === 2) {
      const number = (bytes[at]! << 8) | bytes[at + 1]!
      return number < 0x100 ? -1 : number
    }
    const high = this.#uint32(at)
    if (length === 4) return high < 0x10000 ? -1 : high
    const number = high * UINT32 + this.#uint32(at + 4)
    return high === 0 || number > Number.MAX_SAFE_INTEGER ? -1 : number
  }

  #uint32(at: number): number {
    const bytes = this.#bytes
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    )
  }

  /** A copy; but a view where it is more than half of large bytes, which nobody keeps twice then. */
  #byteString(length: number): unknown {
    const bytes = this.#bytes
    const from = this.at
    if (length > bytes.length - from) return NOT_PLAIN
    this.at += length
    const isView = bytes.length >= LARGE_BYTES && 2 * length > bytes.length
    return isView ? bytes.subarray(from, from + length) : copyBytes(bytes, from, from + length)
  }

  #text(length: number): unknown {
    const bytes = this.#bytes
    const from = this.at
    const until = from + length
    if (length > bytes.length - from) return NOT_PLAIN
    this.at = until
    for (let at = from; at < until; at++) {
      if (bytes[at]! > 0x7f) return utf8Text(bytes.subarray(from, until)) ?? NOT_PLAIN
    }
    if (length > SHORT_TEXT_BYTES) return this.#whole().toString('latin1', from, until)
    let text = ''
    for (let at = from; at < until; at++) text += String.fromCharCode(bytes[at]!)
    return text
  }

  #list(length: number, depth: number): unknown {
    if (!this.#enter(length, depth)) return NOT_PLAIN
    const values: unknown[] = []
    for (let i = 0; i < length; i++) {
      const value = this.value(depth + 1)
      if (value === NOT_PLAIN) return NOT_PLAIN
      values.push(value)
    }
    return values
  }

  #map(length: number, depth: number): unknown {
    if (!this.#enter(2 * length, depth)) return NOT_PLAIN
    const values: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string' || key === '__proto__' || Object.hasOwn(values, key))
        return NOT_PLAIN
      const value = this.value(depth + 1)
      if (value === NOT_PLAIN) return NOT_PLAIN
      values[key] = value
    }
    return values
  }

  #enter(values: number, depth: number): boolean {
    this.#valuesLeft -= values
    return depth < this.#depthMax && this.#valuesLeft >= 0
  }

  #whole(): Buffer {
    const { buffer, byteOffset, length } = this.#bytes
    this.#buffer ??= Buffer.from(buffer, byteOffset, length)
    return this.#buffer
  }
}
