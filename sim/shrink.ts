/**
 * Looks for a smaller run that fails as a given one does: fewer faults, first by kind and then one
 * by one, fewer members, a shorter time, fair weather, fewer and quieter clients. A run fails alike
 * when its first violation is of the same guarantee and says the same kind of thing.
 *
 * It is greedy and deterministic: what is tried next depends only on what failed before. Whoever
 * calls it says when it is enough; the smallest run found so far is what it answers then.
 */
import type { Swarm } from './faults/swarm.ts'
import { type RunOptions, simulate } from './run.ts'
import type { Violation } from './verdict.ts'
import { type Load, USUAL_LOAD } from './workload.ts'

export interface Shrunk {
  readonly options: RunOptions
  readonly found: Violation
  /** How many runs it took. */
  readonly tried: number
}

export interface ShrinkOptions {
  /** Asked before each run. */
  readonly isEnough: (tried: number) => boolean
  /** Told of each smaller run that fails alike. */
  readonly progress?: (shrunk: Shrunk, what: string) => void
}

/** Shrinks a run; null when it does not fail. */
export async function shrink(options: RunOptions, how: ShrinkOptions): Promise<Shrunk | null> {
  const result = await simulate({ ...options, stopAtFirst: true })
  const found = result.violations[0]
  if (found === undefined) return null
  // From here on the faults are a list: leaving one out changes nothing of the others.
  const first = { ...options, struck: result.struck, load: { ...USUAL_LOAD, ...options.load } }
  const search = new Search(first, found, how)
  if (!(await search.try(first, 'the faults as a list'))) {
    return { options, found, tried: 1 }
  }
  await search.run()
  return search.best
}

class Search {
  best: Shrunk
  readonly #how: ShrinkOptions
  readonly #wanted: string

  constructor(options: RunOptions, found: Violation, how: ShrinkOptions) {
    this.best = { options, found, tried: 1 }
    this.#how = how
    this.#wanted = kindOf(found)
  }

  /** Passes over everything until a whole one finds nothing smaller. */
  async run(): Promise<void> {
    const passes = [
      () => this.#time(),
      () => this.#kinds(),
      () => this.#strikes(),
      () => this.#lies(),
      () => this.#members(),
      () => this.#clients(),
      () => this.#weather(),
    ]
    for (let isSmaller = true; isSmaller && !this.#isEnough(); ) {
      const before = JSON.stringify(this.best.options)
      for (const pass of passes) await pass()
      isSmaller = JSON.stringify(this.best.options) !== before
    }
  }

  /** Runs a candidate; keeps it when it fails alike. */
  async try(options: RunOptions, what: string): Promise<boolean> {
    if (this.#isEnough()) return false
    const { violations, struck } = await simulate({ ...options, stopAtFirst: true })
    const tried = this.best.tried + 1
    const first = violations[0]
    if (first === undefined || kindOf(first) !== this.#wanted) {
      this.best = { ...this.best, tried }
      return false
    }
    // What could not strike, or came after the end, is not needed.
    this.best = { options: { ...options, struck }, found: first, tried }
    this.#how.progress?.(this.best, what)
    return true
  }

  #isEnough(): boolean {
    return this.#how.isEnough(this.best.tried)
  }

