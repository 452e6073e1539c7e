/**
 * Breadth-first through everything that can happen: first all that happens without a surprise, then
 * all with one, with two, and so on. Within one number of surprises a shorter way is found before a
 * longer one, so a violation comes with its shortest telling. Each state is gone on from once.
 */
import { beginningsOf } from './beginnings.ts'
import { printOf, worldName } from './canonical.ts'
import { checkKept, Violation } from './invariants.ts'
import { recover } from './liveness.ts'
import { movesOf, type Order } from './moves.ts'
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
  /** Recoveries in which members answered each other without rest while no time passed. */
  readonly restless: number
  /** The shortest way to the first of them. */
  readonly restlessWay: Found | null
  readonly violation: Found | null
}

interface Node {
  readonly parent: Node | null
  readonly text: string
  readonly depth: number
}

interface Open {
  readonly node: Node
  readonly world: World
}

/** Explores until nothing is left, the states are spent, or something that must hold does not. */
export function explore(exploration: Exploration): Explored {
  return new Explorer(exploration).run()
}

class Explorer {
  readonly #asked: Exploration
  readonly #seen = new Set<number>()
  readonly #layers: Layer[] = []
  /** Gone on from in the layer before, where this one's surprises happen. */
  #before: readonly Open[] = []
  #queue: Open[] = []
  #transitions = 0
  #visited = 0
  #depth = 0
  #recoveries = 0
  #sourceMs = 0
  #equalMs = 0
  #restless = 0
  #restlessWay: Found | null = null
  #violation: Found | null = null

  constructor(asked: Exploration) {
    this.#asked = asked
  }

  run(): Explored {
    this.#begin()
    const { surprisesMax } = this.#asked
    let isExhausted = true
    for (let surprises = 0; isExhausted && surprises <= surprisesMax; surprises++) {
      const before = surprises === 0 ? 0 : this.#seen.size
      isExhausted = this.#exhaust(surprises < surprisesMax)
      this.#layers.push({ surprises, states: this.#seen.size - before, isExhausted })
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
      restless: this.#restless,
      restlessWay: this.#restlessWay,
      violation: this.#violation,
    }
  }

  #begin(): void {
    const { setting, beginnings } = this.#asked
    for (const [at, { name, world }] of beginningsOf(setting).entries()) {
      if (beginnings !== undefined && !beginnings.includes(at)) continue
      this.#take({ parent: null, text: name, depth: 0 }, world)
    }
  }

  /**
   * One layer, always from the shortest way; the queue is in order of depth. Answers false when
   * the states were spent or something was violated before its end. What is kept is gone on from
   * by the next layer.
   */
  #exhaust(isKept: boolean): boolean {
    const sources = this.#before
    const kept: Open[] = []
    let source = 0
    for (let at = 0; at < this.#queue.length || source < sources.length; ) {
      if (this.#seen.size >= this.#asked.statesMax) return false
      const head = this.#queue[at]
      const next = sources[source]
      if (next !== undefined && (head === undefined || next.node.depth < head.node.depth)) {
        source += 1
        this.#expand(next, 1)
      } else if (head !== undefined) {
        if (isKept) kept.push(head)
        this.#queue[at++] = undefined as never
        this.#visit(head)
        this.#expand(head, 0)
      }
      if (this.#violation !== null) return false
    }
    this.#before = kept
    this.#queue = []
    return true
  }

  /** Puts a world into the queue unless it was seen. */
  #take(node: Node, world: World): void {
    const print = printOf(worldName(world))
    if (this.#seen.has(print)) return
    this.#seen.add(print)
    this.#queue.push({ node, world })
  }

  #visit({ node, world }: Open): void {
    const { recoverEvery } = this.#asked
    this.#depth = Math.max(this.#depth, node.depth)
    this.#visited += 1
    if (recoverEvery === 0 || this.#visited % recoverEvery !== 0) return
    try {
      this.#recover(node, world)
    } catch (error) {
      this.#tell({ parent: node, text: 'all heals, nothing more happens', depth: 0 }, error)
    }
  }

  /** Makes the ways of a world, or its surprises. */
  #expand({ node, world }: Open, cost: 0 | 1): void {
    const { order } = this.#asked
    for (const move of movesOf(world, order, cost)) {
      const next = fork(world)
      const child: Node = { parent: node, text: move.text, depth: node.depth + 1 }
      this.#transitions += 1
      try {
        move.run(next)
        checkKept(world, next)
      } catch (error) {
        return this.#tell(child, error)
      }
      this.#take(child, next)
    }
  }

  #recover(node: Node, world: World): void {
    const { sourceMs, equalMs, restless } = recover(world)
    if (restless > 0) {
      this.#restless += 1
      this.#restlessWay ??= wayTo(node, `${restless} moments without rest`)
    }
    this.#recoveries += 1
    this.#sourceMs = Math.max(this.#sourceMs, sourceMs)
    this.#equalMs = Math.max(this.#equalMs, equalMs)
  }

  /** Keeps the first violation with the way to it; any other error is a bug of the explorer. */
  #tell(node: Node, error: unknown): void {
    if (!(error instanceof Violation)) throw error
    if (this.#violation !== null) return
    this.#violation = wayTo(node, error.message)
  }
}

function wayTo(node: Node, sentence: string): Found {
  const path: string[] = []
  let at: Node = node
  for (; at.parent !== null; at = at.parent) path.push(at.text)
  return { sentence, beginning: at.text, path: path.reverse() }
}
