/**
 * Prints: what is compared in a walk instead of hashes. A print of a node's hash (or of an entry) is
 * 6 bytes of HalfSipHash under the session's key, or SHA-256 over key and hash in a full comparison.
 * Who writes items cannot aim at a collision of the short form, because the key is drawn afresh for
 * each walk; and equal prints never prove equality, the roots do.
 */
import { type Bytes, newBytes } from '../base/bytes.ts'
import {
  HALF_SIP_KEY_BYTES,
  type HalfSipKey,
  halfSipHash,
  halfSipKey,
} from '../base/half-sip-hash.ts'
import { hashInto } from '../base/hash.ts'
import { FAN } from './blocks.ts'
import { ENTRY_BYTES, HASH_BYTES, readHash } from './entry.ts'

/** Bytes of a session's key. */
export const WALK_KEY_BYTES = HALF_SIP_KEY_BYTES
const SHORT_BYTES = 6

/** Makes the prints of one session. */
export class Prints {
  /** Bytes of one print. */
  readonly width: number
  /** Prints made so far. */
  made = 0
  readonly #key: Bytes
  readonly #short: HalfSipKey | null

  constructor(session: { readonly key: Bytes; readonly full: boolean }) {
    this.width = session.full ? HASH_BYTES : SHORT_BYTES
    this.#key = session.key
    this.#short = session.full ? null : halfSipKey(session.key)
  }

  /** The prints of 16 nodes from their hashes, side by side. */
  ofNodes(hashes: Bytes): Bytes {
    return this.#all(hashes, HASH_BYTES, FAN)
  }

  /** The prints of entries, side by side. */
  ofEntries(entries: Bytes): Bytes {
    return this.#all(entries, ENTRY_BYTES, entries.length / ENTRY_BYTES)
  }

  /** Whether print number `one` of a list is that of number `other` of another list. */
  isEqual(list: Bytes, one: number, others: Bytes, other: number): boolean {
    const { width } = this
    for (let i = 0; i < width; i++)
      if (list[one * width + i] !== others[other * width + i]) return false
    return true
  }

  /** Print number `index` as a key of a Map. */
  keyOf(prints: Bytes, index: number): number | string {
    const at = index * this.width
    if (this.width === HASH_BYTES) return readHash(prints, at)
    let key = 0
    for (let i = 0; i < SHORT_BYTES; i++) key = key * 256 + prints[at + i]!
    return key // 48 bits: exact
  }

  /** Of `count` sources of `bytes` bytes each, side by side. */
  #all(source: Bytes, bytes: number, count: number): Bytes {
    const { width } = this
    const prints = newBytes(count * width)
    const key = this.#short
    this.made += count
    if (key !== null) {
      for (let n = 0; n < count; n++) {
        const from = { source, start: n * bytes, end: (n + 1) * bytes }
        halfSipHash(key, from, { target: prints, at: n * width, width })
      }
      return prints
    }
    const preimage = newBytes(WALK_KEY_BYTES + bytes)
    preimage.set(this.#key)
    for (let n = 0; n < count; n++) {
      preimage.set(source.subarray(n * bytes, (n + 1) * bytes), WALK_KEY_BYTES)
      hashInto(preimage, 0, preimage.length, prints, n * width)
    }
    return prints
  }
}
