/**
 * The ways between two members that faults made worse than the weather: slower, later. Several may
 * lie on one way; the last one counts, and each ends for itself.
 */

/** What a fault makes of the ways between two members. */
export interface Way {
  /** Added to every frame and message, one way. */
  readonly extraMs: readonly [number, number]
  readonly bytesPerMs: number
}

export class Ways {
  /** The last one first. */
  readonly #ways = new Map<string, readonly Way[]>()

  /** Makes a way worse; what is answered ends it. */
  worsen(pair: string, way: Way): () => void {
    this.#ways.set(pair, [way, ...(this.#ways.get(pair) ?? [])])
    return () => {
      const left = (this.#ways.get(pair) ?? []).filter(entry => entry !== way)
      if (left.length > 0) this.#ways.set(pair, left)
      else this.#ways.delete(pair)
    }
  }

  of(pair: string): Way | undefined {
    return this.#ways.get(pair)?.[0]
  }

  get areFair(): boolean {
    return this.#ways.size === 0
  }

  heal(): void {
    this.#ways.clear()
  }
}
