/**
 * What an opening keeps of the items that it counts, for who builds the trees on them: of each usual
 * one that is settled its entry in the tree, of all others the name. Two of these can be filled in
 * two threads, and their results be put together.
 */
import type { ItemId } from '../base/fact.ts'
import { isSystemId } from '../base/fact.ts'
import type { Glance } from '../base/glance.ts'
import { STAMP_ZERO, type Stamp, stampMax } from '../base/stamp.ts'
import { Leaves } from '../merkle/leaves.ts'
import type { SeenItems } from './store.ts'

/** Where more are left over, reading all of them in order is faster. */
const REST_MAX = 100_000

/** Room for so many items at first, at most: a journal may name any number. */
const EXPECTED_MAX = 10_000_000

/** Sees items, one glance after the other. */
export class Seeing {
  readonly #lastCut: Stamp
  readonly #leaves: Leaves
  readonly #rest: ItemId[] = []
  #items = 0
  #facts = 0
  #settledFacts = 0
  #live = 0
  #newest: Stamp = STAMP_ZERO
  #isWhole = true

  /** About so many will come; what was added after the last cut is left over. */
  constructor(expected: number, lastCut: Stamp) {
    this.#lastCut = lastCut
    this.#leaves = new Leaves(Math.min(expected, EXPECTED_MAX))
  }

  /** Sees an item; `undefined` is one whose summary cannot be read. */
  see(glance: Glance | undefined): void {
    if (glance === undefined || this.#rest.length === REST_MAX) this.#isWhole = false
    if (!this.#isWhole || glance === undefined) return
    this.#items += 1
    this.#facts += glance.facts
    if (glance.kind === 'usual' && glance.addedMax <= this.#lastCut && isWholeId(glance.id)) {
      this.#leaves.add(glance)
      this.#settledFacts += glance.agreed
      if (!glance.deleted) this.#live += 1 // a usual item shows its one head
      this.#newest = stampMax(this.#newest, glance.addedMax)
    } else this.#rest.push(glance.id)
  }

  /** All that was seen, or null where that is not all. */
  seen(): SeenItems | null {
    if (!this.#isWhole) return null
    return {
      items: this.#items,
      facts: this.#facts,
      entries: this.#leaves.entries(),
      settledFacts: this.#settledFacts,
      live: this.#live,
      newest: this.#newest,
      rest: this.#rest,
    }
  }
}

/** Not the system's, nor one that may end with a split step: a tilde and a digit. */
function isWholeId(id: ItemId): boolean {
  return id[id.length - 2] !== '~' && !isSystemId(id)
}
