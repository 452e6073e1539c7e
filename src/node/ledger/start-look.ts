/**
 * What a start gathers of the items, one glance after the other, and the way to look at each only
 * once: an opening that counts all items shows them by the way (storage/store.ts, ItemsSeen), so
 * that the trees need no second reading.
 *
 * The cut is not known yet while a store is opened, so what may be newer than it is left over, by
 * name, and so is whatever is not usual: those few are read again when the trees are built.
 */
import { type ItemId, isSystemId } from '../../base/fact.ts'
import { type Glance, glanceOf } from '../../base/glance.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO, type Stamp, stampMax, stampOf } from '../../base/stamp.ts'
import { rootOf, stepCount } from '../../consensus/items/id.ts'
import type { ItemsSeen, Store } from '../../storage/store.ts'
import { Leaves } from './leaves.ts'
import { LiveItems } from './live-items.ts'

/** What was added in the last minutes may be newer than the cut; a cut lies seconds back. */
const RECENT_MS = 600_000

/** Where more are left over, reading all of them in order is faster. */
const REST_MAX = 100_000

/** Room for so many items at first, at most: a journal may name any number. */
const EXPECTED_MAX = 10_000_000

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

  /** With room for so many items. */
  constructor(items: number) {
    this.settled = new Leaves(items)
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
  readonly #recent: Stamp
  #gathered = new Gathered(0)
  #rest: ItemId[] = []
  #facts = 0
  #items = 0
  #isWhole = false

  /** `wallMs` is the machine's time; what was added less than `recentMs` before it is left over. */
  constructor(wallMs: number, recentMs = RECENT_MS) {
    this.#recent = stampOf(Math.max(0, Math.floor(wallMs) - recentMs))
  }

  begin(expected: number): void {
    this.#gathered = new Gathered(Math.min(expected, EXPECTED_MAX))
    this.#rest = []
    this.#facts = 0
    this.#items = 0
    this.#isWhole = true
  }

  see(glance: Glance | undefined): void {
    if (!this.#isWhole) return
    if (glance === undefined || this.#rest.length === REST_MAX) return this.#giveUp()
    this.#items += 1
    this.#facts += glance.facts
    const { id } = glance
    const isPlain = glance.kind === 'usual' && !isSystemId(id) && stepCount(id) === 0
    if (isPlain && glance.addedMax <= this.#recent) this.#gathered.take(glance, this.#recent)
    else this.#rest.push(id)
  }

  /**
   * What was seen, with the rest of the items read now; `undefined` where that is not all that the
   * store holds, or not as it is: then it is to be read anew. Can be taken once.
   */
  async take(store: Store, cut: Stamp): Promise<Gathered | undefined> {
    const [gathered, rest] = [this.#gathered, this.#rest]
    const { items, facts } = store.counts()
    const isAll = this.#isWhole && this.#items === items && this.#facts === facts
    this.#giveUp()
    const { damages, gap } = store.report
    if (!isAll || gap || damages.length > 0 || cut < this.#recent) return undefined
    for (let from = 0; from < rest.length; from += limits.pageMax) {
      for (const summary of await store.items(rest.slice(from, from + limits.pageMax))) {
        if (summary === undefined) return undefined
        gathered.take(glanceOf(summary), cut)
      }
    }
    return gathered
  }

  #giveUp(): void {
    this.#gathered = new Gathered(0)
    this.#rest = []
    this.#isWhole = false
  }
}
