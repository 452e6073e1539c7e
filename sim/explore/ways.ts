/**
 * Every state that was found, as the move by which it was found first: eight bytes each, and the
 * tree of them is the shortest way to any. Whole worlds are large, so only some are kept: those of
 * every so many-th depth, and the youngest. Any other is made again from the nearest kept one before
 * it, by taking the same moves: a move depends on nothing but the world in which it is taken.
 */
import type { Beginning } from './beginnings.ts'
import { type Move, movesOf, type Order } from './moves.ts'
import { fork, type World } from './world.ts'

/** Worlds of a depth that this divides are kept for good: so far back a way is taken again at most. */
const keptDepth = 32
/** Of all others the youngest so many: about 4 KB each. */
const youngWorldsMax = 50_000

export type Cost = 0 | 1

/** One move: the state it was made in, and which it was among all moves of that cost. */
export interface Step {
  readonly from: number
  readonly cost: Cost
  readonly move: number
}

export class Ways {
  readonly #order: Order
  readonly #beginnings: string[] = []
  /** By state: the state before it, or −1 − n for beginning n. */
  #before = new Int32Array(1 << 16)
  #depth = new Uint16Array(1 << 16)
  /** The number of the move, twice, and whether it was a surprise. */
  #move = new Uint16Array(1 << 16)
  #size = 0
  readonly #kept = new Map<number, World>()
  /** State s stands at s modulo the length, until a later one takes the place. */
  readonly #young = new Array<{ readonly state: number; readonly world: World } | null>(
    youngWorldsMax,
  ).fill(null)

  constructor(order: Order) {
    this.#order = order
  }

  get size(): number {
    return this.#size
  }

  depthOf(state: number): number {
    return this.#depth[state]!
  }

  begin({ name, world }: Beginning): void {
    this.#beginnings.push(name)
    const state = this.#push(-this.#beginnings.length, 0, 0)
    this.#kept.set(state, world)
  }

  /** A new state, found by a move. */
  add({ from, cost, move }: Step, world: World): void {
    const depth = this.#depth[from]! + 1
    const state = this.#push(from, depth, move * 2 + cost)
    if (depth % keptDepth === 0) this.#kept.set(state, world)
    else this.#keepYoung(state, world)
  }

  /** The world of a state. */
  worldOf(state: number): World {
    const missing: number[] = []
    let at = state
    let world = this.#known(at)
    for (; world === undefined; world = this.#known(at)) {
      missing.push(at)
      at = this.#before[at]!
    }
    for (at = missing.pop() ?? -1; at >= 0; at = missing.pop() ?? -1) {
      const next = fork(world)
      this.#moveTo(at, world).run(next)
      world = next
      this.#keepYoung(at, world)
    }
    return world
  }

  /** The beginning and the moves that lead to a state, told. */
  wayTo(state: number): { readonly beginning: string; readonly path: string[] } {
    const path: string[] = []
    let at = state
    for (let before = this.#before[at]!; before >= 0; before = this.#before[at]!) {
      path.push(this.#moveTo(at, this.worldOf(before)).text)
      at = before
    }
    return { beginning: this.#beginnings[-1 - this.#before[at]!]!, path: path.reverse() }
  }

  #known(state: number): World | undefined {
    const young = this.#young[state % youngWorldsMax]
    return young?.state === state ? young.world : this.#kept.get(state)
  }

  #moveTo(state: number, before: World): Move {
    const move = this.#move[state]!
    return movesOf(before, this.#order, move % 2 === 0 ? 0 : 1)[move >> 1]!
  }

  #keepYoung(state: number, world: World): void {
    this.#young[state % youngWorldsMax] = { state, world }
  }

  #push(before: number, depth: number, move: number): number {
    if (this.#size === this.#before.length) this.#grow()
    const state = this.#size++
    this.#before[state] = before
    this.#depth[state] = depth
    this.#move[state] = move
    return state
  }

  #grow(): void {
    const length = this.#before.length * 2
    const before = new Int32Array(length)
    const depth = new Uint16Array(length)
    const move = new Uint16Array(length)
    before.set(this.#before)
    depth.set(this.#depth)
    move.set(this.#move)
    this.#before = before
    this.#depth = depth
    this.#move = move
  }
}
