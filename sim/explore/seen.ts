/**
 * The set of states that were seen, by prints of 64 bits: 16 bytes for each state in one flat table,
 * so that tens of millions fit into memory. Two states with one print would be taken for one: with
 * ten million states that happens to anybody with a probability of 0.000003.
 */

export interface Print {
  readonly low: number
  readonly high: number
}

/** A print of 64 bits: two halves that see every character, mixed at the end. */
export function printOf(name: string): Print {
  let low = 0xdeadbeef
  let high = 0x41c6ce57
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    low = Math.imul(low ^ code, 0x9e3779b1)
    high = Math.imul(high ^ code, 0x5f356495)
  }
  const mixedLow = mix(low, 0x85ebca6b) ^ mix(high, 0xc2b2ae35)
  const mixedHigh = mix(high, 0x85ebca6b) ^ mix(mixedLow, 0xc2b2ae35)
  return { low: mixedLow >>> 0, high: mixedHigh >>> 0 }
}

function mix(half: number, factor: number): number {
  return Math.imul(half ^ (half >>> 16), factor) ^ Math.imul(half ^ (half >>> 13), factor)
}

const slotsMin = 1 << 16

/** A set of prints: open addressing, never more than half full. */
export class Seen {
  /** Low and high halves side by side; an empty slot is two zeros. */
  #table = new Uint32Array(slotsMin * 2)
  #slots = slotsMin
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds a print; answers whether it was new. */
  add({ low, high }: Print): boolean {
    if (this.#size * 2 >= this.#slots) this.#grow()
    // Two zeros mean an empty slot: that print takes its neighbour's place.
    const isNew = put(this.#table, this.#slots, low, low === 0 && high === 0 ? 1 : high)
    if (isNew) this.#size += 1
    return isNew
  }

  #grow(): void {
    const old = this.#table
    this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * 2)
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at]!
      const high = old[at + 1]!
      if (low !== 0 || high !== 0) put(this.#table, this.#slots, low, high)
    }
  }
}

function put(table: Uint32Array, slots: number, low: number, high: number): boolean {
  for (let slot = low & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const knownLow = table[slot * 2]!
    const knownHigh = table[slot * 2 + 1]!
    if (knownLow === low && knownHigh === high) return false
    if (knownLow !== 0 || knownHigh !== 0) continue
    table[slot * 2] = low
    table[slot * 2 + 1] = high
    return true
  }
}
