/**
 * What a pure function answered lately. It changes no answer, only the time that one takes: with the
 * memory that bytes share (bytes.ts) the one kind of state that the core keeps outside of a member.
 */
export class Memo<Key extends string | number, Value> {
  readonly #make: (key: Key) => Value
  readonly #max: number
  readonly #known = new Map<Key, Value>()

  /** Remembers up to `max` answers of a function that always answers the same, then begins anew. */
  constructor(max: number, make: (key: Key) => Value) {
    this.#make = make
    this.#max = max
  }

  of(key: Key): Value {
    const found = this.#known.get(key)
    if (found !== undefined) return found
    if (this.#known.size === this.#max) this.#known.clear()
    const made = this.#make(key)
    this.#known.set(key, made)
    return made
  }
}
