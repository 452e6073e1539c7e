/**
 * What the parts of a member's driver share. The driver is the thin skin around the pure machines:
 * it resolves what an event needs, runs the effects, and never decides what members agree on. Its
 * parts know each other only through this context; all of it runs on ports, so the simulator runs
 * the same parts.
 */
import type { Incarnation, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import type { AgreementEvent } from '../../consensus/agreement/events.ts'
import type { AgreementState } from '../../consensus/agreement/state.ts'
import type { Problem } from '../../control/protocol-network.ts'
import type { Store } from '../../storage/store.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Ports } from '../ports.ts'
import type { Links } from './links.ts'
import type { Payloads } from './payloads.ts'

export interface Context {
  readonly self: MemberId
  readonly incarnation: Incarnation
  readonly ports: Ports
  readonly store: Store
  readonly ledger: Ledger
  readonly links: Links
  readonly payloads: Payloads
  /** To be read; changed only by `dispatch`. */
  readonly agreement: AgreementState
  readonly problems: Problems
  readonly counters: Counters
  /** Feeds the agreement machine and runs what it asks for. */
  dispatch(event: AgreementEvent): void
  /** Runs work in the background; an error that is no expected outcome ends the process. */
  background(work: Promise<unknown>): void
  /** Monotonic milliseconds. */
  now(): number
  /** Members that are reached at this moment. */
  reached(): MemberId[]
  /** Another member says that what it got of a payload from here is not it. */
  doubted(blob: Hash): void
  /** A peer did what no honest member does: counted, named, told. */
  blame(peer: MemberId, sentence: string): void
}

/** Things that are not as they should be, as `status` and `why` tell them; keyed, so told once. */
export class Problems {
  readonly #open = new Map<string, Problem>()
  readonly #changed: (problem: Problem) => void
  readonly #now: () => number
  /** When a problem that a member makes of itself was last told: it can make a thousand a second. */
  readonly #toldAt = new Map<string, number>()

  /** `changed` is told of new ones; `now`: monotonic milliseconds. */
  constructor(changed: (problem: Problem) => void, now: () => number) {
    this.#changed = changed
    this.#now = now
  }

  /** Opens or renews a problem. */
  set(key: string, problem: Problem): void {
    const known = this.#open.get(key)
    this.#open.set(key, problem)
    if (known?.sentence !== problem.sentence && this.#mayTell(key, problem)) this.#changed(problem)
  }

  /** Opens or renews a problem that was found, or ends it when none was. */
  note(key: string, problem: Problem | undefined): void {
    if (problem === undefined) this.clear(key)
    else this.set(key, problem)
  }

  #mayTell(key: string, { reason }: Problem): boolean {
    if (reason !== 'peer' && reason !== 'clock') return true
    const now = this.#now()
    if (now - (this.#toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < limits.blameMs) return false
    this.#toldAt.set(key, now)
    return true
  }

  clear(key: string): void {
    this.#open.delete(key)
  }

  list(): Problem[] {
    return [...this.#open.values()]
  }
}

/** Counts of what came in and was not taken (S003-15, S003-34), and of what was done. */
export interface Counters {
  framesRefused: number
  factsRefused: number
  addsFromNonSources: number
  comparisons: number
  comparisonsAnswered: number
  comparisonBytes: number
}

export function createCounters(): Counters {
  return {
    framesRefused: 0,
    factsRefused: 0,
    addsFromNonSources: 0,
    comparisons: 0,
    comparisonsAnswered: 0,
    comparisonBytes: 0,
  }
}

/** Opens or ends the problem of a full disk. */
export function tellDisk({ store, problems }: Pick<Context, 'store' | 'problems'>): void {
  if (!store.isFull()) return problems.clear('disk')
  problems.set('disk', {
    reason: 'disk-full',
    sentence: 'The disk is nearly full: writes are refused here, large payloads are not fetched.',
    nextStep: 'Free some space; everything goes on by itself.',
  })
}
