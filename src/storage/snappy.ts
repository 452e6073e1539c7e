/**
 * Reading of snappy, in which LevelDB compresses its blocks: literals and copies of what was just
 * written. Lengths are checked against both ends; bytes that are no snappy give `undefined`.
 */
import type { Bytes } from '../base/bytes.ts'
import { readVarint } from './table-block.ts'

/** A block of a table is some kilobytes; an index of the largest table stays below this. */
const PLAIN_BYTES_MAX = 64 * 1024 * 1024

/** The plain bytes. */
export function unsnappy(bytes: Bytes): Bytes | undefined {
  const size = readVarint(bytes, 0)
  // No piece gives more than 64 bytes for one: no memory is taken for a length that cannot be.
  if (size === undefined || size.value > Math.min(PLAIN_BYTES_MAX, 64 * bytes.length))
    return undefined
  const plain = new Uint8Array(size.value)
  let done = 0
  for (let at = size.end; at < bytes.length; ) {
    const piece = readPiece(bytes, at)
    if (piece === undefined || done + piece.length > plain.length) return undefined
    at = piece.end
    if (piece.kind === 'literal') {
      plain.set(bytes.subarray(piece.from, piece.end), done)
    } else {
      if (piece.back === 0 || piece.back > done) return undefined
      for (let i = 0; i < piece.length; i++) plain[done + i] = plain[done + i - piece.back]!
    }
    done += piece.length
  }
  return done === plain.length ? plain : undefined
}

type Piece =
  | {
      readonly kind: 'literal'
      readonly from: number
      readonly length: number
      readonly end: number
    }
  | { readonly kind: 'copy'; readonly back: number; readonly length: number; readonly end: number }

function readPiece(bytes: Bytes, at: number): Piece | undefined {
  const tag = bytes[at]!
  const rest = tag >>> 2
  if ((tag & 3) === 0) {
    const extra = rest < 60 ? 0 : rest - 59
    const length = 1 + (extra === 0 ? rest : littleEnd(bytes, at + 1, extra))
    const from = at + 1 + extra
    const end = from + length
    return end > bytes.length ? undefined : { kind: 'literal', from, length, end }
  }
  const extra = [0, 1, 2, 4][tag & 3]!
  const end = at + 1 + extra
  if (end > bytes.length) return undefined
  const far = littleEnd(bytes, at + 1, extra)
  if (extra === 1)
    return { kind: 'copy', back: ((tag >>> 5) << 8) | far, length: 4 + (rest & 7), end }
  return { kind: 'copy', back: far, length: 1 + rest, end }
}

function littleEnd(bytes: Bytes, at: number, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) value += (bytes[at + i] ?? 0) * 256 ** i
  return value
}
