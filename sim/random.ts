/**
 * The only source of chance in a simulated run: sfc32, seeded from a text by SHA-256. A run forks
 * it by purpose, so that one more draw in one place changes nothing in all others and an old seed
 * goes on meaning what it meant.
 */
import type { Bytes } from '../src/base/bytes.ts'
import { hashText } from '../src/base/hash.ts'

export class Random {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(name: string) {
    this.#name = name
    const seed = hashText(name)
    this.#a = Number.parseInt(seed.slice(0, 8), 16) | 0
    this.#b = Number.parseInt(seed.slice(8, 16), 16) | 0
    this.#c = Number.parseInt(seed.slice(16, 24), 16) | 0
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** A generator of its own for one purpose; the same purpose gives the same generator again. */
  fork(purpose: string): Random {
    return new Random(`${this.#name}/${purpose}`)
  }

  /** 0 … 2^32 − 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  /** low ≤ x < high. */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!
  }

  /** The entries in a drawn order. */
  shuffled<T>(list: readonly T[]): T[] {
    const order = [...list]
    for (let at = order.length - 1; at > 0; at--) {
      const other = this.int(0, at)
      const entry = order[at]!
      order[at] = order[other]!
      order[other] = entry
    }
    return order
  }

  bytes(count: number): Bytes {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at++) bytes[at] = this.uint32() >>> 24
    return bytes
  }
}
