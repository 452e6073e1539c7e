/**
 * The XOR of hashes: what was put in and not taken out again, in any order. Equal sets have equal
 * values; that different ones differ is as sure as the hashes are random.
 */
import type { Bytes } from '../base/bytes.ts'
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

  /** The same with the 32 bytes of a hash that stand at a place. */
  toggleRaw(bytes: Bytes, at: number): void {
    for (let i = 0; i < 8; i++) {
      const from = at + 4 * i
      this.#words[i]! ^=
        (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
    }
  }

  value(): Hash {
    let text = ''
    for (const word of this.#words) text += word.toString(16).padStart(8, '0')
    return text
  }
}
