/**
 * Comparing one item between two members whose leaves differ: the asker names a few versions that
 * it holds with all their ancestors, the answerer tells which of these cover part of its own facts
 * and lists only the rest. A digest beside each covered version shows whether the covered part is
 * really the same, stamps included. A member that lacks one fact of ten thousand gets one.
 */
import type { HeldFact } from '../../base/fact.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import { type Chain, chainOf, realNode, withAncestors } from './chain.ts'
import { digestOf } from './digest.ts'

/** Newest versions that are always named. */
const NEWEST_NAMED = 8

/** The facts of one item within one set, in the order of chains. */
export interface ItemSet {
  readonly chain: Chain
  readonly facts: ReadonlyMap<Hash, HeldFact>
  readonly digests: ReadonlyMap<Hash, Hash>
  /** Versions that are in the set with all their ancestors. */
  readonly whole: ReadonlySet<Hash>
}

/** Prepares the facts of an item for comparison. */
export function itemSet(held: readonly HeldFact[]): ItemSet {
  const facts = new Map(held.map(entry => [entry.fact.version, entry]))
  const chain = chainOf(
    held.map(({ fact }) => ({
      ...realNode(fact),
      parents: fact.parents.filter(parent => facts.has(parent)),
    })),
  )
  const digests = new Map<Hash, Hash>()
  const whole = new Set<Hash>()
  for (const version of chain.positions.keys()) {
    const { fact } = facts.get(version)!
    digests.set(
      version,
      digestOf(
        fact,
        fact.parents.map(parent => digests.get(parent) ?? ZERO_HASH),
      ),
    )
    if (fact.base === null && fact.parents.every(parent => whole.has(parent))) whole.add(version)
  }
  return { chain, facts, digests, whole }
}

/**
 * Versions to name when asking: the newest, and from there back at growing distances, so that the
 * common part is found to within a factor of two in one round.
 */
export function versionsToName(set: ItemSet): Hash[] {
  const order = [...set.chain.positions.keys()].filter(version => set.whole.has(version))
  const named = new Set<Hash>()
  for (const head of set.chain.heads.slice(0, NEWEST_NAMED)) {
    if (set.whole.has(head.version)) named.add(head.version)
  }
  for (let back = 1; back < order.length; back *= 2) named.add(order[order.length - 1 - back]!)
  if (order.length > 0) named.add(order[0]!)
  return [...named]
}

/** What the answerer says to named versions: what of them it holds whole, and the facts not covered. */
export function coveredBy(
  set: ItemSet,
  named: readonly Hash[],
): {
  readonly covered: readonly { readonly version: Hash; readonly digest: Hash }[]
  readonly rest: readonly HeldFact[]
} {
  const common = named.filter(version => set.whole.has(version))
  const inside = withAncestors(set.chain, common)
  const rest: HeldFact[] = []
  for (const version of set.chain.positions.keys()) {
    if (!inside.has(version)) rest.push(set.facts.get(version)!)
  }
  return { covered: common.map(version => ({ version, digest: set.digests.get(version)! })), rest }
}

/** Own facts that neither a covered version nor the answerer's list accounts for: it lacks them. */
export function lackedBy(
  set: ItemSet,
  answer: { readonly covered: readonly Hash[]; readonly listed: ReadonlySet<Hash> },
): HeldFact[] {
  const inside = withAncestors(set.chain, answer.covered)
  const lacked: HeldFact[] = []
  for (const version of set.chain.positions.keys()) {
    if (!inside.has(version) && !answer.listed.has(version)) lacked.push(set.facts.get(version)!)
  }
  return lacked
}
