/**
 * Bytes and their text forms. Everything in Veche that is bytes is a `Uint8Array`; everything that
 * is compared or used as a key is a lower-case hex string, because strings are what Map, JSON and
 * the version formula want.
 */
export type Bytes = Uint8Array

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to here a text of ASCII is copied by hand: a call of the encoder costs three times as much. */
const SHORT_TEXT = 64

/** UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  if (text.length > SHORT_TEXT) return encoder.encode(text)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return encoder.encode(text)
    bytes[i] = unit
  }
  return bytes
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

const nibble = new Int8Array(128).fill(-1)
for (let i = 0; i < 16; i++) nibble['0123456789abcdef'.charCodeAt(i)] = i

/** Bytes of a lower-case hex text, or `undefined` when it is none. */
export function fromHex(hex: string): Bytes | undefined {
  if (hex.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = nibble[hex.charCodeAt(2 * i)] ?? -1
    const low = nibble[hex.charCodeAt(2 * i + 1)] ?? -1
    if (high < 0 || low < 0) return undefined
    bytes[i] = (high << 4) | low
  }
  return bytes
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
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
