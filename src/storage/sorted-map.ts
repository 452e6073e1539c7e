/**
 * A map that can also be read in the order of its keys: a hash map for the values and, beside it,
 * the keys in sorted blocks. Finding, adding and removing a key cost a binary search and the move
 * of at most one block; reading a range costs what is read. Made for 10^5 keys and more.
 *
 * A range may be read while nothing changes; whoever keeps it for later copies it.
 */

/** Keys in one block; a block that grows to twice as many is cut in half. */
const BLOCK_KEYS = 256

/** Negative, zero or positive, as for sort. */
export type Compare<Key> = (a: Key, b: Key) => number

/** A half-open range of keys; what is absent is open. */
export interface KeyRange<Key> {
  readonly from?: Key | undefined
  readonly until?: Key | undefined
}

/** A map in the order of its keys. */
export class SortedMap<Key, Value> {
  readonly #compare: Compare<Key>
  #values = new Map<Key, Value>()
  /** Never empty blocks; all keys of a block lie before those of the next. */
  #blocks: Key[][] = []

  constructor(compare: Compare<Key>) {
    this.#compare = compare
  }

  get size(): number {
    return this.#values.size
  }

  has(key: Key): boolean {
    return this.#values.has(key)
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key)
  }

  set(key: Key, value: Value): void {
    if (!this.#values.has(key)) this.#insert(key)
    this.#values.set(key, value)
  }

  delete(key: Key): boolean {
    if (!this.#values.delete(key)) return false
    const at = this.#blockOf(key)
    const block = this.#blocks[at]!
    block.splice(this.#place(block, key), 1)
    if (block.length === 0) this.#blocks.splice(at, 1)
    return true
  }

  /** The first key, if there is one. */
  first(): Key | undefined {
    return this.#blocks[0]?.[0]
  }

  /** The last key, if there is one. */
  last(): Key | undefined {
    return this.#blocks.at(-1)?.at(-1)
  }

  /** All keys, in no promised order. */
  keys(): Iterable<Key> {
    return this.#values.keys()
  }

  /** Entries of a range in order. */
  *range(range: KeyRange<Key> = {}): Generator<readonly [Key, Value]> {
    const { from, until } = range
    for (let at = from === undefined ? 0 : this.#blockOf(from); at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!
      const isFirst = from !== undefined && this.#compare(block[0]!, from) < 0
      for (let i = isFirst ? this.#place(block, from) : 0; i < block.length; i++) {
        const key = block[i]!
        if (until !== undefined && this.#compare(key, until) >= 0) return
        yield [key, this.#values.get(key)!]
      }
    }
  }

  /** A map with the same entries; the values are shared. */
  copy(): SortedMap<Key, Value> {
    const copy = new SortedMap<Key, Value>(this.#compare)
    copy.#values = new Map(this.#values)
    copy.#blocks = this.#blocks.map(block => block.slice())
    return copy
  }

  #insert(key: Key): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at]
    if (block === undefined) {
      this.#blocks.push([key])
      return
    }
    block.splice(this.#place(block, key), 0, key)
    if (block.length >= 2 * BLOCK_KEYS) {
      this.#blocks.splice(at + 1, 0, block.splice(BLOCK_KEYS))
    }
  }

  /** The last block whose first key is not above the key; 0 when all are above. */
  #blockOf(key: Key): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(this.#blocks[middle]![0]!, key) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  /** The place of the first key of a block that is not below the key. */
  #place(block: readonly Key[], key: Key): number {
    let low = 0
    let high = block.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(block[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The first entries of a range, each in its own shape. */
export function take<Key, Value, Taken>(
  range: Iterable<readonly [Key, Value]>,
  limit: number,
  shape: (key: Key, value: Value) => Taken,
): Taken[] {
  const taken: Taken[] = []
  if (limit <= 0) return taken
  for (const [key, value] of range) {
    taken.push(shape(key, value))
    if (taken.length >= limit) break
  }
  return taken
}
