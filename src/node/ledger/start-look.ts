/**
 * What a start gathers of the items, one glance after the other, and the way to look at each only
 * once: an opening that counts all items shows them by the way (storage/store.ts, ItemsSeen), so
 * that the trees need no second reading.
 *
 * The cut is not known yet while a store is opened, only the last one that the journal tells of. What
 * is newer than that is left over, by name, and so is whatever is not usual: those few are read again
 * when the trees are built.
 */
import { type ItemId, isSystemId } from '../../base/fact.ts'
import { type Glance, glanceOf } from '../../base/glance.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO, type Stamp, stampMax, stampOf } from '../../base/stamp.ts'
import { rootOf, stepCount } from '../../consensus/items/id.ts'
import { Leaves } from '../../merkle/leaves.ts'
import type { ItemsSeen, SeenItems, Store } from '../../storage/store.ts'
import { LiveItems } from './live-items.ts'

/** What is known of the items looked at. */
export class Gathered {
  readonly settled: Leaves
  readonly system = new Leaves(0)
  readonly live = new LiveItems()
  /** Items with something newer than the cut. */
  readonly unsettled: ItemId[] = []
  /** Root ids of split items. */
  readonly families = new Set<ItemId>()
  /** Whole items that hold facts whose parents are not here. */
  readonly unrooted: ItemId[] = []
  agreedFacts = 0
  systemFacts = 0
  /** The largest `added` of all but the system's. */
  newest: Stamp = STAMP_ZERO

  /** What was seen of settled items already. */
  constructor(settled: Leaves) {
    this.settled = settled
  }

  /** Takes in what is not in the leaves of items that were seen. */
  takeSeen({ settledFacts, live, newest }: SeenItems): void {
    this.agreedFacts += settledFacts
    this.live.startWhole(live)
    this.newest = stampMax(this.newest, newest)
  }

  /** Takes an item in; what was added after the cut is not settled. */
  take(glance: Glance, cut: Stamp): void {
    const { id, addedMax } = glance
    if (isSystemId(id)) {
      this.systemFacts += glance.facts
      if (addedMax !== null) this.system.add(glance)
      return
    }
    this.agreedFacts += glance.agreed
    this.live.start(glance)
    if (addedMax !== null) {
      this.newest = stampMax(this.newest, addedMax)
      if (addedMax > cut) this.unsettled.push(id)
      else this.settled.add(glance)
    }
    if (stepCount(id) > 0) this.families.add(rootOf(id))
    else if (glance.kind === 'other' && glance.summary.unrooted > 0) this.unrooted.push(id)
  }
}

/** The look at a store that is being opened; good for one rebuild of that opening. */
export class StartLook implements ItemsSeen {
  #lastCut = STAMP_ZERO
  #parts: SeenItems[] | null = null

  begin(lastCut: number): void {
    this.#lastCut = stampOf(lastCut)
    this.#parts = []
  }

  see(part: SeenItems | null): void {
    if (part === null) this.#parts = null
    else this.#parts?.push(part)
  }

  /**
   * What was seen, with the rest of the items read now; `undefined` where that is not all that the
   * store holds, or not as it is: then it is to be read anew. Can be taken once.
   */
  async take(store: Store, cut: Stamp): Promise<Gathered | undefined> {
    const parts = this.#parts
    this.#parts = null
    const { damages, gap } = store.report
    if (parts === null || !isAllOf(store, parts)) return undefined
    if (gap || damages.length > 0 || cut < this.#lastCut) return undefined
    const rest = parts.flatMap(part => part.rest)
    const entries = parts.map(part => part.entries)
    const gathered = new Gathered(Leaves.of(entries, rest.length))
    for (const part of parts) gathered.takeSeen(part)
    for (let from = 0; from < rest.length; from += limits.pageMax) {
      for (const summary of await store.items(rest.slice(from, from + limits.pageMax))) {
        if (summary === undefined) return undefined
        gathered.take(glanceOf(summary), cut)
      }
    }
    return gathered
  }
}

function isAllOf(store: Store, parts: readonly SeenItems[]): boolean {
  const counts = store.counts()
  const sumOf = (of: 'items' | 'facts') => parts.reduce((sum, part) => sum + part[of], 0)
  return sumOf('items') === counts.items && sumOf('facts') === counts.facts
}
