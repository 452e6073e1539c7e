/**
 * The violations of a run: which guarantee (PROTOCOL 12) or which check of its history, when, and in
 * words what was seen. The first one is what matters; a run goes on after it only as far as its
 * caller likes.
 */

/** A check of the history (sim/checker), by its number. */
export type Judged = `check ${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`

export type Guarantee =
  | 'G1'
  | 'G2'
  | 'G3'
  | 'G4'
  | 'G5'
  | 'G6'
  | 'G7'
  | 'G8'
  | 'life'
  | 'bounds'
  | Judged

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

  /** Something was seen now, or is seen to have been so at a time. */
  fail(guarantee: Guarantee, sentence: string, atMs = this.#now()): void {
    this.count += 1
    if (this.violations.length < KEPT_MAX) this.violations.push({ guarantee, atMs, sentence })
  }
}
