/**
 * Bytes and their text forms. Everything in Veche that is bytes is a `Uint8Array`; everything that
 * is compared or used as a key is a lower-case hex string, because strings are what Map, JSON and
 * the version formula want.
 */
export type Bytes = Uint8Array

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to here V8 keeps the bytes of an array beside its objects, and an array costs next to nothing. */
const HEAP_BYTES_MAX = 64
/** From here on an array has memory of its own: it may live long, and hold the others' memory with it. */
const OWN_BYTES_MIN = 4096
/** Memory that arrays in between share. Each is given out once, so all of it is zero. */
const SHARED_BYTES = 32 * 1024

class SharedMemory {
  #memory = new ArrayBuffer(SHARED_BYTES)
  #used = 0

  take(length: number): Bytes {
    if (this.#used + length > SHARED_BYTES) {
      this.#memory = new ArrayBuffer(SHARED_BYTES)
      this.#used = 0
    }
    const bytes = new Uint8Array(this.#memory, this.#used, length)
    this.#used += length
    return bytes
  }
}

const shared = new SharedMemory()

/**
 * Bytes that are all zero. Memory of its own costs an array fifteen times as much as a part of some
 * that it shares (decision 0027), and a write makes ten of them at every member.
 */
export function newBytes(length: number): Bytes {
  const isShared = length > HEAP_BYTES_MAX && length < OWN_BYTES_MIN
  return isShared ? shared.take(length) : new Uint8Array(length)
}

/**
 * Bytes for who writes each of them at once: large ones hold what lay there before. To make 256 KiB of zeroes
 * takes longer than to write over them.
 */
export function unfilledBytes(length: number): Bytes {
  if (length < OWN_BYTES_MIN) return newBytes(length)
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}

/** A copy of bytes. */
export function copyBytes(bytes: Bytes, from = 0, to = bytes.length): Bytes {
  const copy = unfilledBytes(to - from)
  copy.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
  return copy
}

/** Up to here a text of ASCII is copied by hand: a call of the encoder costs three times as much. */
const SHORT_TEXT = 64
/** A unit of UTF-16 takes at most so many bytes. */
export const UTF8_BYTES_MAX = 3
/** Where texts are encoded whose bytes are not counted yet. */
const textScratch = new Uint8Array(OWN_BYTES_MIN)

/** UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  if (text.length > SHORT_TEXT) return encoded(text)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return encoded(text)
    bytes[i] = unit
  }
  return bytes
}

function encoded(text: string): Bytes {
  if (text.length * UTF8_BYTES_MAX > textScratch.length) return encoder.encode(text)
  return copyBytes(textScratch, 0, encoder.encodeInto(text, textScratch).written)
}

/** Text of UTF-8 bytes, or `undefined` when the bytes are not valid UTF-8. */
export function utf8Text(bytes: Bytes): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined // not an error to report here: every caller names what it was reading
  }
}

const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1')
/** Up to here digits are put together by hand; Node's own way is quicker for more. */
const SHORT_BYTES_MAX = 64
/** Where they are: joined piece by piece they would be a tree of strings, which costs four times as much. */
const hexScratch = Buffer.alloc(2 * SHORT_BYTES_MAX)

/** Lower-case hex of bytes. */
export function toHex(bytes: Bytes): string {
  return hexAt(bytes, 0, bytes.length)
}

/** Lower-case hex of `length` bytes from a place on. */
export function hexAt(bytes: Bytes, at: number, length: number): string {
  if (length > SHORT_BYTES_MAX)
    return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('hex')
  let to = 0
  for (let from = at; from < at + length; from++) {
    const byte = bytes[from]!
    hexScratch[to++] = HEX_DIGITS[byte >> 4]!
    hexScratch[to++] = HEX_DIGITS[byte & 15]!
  }
  return hexScratch.toString('latin1', 0, to)
}

/** The value of a digit by its code; −1 for what is no lower-case digit. */
const NIBBLES = new Int8Array(0x100).fill(-1)
for (let value = 0; value < 16; value++) NIBBLES['0123456789abcdef'.charCodeAt(value)] = value

/**
 * Writes the bytes of a lower-case hex text of an even length at a place where they have room; false
 * when it is none, and what is written there then says nothing.
 */
export function putHex(hex: string, target: Bytes, at: number): boolean {
  const length = hex.length >> 1
  let wrong = hex.length & 1 ? -1 : 0
  for (let i = 0; i < length; i++) {
    const high = hex.charCodeAt(2 * i)
    const low = hex.charCodeAt(2 * i + 1)
    // Looked at once at the end: the sign of what is no digit stays, and so do bits above the table.
    const byte = (NIBBLES[high & 0xff]! << 4) | NIBBLES[low & 0xff]!
    wrong |= byte | -((high | low) >> 8)
    target[at + i] = byte
  }
  return wrong >= 0
}

/** Bytes of a lower-case hex text, or `undefined` when it is none. */
export function fromHex(hex: string): Bytes | undefined {
  const bytes = newBytes(hex.length >> 1)
  return putHex(hex, bytes, 0) ? bytes : undefined
}

/** Byte order: negative, zero or positive, as for sort. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * Order of two texts by their UTF-8 bytes (code points), the order of ids in lists and on disk.
 * JavaScript's own `<` orders by UTF-16 units and differs above U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xHigh = x >= 0xd800 && x <= 0xdfff
    const yHigh = y >= 0xd800 && y <= 0xdfff
    if (xHigh !== yHigh) return xHigh ? 1 : -1 // a surrogate pair lies above every single unit
    return x - y
  }
  return a.length - b.length
}

/** Order of two ASCII texts (hashes, stamps, peer ids): plain and fast. */
export function compareAscii(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** One array of all parts. */
export function concatBytes(parts: readonly Bytes[]): Bytes {
  let length = 0
  for (const part of parts) length += part.length
  const whole = unfilledBytes(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
