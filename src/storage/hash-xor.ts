/**
 * The XOR of hashes: what was put in and not taken out again, in any order. Equal sets have equal
 * values; that different ones differ is as sure as the hashes are random.
 */
import type { Hash } from '../base/hash.ts'

/** The XOR of a changing set of hashes. */
export class HashXor {
  readonly #words = new Uint32Array(8)

  constructor(start?: Hash) {
    if (start !== undefined) this.toggle(start)
  }

  /** Puts a hash in, or takes it out again. */
  toggle(hash: Hash): void {
    for (let i = 0; i < 8; i++) {
      this.#words[i]! ^= Number.parseInt(hash.slice(8 * i, 8 * i + 8), 16)
    }
  }

  value(): Hash {
    let text = ''
    for (const word of this.#words) text += word.toString(16).padStart(8, '0')
    return text
  }
}
