/**
 * The start of a member: the trees are built anew from the store and held against the journal, so
 * that nothing is taken on faith (DESIGN 3, S003-12). What is missing is told, and the member has a
 * gap until it is refilled from the others.
 */
import { type Fact, type FactRef, type ItemId, isSystemId } from '../../base/fact.ts'
import { hashText } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO, stampMax, stampOf } from '../../base/stamp.ts'
import { leafOf } from '../../consensus/items/digest.ts'
import { familyOf } from '../../consensus/items/family.ts'
import { rootOf, stepCount } from '../../consensus/items/id.ts'
import { type Policy, splitPolicy } from '../../consensus/items/policy.ts'
import type { Problem } from '../../control/protocol-network.ts'
import { GAP_META_KEY, type Store } from '../../storage/store.ts'
import { familyIds } from './batch.ts'
import { LiveItems } from './live-items.ts'
import { Sets } from './sets.ts'

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
  readonly problems: readonly Problem[]
}

/** Builds the trees at a cut from all that the store holds. */
export async function rebuild(
  store: Store,
  cut: number,
  policyOf: (id: ItemId) => Policy = () => splitPolicy,
): Promise<Rebuilt> {
  const sets = new Sets(cut)
  const cutStamp = stampOf(cut)
  let agreedFacts = 0
  let systemFacts = 0
  let newest = STAMP_ZERO
  const missing: FactRef[] = []
  const families = new Set<ItemId>()
  const live = new LiveItems()
  for await (const page of store.allItems()) {
    for (const summary of page) {
      const idHash = hashText(summary.id)
      const { agreed } = summary
      if (isSystemId(summary.id)) {
        systemFacts += summary.facts
        if (agreed !== null) sets.system.set(idHash, leafOf(agreed.newest))
        continue
      }
      agreedFacts += agreed?.count ?? 0
      live.start(summary)
      if (agreed !== null) newest = stampMax(newest, agreed.addedMax)
      if (agreed !== null && agreed.addedMax > cutStamp) {
        sets.place(idHash, await store.factsOf(summary.id))
      } else if (agreed !== null) {
        sets.settled.tree.set(idHash, leafOf(agreed.newest))
      }
      if (stepCount(summary.id) > 0) families.add(rootOf(summary.id))
      else if (summary.unrooted > 0) missing.push(...(await missingParents(store, summary.id)))
    }
  }
  const waitingFamilies: ItemId[] = []
  for (const root of families) {
    const refs = await missingOfFamily(store, root)
    if (refs.length > 0) waitingFamilies.push(root)
    for (const ref of refs) missing.push(ref)
  }
  await live.startFamilies(store, policyOf)
  const problems = [
    ...gapProblems(store),
    ...rootProblems(store, sets, newest <= cutStamp ? newest : null),
  ]
  const gap = problems.length > 0 || (await store.meta(GAP_META_KEY)) !== undefined
  const setAsideFacts = await countSetAside(store)
  const counts = { agreedFacts, setAsideFacts, systemFacts }
  return { sets, ...counts, live, gap, missing, waitingFamilies, problems }
}

/** A summary cannot tell what a base lacks: the facts of the whole family are looked at. */
async function missingOfFamily(store: Store, root: ItemId): Promise<readonly FactRef[]> {
  const facts: Fact[] = []
  for (const id of [root, ...(await familyIds(store, root))]) {
    for (const { fact } of await store.factsOf(id)) facts.push(fact)
  }
  return familyOf(root, facts).missing
}

async function missingParents(store: Store, id: string): Promise<FactRef[]> {
  const facts = await store.factsOf(id)
  const held = new Set(facts.map(({ fact }) => fact.version))
  const missing: FactRef[] = []
  for (const { fact } of facts) {
    for (const version of fact.parents) if (!held.has(version)) missing.push({ id, version })
  }
  return missing
}

async function countSetAside(store: Store): Promise<number> {
  let count = 0
  for (let after = -1; ; ) {
    const page = await store.pending(after, limits.pageMax)
    const facts = await store.facts(page.map(entry => entry.ref))
    for (const held of facts) if (held?.state.kind === 'pending' && !held.state.fresh) count += 1
    const last = page.at(-1)
    if (last === undefined) return count
    after = last.order
  }
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
