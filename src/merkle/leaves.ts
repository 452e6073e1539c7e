/**
 * The leaves of very many items, gathered for a tree that is laid out at once: the entries of all
 * lie in one piece of memory, and no hash of them is ever a text.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Glance } from '../base/glance.ts'
import { hashInto } from '../base/hash.ts'
import { ENTRY_BYTES, HASH_BYTES } from './entry.ts'

/** Entries for which there is room at first, at least. */
const ENTRIES_AT_FIRST = 64

/** Entries of a tree, in no order. */
export class Leaves {
  #bytes: Bytes
  #used = 0

  /** With room for so many; for more it grows. */
  constructor(expected: number) {
    this.#bytes = new Uint8Array(Math.max(expected, ENTRIES_AT_FIRST) * ENTRY_BYTES)
  }

  /** The entries of several pieces, copied, with room for so many more. */
  static of(pieces: readonly Bytes[], more: number): Leaves {
    const used = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const leaves = new Leaves(used / ENTRY_BYTES + more)
    for (const piece of pieces) {
      leaves.#bytes.set(piece, leaves.#used)
      leaves.#used += piece.length
    }
    return leaves
  }

  /** Adds an item with all that is agreed of it; something must be. */
  add({ idBytes, newest }: Glance): void {
    if (this.#used === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#used)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    hashInto(idBytes, 0, idBytes.length, this.#bytes, this.#used)
    hashInto(newest, 0, newest.length, this.#bytes, this.#used + HASH_BYTES)
    this.#used += ENTRY_BYTES
  }

  /** The entries, 64 bytes each. */
  entries(): Bytes {
    return this.#bytes.subarray(0, this.#used)
  }
}
