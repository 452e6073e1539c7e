/**
 * The violations of a run: which guarantee (PROTOCOL 12), when, and in words what was seen. The
 * first one is what matters; a run goes on after it only as far as its caller likes.
 */
export type Guarantee = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8' | 'life'

export interface Violation {
  readonly guarantee: Guarantee
  readonly atMs: number
  readonly sentence: string
}

/** More than so many are counted and not kept. */
const KEPT_MAX = 50

export class Verdict {
  readonly violations: Violation[] = []
  count = 0
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get ok(): boolean {
    return this.count === 0
  }

  get first(): Violation | undefined {
    return this.violations[0]
  }

  fail(guarantee: Guarantee, sentence: string): void {
    this.count += 1
    if (this.violations.length < KEPT_MAX) {
      this.violations.push({ guarantee, atMs: this.#now(), sentence })
    }
  }
}
