/**
 * The start of a member: the trees are built anew from the store and held against the journal, so
 * that nothing is taken on faith (DESIGN 3, S003-12). What is missing is told, and the member has a
 * gap until it is refilled from the others.
 */
import { type FactRef, isSystemId } from '../../base/fact.ts'
import { hashText } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO, stampMax, stampOf } from '../../base/stamp.ts'
import { leafOf } from '../../consensus/items/digest.ts'
import type { Problem } from '../../control/protocol-network.ts'
import { GAP_META_KEY, type Store } from '../../storage/store.ts'
import { Sets } from './sets.ts'

export interface Rebuilt {
  readonly sets: Sets
  readonly agreedFacts: number
  readonly setAsideFacts: number
  readonly systemFacts: number
  readonly gap: boolean
  /** Parents that unrooted facts wait for. */
  readonly missing: readonly FactRef[]
  readonly problems: readonly Problem[]
}

/** Builds the trees at a cut from all that the store holds. */
export async function rebuild(store: Store, cut: number): Promise<Rebuilt> {
  const sets = new Sets(cut)
  const cutStamp = stampOf(cut)
  let agreedFacts = 0
  let systemFacts = 0
  let newest = STAMP_ZERO
  const missing: FactRef[] = []
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
      if (agreed !== null) newest = stampMax(newest, agreed.addedMax)
      if (agreed !== null && agreed.addedMax > cutStamp) {
        sets.place(idHash, await store.factsOf(summary.id))
      } else if (agreed !== null) {
        sets.settled.tree.set(idHash, leafOf(agreed.newest))
      }
      if (summary.unrooted > 0) missing.push(...(await missingParents(store, summary.id)))
    }
  }
  const problems = [
    ...gapProblems(store),
    ...rootProblems(store, sets, newest <= cutStamp ? newest : null),
  ]
  const gap = problems.length > 0 || (await store.meta(GAP_META_KEY)) !== undefined
  const setAsideFacts = await countSetAside(store)
  return { sets, agreedFacts, setAsideFacts, systemFacts, gap, missing, problems }
}

async function missingParents(store: Store, id: string): Promise<FactRef[]> {
  const facts = await store.factsOf(id)
  const held = new Set(facts.map(({ fact }) => fact.version))
  const missing: FactRef[] = []
  for (const { fact } of facts) {
    if (fact.base !== null) continue
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
