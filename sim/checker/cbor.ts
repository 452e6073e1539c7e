/**
 * Deterministic CBOR (RFC 8949, 4.2.1), writing only and as plain as it gets: what a dataHash is
 * made of. Whole numbers below 2^53 are integers, all others the shortest float that keeps the
 * value; keys of maps are sorted by their encoded bytes.
 */
import type { Json } from './format.ts'

/** JSON values, bytes, and lists of both. */
export type CborValue = Json | Uint8Array | readonly CborValue[]

/** The bytes of a value. */
export function cborOf(value: CborValue): Buffer {
  if (value === null) return Buffer.from([0xf6])
  if (value === true) return Buffer.from([0xf5])
  if (value === false) return Buffer.from([0xf4])
  if (typeof value === 'number') return numberOf(value)
  if (typeof value === 'string') return withHead(3, Buffer.from(value, 'utf8'))
  if (value instanceof Uint8Array) return withHead(2, value)
  if (Array.isArray(value)) {
    const list: readonly CborValue[] = value
    return Buffer.concat([headOf(4, list.length), ...list.map(cborOf)])
  }
  const entries = Object.entries(value as { readonly [key: string]: Json })
  const encoded = entries.map(([key, entry]) => [cborOf(key), cborOf(entry)] as const)
  encoded.sort((a, b) => Buffer.compare(a[0], b[0]))
  return Buffer.concat([headOf(5, encoded.length), ...encoded.flat()])
}

function withHead(major: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([headOf(major, bytes.length), bytes])
}

function headOf(major: number, count: number): Buffer {
  const top = major << 5
  if (count < 24) return Buffer.from([top | count])
  if (count < 2 ** 8) return Buffer.from([top | 24, count])
  const head = Buffer.alloc(count < 2 ** 16 ? 3 : count < 2 ** 32 ? 5 : 9)
  if (head.length === 3) head.writeUInt16BE(count, 1)
  else if (head.length === 5) head.writeUInt32BE(count, 1)
  else head.writeBigUInt64BE(BigInt(count), 1)
  head[0] = top | (head.length === 3 ? 25 : head.length === 5 ? 26 : 27)
  return head
}

function numberOf(value: number): Buffer {
  if (Number.isSafeInteger(value)) return value < 0 ? headOf(1, -1 - value) : headOf(0, value)
  const view = new DataView(new ArrayBuffer(9))
  view.setUint8(0, 0xf9)
  view.setFloat16(1, value)
  if (view.getFloat16(1) === value) return Buffer.from(view.buffer, 0, 3)
  view.setUint8(0, 0xfa)
  view.setFloat32(1, value)
  if (view.getFloat32(1) === value) return Buffer.from(view.buffer, 0, 5)
  view.setUint8(0, 0xfb)
  view.setFloat64(1, value)
  return Buffer.from(view.buffer)
}
