/**
 * The start of a member: the trees are built anew from the store and held against the journal, so
 * that nothing is taken on faith (DESIGN 3, S003-12). What is missing is told, and the member has a
 * gap until it is refilled from the others.
 */
import type { Fact, FactRef, ItemId } from '../../base/fact.ts'
import { hashText } from '../../base/hash.ts'
import { stampOf } from '../../base/stamp.ts'
import { familyOf } from '../../consensus/items/family.ts'
import { type Policy, splitPolicy } from '../../consensus/items/policy.ts'
import { viewFamily } from '../../consensus/items/view.ts'
import type { Problem } from '../../control/protocol-network.ts'
import { Leaves } from '../../merkle/leaves.ts'
import { type Damage, GAP_META_KEY, type Store } from '../../storage/store.ts'
import { familyIds } from './batch.ts'
import type { LiveItems } from './live-items.ts'
import { countSetAside, type Mended, type MendedItem, mendItems, missingParents } from './mend.ts'
import { Sets } from './sets.ts'
import { lackOf, readShort, shortWrite } from './short.ts'
import { Gathered, type StartLook } from './start-look.ts'

export interface Rebuilt {
  readonly sets: Sets
  readonly agreedFacts: number
  readonly setAsideFacts: number
  readonly systemFacts: number
  readonly live: LiveItems
  readonly gap: boolean
  /** What unrooted facts wait for: parents, and the heads that a base names. */
  readonly missing: readonly FactRef[]
  /** Root ids of the split items among them. */
  readonly waitingFamilies: readonly ItemId[]
  /** Items that were told of as damaged, as they are now. */
  readonly mended: readonly MendedItem[]
  /** Damage that the reading met. */
  readonly met: readonly Damage[]
  readonly problems: readonly Problem[]
}

/** Damage that is met while the trees are built is mended, and they are built anew; so often at most. */
const PASSES_MAX = 4

/**
 * Builds the trees at a cut from all that the store holds. An item that cannot be read would be
 * missing in them, and others would be told that it is not held here: so it is mended first. What
 * was seen of the items while the store was opened (`look`) is not read a second time.
 */
export async function rebuild(
  store: Store,
  cut: number,
  policyOf: (id: ItemId) => Policy = () => splitPolicy,
  look?: StartLook,
): Promise<Rebuilt> {
  const met: Damage[] = []
  let isDone = false
  store.onDamage(damage => void (isDone || met.push(damage)))
  let mended = await mendAtStart(store)
  const mendedIds = new Set(mended.items.map(({ id }) => id))
  for (let pass = 1; ; pass++) {
    const built = await build(store, cut, policyOf, mended, pass === 1 ? look : undefined)
    const ids = new Set(
      met.flatMap(({ id }) => (id === undefined || mendedIds.has(id) ? [] : [id])),
    )
    if (ids.size === 0 || pass === PASSES_MAX) {
      isDone = true
      return { ...built, mended: mended.items, met }
    }
    const more = await mendNow(store, ids, met)
    mended = { items: [...mended.items, ...more.items], lost: [...mended.lost, ...more.lost] }
    for (const id of ids) mendedIds.add(id)
  }
}

async function build(
  store: Store,
  cut: number,
  policyOf: (id: ItemId) => Policy,
  mended: Mended,
  look: StartLook | undefined,
): Promise<Omit<Rebuilt, 'mended' | 'met'>> {
  const gathered = (await look?.take(store, stampOf(cut))) ?? (await gather(store, cut))
  const { settled, system, live, families, newest, agreedFacts, systemFacts } = gathered
  const sets = new Sets(cut)
  sets.system.setEntries(system.entries())
  sets.settled.tree.setEntries(settled.entries())
  for (const id of gathered.unsettled) sets.place(hashText(id), await store.factsOf(id))
  const missing: FactRef[] = [...mended.lost]
  for (const id of gathered.unrooted) missing.push(...missingParents(await store.factsOf(id)))
  const waitingFamilies: ItemId[] = []
  for (const root of families) {
    const refs = await missingOfFamily(store, root)
    if (refs.length > 0) waitingFamilies.push(root)
    for (const ref of refs) missing.push(ref)
  }
  await live.startFamilies(store, (root, facts) => viewFamily(root, facts, policyOf(root)))
  const problems = [
    ...gapProblems(store),
    ...rootProblems(store, sets, newest <= stampOf(cut) ? newest : null),
  ]
  const gap = problems.length > 0 || (await store.meta(GAP_META_KEY)) !== undefined
  const setAsideFacts = await countSetAside(store)
  const counts = { agreedFacts, setAsideFacts, systemFacts }
  return { sets, ...counts, live, gap, missing, waitingFamilies, problems }
}

/** Reads all items in order. */
async function gather(store: Store, cut: number): Promise<Gathered> {
  const gathered = new Gathered(new Leaves(store.counts().items))
  const stamp = stampOf(cut)
  for await (const page of store.glances()) for (const glance of page) gathered.take(glance, stamp)
  return gathered
}

/** A summary cannot tell what a base lacks: the facts of the whole family are looked at. */
async function missingOfFamily(store: Store, root: ItemId): Promise<readonly FactRef[]> {
  const facts: Fact[] = []
  for (const id of [root, ...(await familyIds(store, root))]) {
    for (const { fact } of await store.factsOf(id)) facts.push(fact)
  }
  return familyOf(root, facts).missing
}

/** Items of which the opening told damage are worked out anew before anything is built on them. */
async function mendAtStart(store: Store): Promise<Mended> {
  const { damages, gap } = store.report
  const ids = new Set(damages.map(damage => damage.id).filter(id => id !== undefined))
  // A gap may be in the queue alone: then a pending fact would never be added to the network.
  if (gap) {
    for await (const page of store.allItems()) {
      for (const summary of page) if (summary.pending !== null) ids.add(summary.id)
    }
  }
  return ids.size === 0 ? { items: [], lost: [] } : await mendNow(store, ids, damages)
}

async function mendNow(
  store: Store,
  ids: ReadonlySet<ItemId>,
  damages: readonly Damage[],
): Promise<Mended> {
  const { items, lost, writes } = await mendItems(store, ids, { requeues: true })
  const short = await readShort(store)
  for (const item of items) {
    const named = damages.flatMap(({ id, version }) => (id === item.id && version ? [version] : []))
    const lack = lackOf(item, named, short.get(item.id))
    if (lack !== undefined) short.set(item.id, lack)
  }
  // With the new summaries, which say nothing any more of what is gone.
  await store.commit([...writes, shortWrite(short)])
  return { items, lost }
}

function gapProblems({ report }: Store): Problem[] {
  if (!report.gap) return []
  return [
    {
      reason: 'gap',
      sentence:
        `The journal of this store promised ${report.factsMissing} facts and ` +
        `${report.pendingMissing} pending entries that are not here any more.`,
      nextStep: 'Nothing, while others are reached: it is refilled from them. See `veche verify`.',
    },
  ]
}

/** The root of the journal's last cut, where nothing was added after it, must come out again. */
function rootProblems(store: Store, sets: Sets, newest: string | null): Problem[] {
  const { lastCut, gap, clean } = store.report
  // Only a store that was closed in order recorded its last root after its last change.
  if (!clean || lastCut === null || newest === null || gap || newest > stampOf(lastCut.cut))
    return []
  if (sets.settled.root() === lastCut.root) return []
  return [
    {
      reason: 'gap',
      sentence: `The rebuilt root differs from the one that the journal recorded at cut ${lastCut.cut}.`,
      nextStep: 'Nothing, while others are reached: it is compared with them. See `veche verify`.',
    },
  ]
}
