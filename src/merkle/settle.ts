/**
 * The settle cut (PROTOCOL 5): the tree holds the items as they were when everything `added` up to
 * the cut was in; what is newer waits here and enters in one batch when the cut moves.
 *
 * For each waiting item the states it will pass through are kept: after the fact added at A its
 * leaf is L. So moving the cut needs no look at the store, also when one item is written all the
 * time. A fact that arrives late but lies before the cut enters at once (`place` with states that
 * begin at or before the cut).
 */
import type { Hash } from '../base/hash.ts'
import { type Stamp, stampCounter, stampMs, stampOf } from '../base/stamp.ts'
import { MerkleTree } from './tree.ts'

/** The leaf of an item once everything added up to `added` is in. */
export interface LeafState {
  readonly added: Stamp
  readonly leaf: Hash
}

export class SettledTree {
  readonly tree: MerkleTree
  #cut: number
  readonly #waiting = new Map<Hash, LeafState[]>()
  /** Items by the first cut at which a state of theirs is due. */
  readonly #due = new Map<number, Set<Hash>>()
  #unsettled = 0

  constructor(cut: number, tree: MerkleTree = new MerkleTree()) {
    this.#cut = cut
    this.tree = tree
  }

  /** Milliseconds, a whole second. */
  get cut(): number {
    return this.#cut
  }

  /** Facts (one state each) above the cut. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** Whether anything agreed of an item is held, settled or not. */
  has(idHash: Hash): boolean {
    return this.#waiting.has(idHash) || this.tree.has(idHash)
  }

  /** The items that have states above the cut, each with the last of them. */
  *waitingItems(): Generator<readonly [idHash: Hash, last: LeafState]> {
    for (const [idHash, states] of this.#waiting) yield [idHash, states.at(-1)!]
  }

  /** The storage hash at the cut. */
  root(): Hash {
    return this.tree.root()
  }

  /**
   * The next state of an item in order: `added` lies above every state it has and above the cut,
   * or at most at the cut, and then it enters at once.
   */
  extend(idHash: Hash, state: LeafState): void {
    if (this.#isSettled(state.added)) {
      this.#forget(idHash)
      this.tree.set(idHash, state.leaf)
      return
    }
    const states = this.#waiting.get(idHash)
    if (states === undefined) {
      this.#waiting.set(idHash, [state])
      this.#await(idHash, state.added)
    } else {
      states.push(state)
    }
    this.#unsettled += 1
  }

  /**
   * All that is known of an item, anew: its leaf at the cut (null: nothing of it is settled) and
   * its states above the cut, ascending.
   */
  replace(idHash: Hash, settled: Hash | null, states: readonly LeafState[]): void {
    this.#forget(idHash)
    this.tree.set(idHash, settled)
    if (states.length === 0) return
    this.#waiting.set(idHash, [...states])
    this.#unsettled += states.length
    this.#await(idHash, states[0]!.added)
  }

  /** Moves the cut; it never goes back. Answers whether anything entered. */
  advance(cut: number): boolean {
    if (cut <= this.#cut) return false
    this.#cut = cut
    let entered = false
    for (const [second, ids] of [...this.#due]) {
      if (second > cut) continue
      this.#due.delete(second)
      for (const idHash of ids) entered = this.#settle(idHash) || entered
    }
    return entered
  }

  #settle(idHash: Hash): boolean {
    const states = this.#waiting.get(idHash)
    if (states === undefined) return false
    let settled = 0
    while (settled < states.length && this.#isSettled(states[settled]!.added)) settled++
    if (settled > 0) {
      this.tree.set(idHash, states[settled - 1]!.leaf)
      states.splice(0, settled)
      this.#unsettled -= settled
    }
    if (states.length === 0) this.#waiting.delete(idHash)
    else this.#await(idHash, states[0]!.added)
    return settled > 0
  }

  #isSettled(added: Stamp): boolean {
    return added <= stampOf(this.#cut)
  }

  #await(idHash: Hash, added: Stamp): void {
    const second = firstCutAt(added)
    const ids = this.#due.get(second)
    if (ids === undefined) this.#due.set(second, new Set([idHash]))
    else ids.add(idHash)
  }

  #forget(idHash: Hash): void {
    const states = this.#waiting.get(idHash)
    if (states === undefined) return
    this.#waiting.delete(idHash)
    this.#unsettled -= states.length
    // Its place in #due stays and finds nothing: cheaper than searching for it.
  }
}

/** The first cut (whole second) that has everything added up to `added`. */
export function firstCutAt(added: Stamp): number {
  const ms = stampMs(added)
  const whole = Math.floor(ms / 1000) * 1000
  return whole === ms && stampCounter(added) === 0 ? whole : whole + 1000
}
