/**
 * Reads CBOR as far as facts use it: integers, floats, byte strings, texts, lists, maps and the three
 * simple values. What is written otherwise is an error.
 */
import { ByteReader } from './byte-reader.ts'

export type CborRead =
  | null
  | boolean
  | number
  | string
  | Buffer
  | CborRead[]
  | { [key: string]: CborRead }

/** The one value that bytes say. */
export function readCbor(bytes: Buffer): CborRead {
  const reader = new ByteReader(bytes)
  const value = readValue(reader)
  if (!reader.isAtEnd) throw new Error('bytes behind a CBOR value')
  return value
}

function readValue(reader: ByteReader): CborRead {
  const head = reader.byte()
  const major = head >> 5
  const short = head & 31
  if (major === 7) return simple(reader, short)
  const count = short < 24 ? short : bigEndian(reader, 2 ** (short - 24))
  if (major === 0) return count
  if (major === 1) return -1 - count
  if (major === 2) return Buffer.from(reader.take(count))
  if (major === 3) return reader.take(count).toString('utf8')
  if (major === 4) return Array.from({ length: count }, () => readValue(reader))
  if (major !== 5) throw new Error(`CBOR of major type ${major}`)
  const map: { [key: string]: CborRead } = {}
  for (let at = 0; at < count; at++) {
    const key = readValue(reader)
    if (typeof key !== 'string') throw new Error('a key that is no text')
    Object.defineProperty(map, key, { value: readValue(reader), enumerable: true })
  }
  return map
}

function simple(reader: ByteReader, short: number): CborRead {
  if (short === 20 || short === 21) return short === 21
  if (short === 22) return null
  const bytes = reader.take(2 ** (short - 24))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (short === 25) return view.getFloat16(0)
  if (short === 26) return view.getFloat32(0)
  if (short === 27) return view.getFloat64(0)
  throw new Error(`a simple CBOR value ${short}`)
}

function bigEndian(reader: ByteReader, bytes: number): number {
  if (bytes > 8) throw new Error('a CBOR head without a length')
  let value = 0
  for (let at = 0; at < bytes; at++) value = value * 256 + reader.byte()
  return value
}
