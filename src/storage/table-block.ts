/**
 * A block of a LevelDB table that is not compressed: entries of key and value, each key written as
 * what differs from the one before, and at the end the places where whole keys begin. Numbers in it
 * are varints. Reading checks every length against the block, for it may be anything.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts'

/** One entry of a block. */
export interface TableEntry {
  readonly key: Bytes
  readonly value: Bytes
}

/** A number of up to 2^53 in 7-bit pieces, small end first. */
export function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}

/** The number at a place, and the place after it. */
export function readVarint(bytes: Bytes, at: number): { value: number; end: number } | undefined {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 127) * 128 ** i
    if (byte < 128) return Number.isSafeInteger(value) ? { value, end: at + i + 1 } : undefined
  }
  return undefined
}

/** The entries of a block; `undefined` when its lengths do not fit. */
export function readBlock(block: Bytes): TableEntry[] | undefined {
  if (block.length < 4) return undefined
  const restarts = uint32At(block, block.length - 4)
  const end = block.length - 4 - 4 * restarts
  if (end < 0) return undefined
  const entries: TableEntry[] = []
  let key: Bytes = new Uint8Array()
  for (let at = 0; at < end; ) {
    const shared = readVarint(block, at)
    const unshared = shared && readVarint(block, shared.end)
    const size = unshared && readVarint(block, unshared.end)
    if (shared === undefined || unshared === undefined || size === undefined) return undefined
    const valueAt = size.end + unshared.value
    at = valueAt + size.value
    if (at > end || shared.value > key.length) return undefined
    key = concatBytes([key.subarray(0, shared.value), block.subarray(size.end, valueAt)])
    entries.push({ key, value: block.subarray(valueAt, at) })
  }
  return entries
}

/** A block in which every key is whole. */
export function writeBlock(entries: readonly TableEntry[]): Bytes {
  const parts: Bytes[] = []
  const restarts: number[] = []
  let at = 0
  for (const { key, value } of entries) {
    const head = new Uint8Array([0, ...varint(key.length), ...varint(value.length)])
    restarts.push(at)
    parts.push(head, key, value)
    at += head.length + key.length + value.length
  }
  if (restarts.length === 0) restarts.push(0)
  const tail = new DataView(new ArrayBuffer(4 * restarts.length + 4))
  for (const [i, restart] of restarts.entries()) tail.setUint32(4 * i, restart, true)
  tail.setUint32(4 * restarts.length, restarts.length, true)
  return concatBytes([...parts, new Uint8Array(tail.buffer)])
}

function uint32At(bytes: Bytes, at: number): number {
  const [a, b, c, d] = bytes.subarray(at, at + 4)
  return (a! | (b! << 8) | (c! << 16) | (d! << 24)) >>> 0
}
