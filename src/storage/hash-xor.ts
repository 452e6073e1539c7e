/**
 * The XOR of hashes: what was put in and not taken out again, in any order. Equal sets have equal
 * values; that different ones differ is as sure as the hashes are random.
 */
import { type Bytes, toHex } from '../base/bytes.ts'
import { putRaw } from '../base/cbor-read.ts'
import type { Hash } from '../base/hash.ts'

const HASH_BYTES = 32
const scratch = new Uint8Array(HASH_BYTES)

/** The XOR of a changing set of hashes. */
export class HashXor {
  readonly #value = new Uint8Array(HASH_BYTES)

  constructor(start?: Hash) {
    if (start !== undefined) this.toggle(start)
  }

  /** Puts a hash in, or takes it out again. */
  toggle(hash: Hash): void {
    putRaw(hash, scratch, 0)
    this.toggleRaw(scratch, 0)
  }

  /** The same with the 32 bytes of a hash that stand at a place. */
  toggleRaw(bytes: Bytes, at: number): void {
    for (let i = 0; i < HASH_BYTES; i++) this.#value[i]! ^= bytes[at + i]!
  }

  value(): Hash {
    return toHex(this.#value)
  }
}
