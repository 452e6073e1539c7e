/**
 * What the checks found. A check passes when it looked at something and found nothing; it fails
 * with the lines that show it; it is unknown when the history does not let it tell. Unknown counts
 * as failed: a check that cannot look must not look green.
 */

/** The checks, in order; 0 is that the history itself is whole. */
export const CHECKS = [
  'the history is whole',
  'nothing acknowledged is lost',
  'nothing is invented',
  'versions chain',
  'replicas converge',
  'collisions split identically',
  'a Source holds what the majority holds',
  'one item at one member goes in order',
  'nothing deleted comes back',
  'bounds and life',
] as const

export type CheckNumber = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

export interface Finding {
  readonly kind: 'fail' | 'unknown'
  readonly sentence: string
  /** `seq` of the lines that show it, as few as do. */
  readonly witness: readonly number[]
}

export interface Answer {
  readonly check: CheckNumber
  readonly name: string
  readonly answer: 'pass' | 'fail' | 'unknown'
  /** The first ones. */
  readonly findings: readonly Finding[]
  /** All of them. */
  readonly count: number
  /** Denominators: of what, how many were looked at. */
  readonly looked: ReadonlyMap<string, number>
  /** What is told apart and is no failure. */
  readonly notes: readonly string[]
}

const KEPT_MAX = 20

/** Collects what one check finds. */
export class Report {
  readonly check: CheckNumber
  readonly looked = new Map<string, number>()
  readonly notes: string[] = []
  readonly #findings: Finding[] = []
  readonly #counts = { fail: 0, unknown: 0 }

  constructor(check: CheckNumber) {
    this.check = check
  }

  fail(sentence: string, ...witness: readonly number[]): void {
    this.#find({ kind: 'fail', sentence, witness })
  }

  /** The history does not let the check tell. */
  unknown(sentence: string, ...witness: readonly number[]): void {
    this.#find({ kind: 'unknown', sentence, witness })
  }

  look(what: string, count = 1): void {
    this.looked.set(what, (this.looked.get(what) ?? 0) + count)
  }

  answer(): Answer {
    const { fail, unknown } = this.#counts
    return {
      check: this.check,
      name: CHECKS[this.check],
      answer: fail > 0 ? 'fail' : unknown > 0 ? 'unknown' : 'pass',
      findings: this.#findings,
      count: fail + unknown,
      looked: this.looked,
      notes: this.notes,
    }
  }

  #find(finding: Finding): void {
    this.#counts[finding.kind] += 1
    if (this.#findings.length < KEPT_MAX) this.#findings.push(finding)
  }
}

/** A hash, short enough to read. */
export function short(hash: string | null): string {
  return hash === null ? 'nothing' : hash.slice(0, 12)
}
