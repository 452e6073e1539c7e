/**
 * Prints: what is compared in a walk instead of hashes. A print is SHA-256 over the session's key
 * and a node's hash (or an entry), cut to 6 bytes, or not cut in a full comparison. Who writes
 * items cannot aim at a collision of the short form, because the key is drawn afresh for each walk;
 * and equal prints never prove equality, the roots do.
 */
import type { Bytes } from '../base/bytes.ts'
import { hashInto } from '../base/hash.ts'
import { BLOCK_BYTES, FAN } from './blocks.ts'
import { ENTRY_BYTES, HASH_BYTES, readHash } from './entry.ts'

/** Bytes of a session's key: with a hash it fills one block of SHA-256. */
export const WALK_KEY_BYTES = 16
const SHORT_BYTES = 6

/** Makes the prints of one session. */
export class Prints {
  /** Bytes of one print. */
  readonly width: number
  /** SHA-256 made so far. */
  hashes = 0
  readonly #nodePreimage = new Uint8Array(WALK_KEY_BYTES + HASH_BYTES)
  readonly #entryPreimage = new Uint8Array(WALK_KEY_BYTES + ENTRY_BYTES)
  readonly #digest = new Uint8Array(HASH_BYTES)

  constructor(session: { readonly key: Bytes; readonly full: boolean }) {
    this.width = session.full ? HASH_BYTES : SHORT_BYTES
    this.#nodePreimage.set(session.key)
    this.#entryPreimage.set(session.key)
  }

  /** The prints of 16 nodes from their hashes, side by side. */
  ofNodes(hashes: Bytes): Bytes {
    const prints = new Uint8Array(FAN * this.width)
    for (let at = 0; at < BLOCK_BYTES; at += HASH_BYTES) {
      const preimage = this.#nodePreimage
      for (let i = 0; i < HASH_BYTES; i++) preimage[WALK_KEY_BYTES + i] = hashes[at + i]!
      this.#print(preimage, prints, (at / HASH_BYTES) * this.width)
    }
    return prints
  }

  /** The prints of entries, side by side. */
  ofEntries(entries: Bytes): Bytes {
    const prints = new Uint8Array((entries.length / ENTRY_BYTES) * this.width)
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      const preimage = this.#entryPreimage
      for (let i = 0; i < ENTRY_BYTES; i++) preimage[WALK_KEY_BYTES + i] = entries[at + i]!
      this.#print(preimage, prints, (at / ENTRY_BYTES) * this.width)
    }
    return prints
  }

  /** Whether the prints number `index` of two lists are equal. */
  isEqual(a: Bytes, b: Bytes, index: number): boolean {
    const end = (index + 1) * this.width
    for (let i = index * this.width; i < end; i++) if (a[i] !== b[i]) return false
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

  #print(preimage: Bytes, target: Bytes, at: number): void {
    hashInto(preimage, 0, preimage.length, this.#digest, 0)
    for (let i = 0; i < this.width; i++) target[at + i] = this.#digest[i]!
    this.hashes += 1
  }
}
