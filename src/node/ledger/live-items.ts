/**
 * How many items a user would list: whole items that are not deleted, and the live items of splits,
 * never a split id. A whole root id is told from its summary; a root id that has split, now or
 * formerly, is counted by the view of its family, and only when one of its ids changed.
 */
import type { Fact, ItemId, ItemSummary } from '../../base/fact.ts'
import { isSystemId } from '../../base/fact.ts'
import type { Glance } from '../../base/glance.ts'
import { rootOf, stepCount } from '../../consensus/items/id.ts'
import { type FamilyView, itemsOf, viewSummary } from '../../consensus/items/view.ts'
import type { Store } from '../../storage/store.ts'
import { type Batch, familyIds } from './batch.ts'
import type { MendedItem } from './mend.ts'
import type { ItemWork } from './work.ts'

type ViewOf = (root: ItemId, facts: readonly Fact[]) => FamilyView

export class LiveItems {
  #whole = 0
  /** Root ids with split ids or several branches: their live items. */
  readonly #families = new Map<ItemId, number>()

  get count(): number {
    let count = this.#whole
    for (const live of this.#families.values()) count += live
    return count
  }

  /** Counts whole items, none of them deleted or of a family, at the start. */
  startWhole(count: number): void {
    this.#whole += count
  }

  /** Counts one item of the store at the start; families are counted by `startFamilies`. */
  start(glance: Glance): void {
    if (glance.kind === 'other') {
      const { summary } = glance
      if (isOfFamily(summary)) this.#families.set(rootOf(summary.id), 0)
      else this.#whole += liveOf(summary)
    } else if (stepCount(glance.id) > 0) {
      this.#families.set(rootOf(glance.id), 0)
    } else if (!glance.deleted) {
      this.#whole += 1 // a usual root id shows its one head (viewSummary)
    }
  }

  /** Counts the families that `start` met. */
  async startFamilies(store: Store, viewOf: ViewOf): Promise<void> {
    for (const root of this.#families.keys()) {
      const [summary] = await store.items([root])
      if (summary !== undefined && !isOfFamily(summary)) this.#whole -= liveOf(summary)
      this.#families.set(root, liveIn(viewOf(root, await factsOfFamily(store, root))))
    }
  }

  /** Works out what a batch changes; the answer applies it. */
  async prepare(batch: Batch, works: readonly ItemWork[], viewOf: ViewOf): Promise<() => void> {
    const touched = new Map<ItemId, ItemWork[]>()
    for (const work of works) {
      if (isSystemId(work.id)) continue
      const root = rootOf(work.id)
      const known = touched.get(root)
      if (known === undefined) touched.set(root, [work])
      else known.push(work)
    }
    const families = new Map<ItemId, number>()
    let whole = 0
    for (const [root, changed] of touched) {
      const own = changed.find(work => work.id === root)
      const change = liveOf(own?.summary) - liveOf(own?.counted)
      const known = this.#families.get(root)
      if (changed.every(isPlain)) {
        // A whole root id that stays whole leaves its family as it is.
        if (known === undefined) whole += change
        else families.set(root, known + change)
        continue
      }
      if (known === undefined) whole -= liveOf(own?.counted ?? (await batch.work(root)).counted)
      const facts = (await batch.family(root)).map(held => held.fact)
      families.set(root, liveIn(viewOf(root, facts)))
    }
    return () => {
      this.#whole += whole
      for (const [root, live] of families) this.#families.set(root, live)
    }
  }

  /** Takes over what mending made of items; one that could not be read was counted as it is now. */
  async mend(store: Store, items: readonly MendedItem[], viewOf: ViewOf): Promise<void> {
    for (const { id, before, summary } of items) {
      const root = rootOf(id)
      if (isSystemId(id)) continue
      if (this.#families.has(root)) {
        this.#families.set(root, liveIn(viewOf(root, await factsOfFamily(store, root))))
      } else if (before !== undefined) {
        this.#whole += liveOf(summary) - liveOf(before)
      }
    }
  }
}

/** Whether a change can be counted without the family: a root id that was whole and still is. */
function isPlain({ counted, summary }: ItemWork): boolean {
  if (summary === undefined || isOfFamily(summary)) return false
  return counted === undefined || !isOfFamily(counted)
}

/** Whether it takes the view of a family to count an id. */
function isOfFamily(summary: ItemSummary): boolean {
  return stepCount(summary.id) > 0 || viewSummary(summary.id, summary) === undefined
}

/** 1 for a whole item that is not deleted. */
function liveOf(summary: ItemSummary | undefined): number {
  if (summary === undefined) return 0
  const seen = viewSummary(summary.id, summary)
  return seen?.kind === 'item' && !seen.deleted ? 1 : 0
}

function liveIn(view: FamilyView): number {
  return itemsOf(view).filter(item => !item.deleted).length
}

async function factsOfFamily(store: Store, root: ItemId): Promise<Fact[]> {
  const facts: Fact[] = []
  for (const id of [root, ...(await familyIds(store, root))]) {
    for (const held of await store.factsOf(id)) facts.push(held.fact)
  }
  return facts
}
