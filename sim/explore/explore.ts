/**
 * Breadth-first through everything that can happen: first all that happens without a surprise, then
 * all with one, with two, and so on. Within one number of surprises a shorter way is found before a
 * longer one, so a violation comes with its shortest telling. Each state is gone on from once.
 */
import { beginningsOf } from './beginnings.ts'
import { printOfWorld } from './canonical.ts'
import { checkKept, Violation } from './invariants.ts'
import { recover } from './liveness.ts'
import { movesOf, type Order } from './moves.ts'
import { Seen } from './seen.ts'
import { type Cost, Ways } from './ways.ts'
import { fork, type Setting, type World } from './world.ts'

export interface Exploration {
  readonly setting: Setting
  readonly order: Order
  readonly surprisesMax: number
  readonly statesMax: number
  /** Liveness is tried from every so many-th state; 0: never. */
  readonly recoverEvery: number
  /** Only these beginnings, by number; absent: all. */
  readonly beginnings?: readonly number[]
}

export interface Found {
  readonly sentence: string
  readonly beginning: string
  readonly path: readonly string[]
}

export interface Layer {
  readonly surprises: number
  readonly states: number
  readonly isExhausted: boolean
}

export interface Explored {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly layers: readonly Layer[]
  /** Nothing is left within the bounds. */
  readonly isExhausted: boolean
  readonly recoveries: number
  /** The slowest recovery that was seen. */
  readonly sourceMs: number
  readonly equalMs: number
  readonly violation: Found | null
}

/** Explores until nothing is left, the states are spent, or something that must hold does not. */
export function explore(exploration: Exploration): Explored {
  return new Explorer(exploration).run()
}

/** States that stand one after the other, in order of depth. */
interface Span {
  readonly from: number
  readonly to: number
}

class Explorer {
  readonly #asked: Exploration
  readonly #seen = new Seen()
  readonly #ways: Ways
  readonly #layers: Layer[] = []
  #transitions = 0
  #visited = 0
  #depth = 0
  #recoveries = 0
  #sourceMs = 0
  #equalMs = 0
  #violation: Found | null = null

  constructor(asked: Exploration) {
    this.#asked = asked
    this.#ways = new Ways(asked.order)
  }

  run(): Explored {
    this.#begin()
    const { surprisesMax } = this.#asked
    let isExhausted = true
    let before: Span = { from: 0, to: 0 }
    for (let surprises = 0; isExhausted && surprises <= surprisesMax; surprises++) {
      const from = surprises === 0 ? 0 : this.#ways.size
      isExhausted = this.#exhaust(from, before)
      before = { from, to: this.#ways.size }
      this.#layers.push({ surprises, states: before.to - from, isExhausted })
    }
    return {
      states: this.#seen.size,
      transitions: this.#transitions,
      depth: this.#depth,
      layers: this.#layers,
      isExhausted,
      recoveries: this.#recoveries,
      sourceMs: this.#sourceMs,
      equalMs: this.#equalMs,
      violation: this.#violation,
    }
  }

  #begin(): void {
    const { setting, beginnings } = this.#asked
    for (const [at, beginning] of beginningsOf(setting).entries()) {
      if (beginnings !== undefined && !beginnings.includes(at)) continue
      if (this.#isNew(beginning.world)) this.#ways.begin(beginning)
    }
  }

  /**
   * One layer: its own states, which begin at `from`, and the surprises of those of the layer
   * before, always from the shortest way. So new states come in order of depth. Answers false when
   * the states were spent or something was violated before its end.
   */
  #exhaust(from: number, before: Span): boolean {
    const ways = this.#ways
    let source = before.from
    for (let at = from; at < ways.size || source < before.to; ) {
      if (ways.size >= this.#asked.statesMax) return false
      const isSurprise =
        source < before.to && (at === ways.size || ways.depthOf(source) < ways.depthOf(at))
      if (isSurprise) this.#expand(source++, 1)
      else {
        this.#visit(at)
        this.#expand(at++, 0)
      }
      if (this.#violation !== null) return false
    }
    return true
  }

  #isNew(world: World): boolean {
    return this.#seen.add(printOfWorld(world))
  }

  #visit(state: number): void {
    const { recoverEvery } = this.#asked
    this.#depth = Math.max(this.#depth, this.#ways.depthOf(state))
    this.#visited += 1
    if (recoverEvery === 0 || this.#visited % recoverEvery !== 0) return
    try {
      this.#recover(this.#ways.worldOf(state))
    } catch (error) {
      this.#tell(state, 'all heals, nothing more happens', error)
    }
  }

  /** Makes the ways of a state, or its surprises. */
  #expand(from: number, cost: Cost): void {
    const world = this.#ways.worldOf(from)
    for (const [move, { text, run }] of movesOf(world, this.#asked.order, cost).entries()) {
      const next = fork(world)
      this.#transitions += 1
      try {
        run(next)
        checkKept(world, next)
      } catch (error) {
        return this.#tell(from, text, error)
      }
      if (this.#isNew(next)) this.#ways.add({ from, cost, move }, next)
    }
  }

  #recover(world: World): void {
    const { sourceMs, equalMs } = recover(world)
    this.#recoveries += 1
    this.#sourceMs = Math.max(this.#sourceMs, sourceMs)
    this.#equalMs = Math.max(this.#equalMs, equalMs)
  }

  /** Keeps the first violation with the way to it; any other error is a bug of the explorer. */
  #tell(state: number, last: string, error: unknown): void {
    if (!(error instanceof Violation)) throw error
    const { beginning, path } = this.#ways.wayTo(state)
    this.#violation ??= { sentence: error.message, beginning, path: [...path, last] }
  }
}
