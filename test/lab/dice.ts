/**
 * Chance in the lab, drawn from a seed: what is done to whom and for how long, and what clients ask
 * for. Real processes do not repeat to the millisecond, so a seed repeats what a run tries, not what
 * comes of it.
 */
import { createHash } from 'node:crypto'

export class Dice {
  readonly #name: string
  #state: number

  constructor(name: string) {
    this.#name = name
    this.#state = createHash('sha256').update(name).digest().readUInt32LE(0)
  }

  /** Another stream of chance, for one purpose. */
  child(purpose: string): Dice {
    return new Dice(`${this.#name}/${purpose}`)
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
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
}