  #with(changes: Partial<RunOptions>, what: string): Promise<boolean> {
    return this.try({ ...this.best.options, ...changes }, what)
  }

  get #struck() {
    return this.best.options.struck ?? []
  }

  /** To the moment of the violation at once, then by halves, then by less. */
  async #time(): Promise<void> {
    const needed = Math.max(1, Math.ceil(this.best.found.atMs / 1000))
    if (needed < this.best.options.seconds) await this.#with({ seconds: needed }, `${needed} s`)
    for (let share = 0.5; share < 0.9; ) {
      const seconds = Math.floor(this.best.options.seconds * share)
      const isShorter = seconds >= 1 && (await this.#with({ seconds }, `${seconds} s`))
      if (!isShorter) share = (share + 1) / 2
    }
  }

  /** A run whose seed draws a liar may fail without one. */
  async #lies(): Promise<void> {
    if (this.best.options.lies?.length !== 0) await this.#with({ lies: [] }, 'nobody lies')
  }

  async #kinds(): Promise<void> {
    if (this.#struck.length > 0 && (await this.#with({ struck: [] }, 'no faults'))) return
    for (const kind of new Set(this.#struck.map(strike => strike.kind))) {
      const struck = this.#struck.filter(strike => strike.kind !== kind)
      await this.#with({ struck }, `no ${kind}`)
    }
  }

  /** Leaves out ever smaller parts of the list. */
  async #strikes(): Promise<void> {
    for (let part = Math.ceil(this.#struck.length / 2); part >= 1; part = Math.floor(part / 2)) {
      for (let from = this.#struck.length - part; from > -part; from -= part) {
        const list = this.#struck
        const struck = [...list.slice(0, Math.max(0, from)), ...list.slice(from + part)]
        if (struck.length === list.length) continue
        await this.#with({ struck }, `${struck.length} faults`)
      }
    }
  }

  async #members(): Promise<void> {
    for (let members = 2; members < this.best.options.members; members++) {
      if (await this.#with({ members }, `${members} members`)) return
    }
  }

  async #clients(): Promise<void> {
    const { load = {} } = this.best.options
    const { weights } = { ...USUAL_LOAD, ...load }
    const wishes = Object.entries(weights).filter(([, weight]) => weight > 0)
    const without = wishes
      .filter(([wish]) => wish !== 'put')
      .map(([wish]) => ({ weights: { ...weights, [wish]: 0 } }))
    const quieter: Partial<Load>[] = [
      { clientsPerMember: 1 },
      { largeChance: 0 },
      { items: 1 },
      { items: 3 },
      { thinkMs: [1000, 4000] },
      { thinkMs: [200, 1500] },
      ...without,
    ]
    for (const change of quieter) {
      const current = { ...USUAL_LOAD, ...this.best.options.load }
      const merged = { ...current, ...change }
      if (change.weights !== undefined) merged.weights = meet(current.weights, change.weights)
      if (!isQuieter(merged, current)) continue
      await this.#with({ load: merged }, `clients with ${JSON.stringify(change)}`)
    }
  }

  async #weather(): Promise<void> {
    const fair: Partial<Swarm>[] = [
      { gossipLoss: 0 },
      { gossipDuplicate: 0 },
      { gossipExtraMs: 0 },
      { slowDiskChance: 0 },
      { skewMs: 0 },
      { drift: 0 },
      { latencyMs: [0.2, 2] },
    ]
    for (const change of fair) {
      const { swarm = {} } = this.best.options
      const merged = { ...swarm, ...change }
      if (JSON.stringify(merged) === JSON.stringify(swarm)) continue
      await this.#with({ swarm: merged }, JSON.stringify(change))
    }
  }
}

/** Weights that are zero in either are zero. */
function meet(a: Load['weights'], b: Load['weights']): Load['weights'] {
  const entries = Object.entries(a) as [keyof Load['weights'], number][]
  return Object.fromEntries(
    entries.map(([wish, weight]) => [wish, b[wish] === 0 ? 0 : weight]),
  ) as Load['weights']
}

function isQuieter(a: Load, b: Load): boolean {
  return (
    a.clientsPerMember < b.clientsPerMember ||
    a.largeChance < b.largeChance ||
    a.items < b.items ||
    a.thinkMs[1] > b.thinkMs[1] ||
    JSON.stringify(a.weights) !== JSON.stringify(b.weights)
  )
}

const KIND_WORDS = 6

/** What two violations have in common that are of one kind: the words without names and numbers. */
export function kindOf({ guarantee, sentence }: Violation): string {
  const words = sentence
    .split(':')[0]!
    .split(/\s+/)
    .filter(word => /^[A-Za-z]{3,}[,;.]?$/.test(word))
  return `${guarantee} ${words.slice(0, KIND_WORDS).join(' ')}`
}
