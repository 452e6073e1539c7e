/**
 * What the base of a fact yields (PROTOCOL 3): the derived nodes of the ids that the heads which its
 * writer saw had split into, recomputed from these heads and their ancestors alone.
 *
 * Invariant: what is kept of an earlier look (family-memory.ts) is used again only where working it
 * out anew would give the same nodes. Never of another id than those that a base names.
 */
import type { BaseHeads, Fact, FactRef, ItemId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { branchesOf, type Chain, chainOf, type Node, recentPast } from './chain.ts'
import type { FamilyMemory } from './family-memory.ts'
import { nameBranches, unitedNodes } from './name.ts'

type Refused =
  | { readonly kind: 'missing'; readonly refs: readonly FactRef[] }
  | { readonly kind: 'wrong'; readonly sentence: string }

/** What a base yields: the nodes that it derives, for each id that it names. */
export type Derived =
  | { readonly kind: 'derived'; readonly byId: ReadonlyMap<ItemId, ReadonlyMap<Hash, Node>> }
  | Refused

/** What it yields for one id. */
export type Yield = { readonly kind: 'nodes'; readonly nodes: ReadonlyMap<Hash, Node> } | Refused

/** By base: facts of one writing, and those of its twin ids, carry the same one. */
export type Yields = Map<string, Derived>

/** What is known when an id's turn comes. */
export interface Known {
  /** Of all shorter ids. */
  readonly chains: ReadonlyMap<ItemId, Chain>
  /** What bases yield, of this look. */
  readonly yields: Yields
  readonly memory: Pick<FamilyMemory, 'keyOf' | 'kept' | 'lineOf'>
}

const nothing: Yield = { kind: 'nodes', nodes: new Map() }

/** Whether all ids of a base come before an id: what it yields is settled when that one's turn comes. */
export function isSettled(base: readonly BaseHeads[], id: ItemId): boolean {
  return base.every(above => above.id.length < id.length)
}

/** What the base of a fact yields for its id; nothing, if it carries none. */
export function baseYield(fact: Fact, known: Known): Yield {
  const { base, id } = fact
  if (base === null) return nothing
  const derived = derivedOf(base, id, known)
  if (derived.kind !== 'derived') return derived
  const nodes = derived.byId.get(id)
  if (nodes === undefined) {
    return { kind: 'wrong', sentence: `Its base does not yield the id ${id}.` }
  }
  if (fact.parents.some(parent => nodes.has(parent))) return { kind: 'nodes', nodes }
  return { kind: 'wrong', sentence: 'Its base yields none of its parents.' }
}

function derivedOf(base: readonly BaseHeads[], id: ItemId, { chains, yields, memory }: Known) {
  // longer ids have no chain yet: what they yield now must not be kept for when they have one
  if (!isSettled(base, id)) return derivedBy(base, chains)
  const key = memory.keyOf(base)
  const derived = yields.get(key) ?? memory.kept(base) ?? derivedBy(base, chains)
  yields.set(key, derived)
  return derived
}

/** The derived nodes that the heads of a base, and their ancestors alone, yield for each id. */
function derivedBy(base: readonly BaseHeads[], chains: ReadonlyMap<ItemId, Chain>): Derived {
  const derived = new Map<ItemId, Map<Hash, Node>>()
  for (const { id: above, heads } of base) {
    const whole = united(chains.get(above), derived.get(above))
    const absent = heads.filter(head => !whole.nodes.has(head))
    if (absent.length > 0) {
      return { kind: 'missing', refs: absent.map(version => ({ id: above, version })) }
    }
    const chain = chainOf(recentPast(whole, heads))
    if (chain.heads.length !== heads.length) {
      return { kind: 'wrong', sentence: `The heads in its base for ${above} are not heads.` }
    }
    const branches = branchesOf(chain.heads)
    if (branches.length < 2) {
      return { kind: 'wrong', sentence: `The heads in its base for ${above} do not collide.` }
    }
    for (const named of nameBranches(above, chain, branches)) addDerived(derived, named)
  }
  return { kind: 'derived', byId: derived }
}

/** What was written on an id and what was derived for it, as one chain. */
export function united(
  written: Chain | undefined,
  derived: ReadonlyMap<Hash, Node> | undefined,
): Chain {
  if (written !== undefined && derived === undefined) return written
  const pool = new Map(written?.nodes ?? [])
  for (const node of derived?.values() ?? []) {
    const twin = pool.get(node.version)
    pool.set(node.version, twin === undefined ? node : unitedNodes(twin, node))
  }
  return chainOf(pool.values())
}

/** Adds what a naming made for an id to what others made for it. */
export function addDerived(
  derived: Map<ItemId, Map<Hash, Node>>,
  named: { readonly id: ItemId; readonly nodes: readonly Node[] },
): void {
  const nodes = derived.get(named.id) ?? new Map<Hash, Node>()
  derived.set(named.id, nodes)
  for (const node of named.nodes) {
    const twin = nodes.get(node.version)
    nodes.set(node.version, twin === undefined ? node : unitedNodes(twin, node))
  }
}
