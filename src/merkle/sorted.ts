/**
 * Entries in the order of their id-hashes, by their numbers: what a tree that is laid out at once
 * needs first. A number of 53 bits has the first bits of an id-hash and, below them, the entry's
 * number, and V8 sorts a million of these in a tenth of a second. Id-hashes that begin alike are few
 * and put in order by hand.
 */
import type { Bytes } from '../base/bytes.ts'
import { compareHashes, ENTRY_BYTES } from './entry.ts'

/** Bits of a number that is exact. */
const NUMBER_BITS = 53
/** Bits of an id-hash that are looked at first, at most. */
const HEAD_BITS_MAX = 32

/**
 * The numbers of entries (64 bytes each, in any order) by id-hash, ascending; of several with one
 * id-hash the last.
 */
export function sortedEntries(entries: Bytes): Uint32Array {
  const count = entries.length / ENTRY_BYTES
  const indexBits = Math.max(1, Math.ceil(Math.log2(count)))
  const headBits = Math.min(HEAD_BITS_MAX, NUMBER_BITS - indexBits)
  const scale = 2 ** indexBits
  const numbers = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const head = headAt(entries, index * ENTRY_BYTES) >>> (HEAD_BITS_MAX - headBits)
    numbers[index] = head * scale + index
  }
  numbers.sort()
  const order = new Uint32Array(count)
  for (let at = 0; at < count; at++) order[at] = numbers[at]! % scale
  for (let from = 0; from < count; ) {
    const head = Math.floor(numbers[from]! / scale)
    let until = from + 1
    while (until < count && Math.floor(numbers[until]! / scale) === head) until++
    if (until - from > 1) sortAlike(entries, order.subarray(from, until))
    from = until
  }
  return withoutTwins(entries, order)
}

/** The first 32 bits of an id-hash. */
function headAt(bytes: Bytes, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  )
}

function sortAlike(entries: Bytes, order: Uint32Array): void {
  order.sort((a, b) => compareHashes(entries, a * ENTRY_BYTES, entries, b * ENTRY_BYTES) || a - b)
}

/** Leaves of each run of one id-hash the last; the array is reused. */
function withoutTwins(entries: Bytes, order: Uint32Array): Uint32Array {
  let kept = 0
  for (let at = 0; at < order.length; at++) {
    const [index, next] = [order[at]!, order[at + 1]]
    const isTwin =
      next !== undefined &&
      compareHashes(entries, index * ENTRY_BYTES, entries, next * ENTRY_BYTES) === 0
    if (!isTwin) order[kept++] = index
  }
  return order.subarray(0, kept)
}
