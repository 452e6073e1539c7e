/**
 * A family is a root id with all its split ids. This module decides which of its facts are rooted
 * (PROTOCOL 3). For a root id that is ancestry. A fact on a split id may have derived parents: they
 * are recomputed from the heads that its writer saw (`base`) and their ancestors alone, and the
 * fact is rooted when these are here and the naming yields its id and those parents.
 *
 * So rootedness never depends on what else is here: a fact once rooted stays so, whatever arrives
 * and however the naming changes. A fact carries `base` exactly when one of its parents is derived.
 */
import { compareText } from '../../base/bytes.ts'
import { type BaseHeads, type Fact, type FactRef, type ItemId, refKey } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import {
  branchesOf,
  type Chain,
  chainOf,
  isReal,
  type Node,
  realNode,
  recentPast,
} from './chain.ts'
import { nameBranches, unitedNodes } from './name.ts'

/** The facts of a family, sorted out. */
export interface Family {
  readonly root: ItemId
  /** For each id with rooted facts: these, and the derived nodes that they descend from. */
  readonly chains: ReadonlyMap<ItemId, Chain>
  /** Facts with an ancestor or a base that is not here. */
  readonly unrooted: readonly Fact[]
  /** What the unrooted ones wait for and is not here: to be asked for by name. */
  readonly missing: readonly FactRef[]
  /** Facts whose base yields another id or other parents: no honest member made them. */
  readonly refused: readonly { readonly fact: Fact; readonly sentence: string }[]
  /**
   * What written facts descend from through derived parents: from a version on the id above
   * (`refKey`) to the derived nodes (`refKey`) by which it was taken in.
   */
  readonly taken: ReadonlyMap<string, ReadonlySet<string>>
}

type Refused =
  | { readonly kind: 'missing'; readonly refs: readonly FactRef[] }
  | { readonly kind: 'wrong'; readonly sentence: string }

/** What a base yields: the nodes that it derives, for each id that it names. */
type Derived =
  | { readonly kind: 'derived'; readonly byId: ReadonlyMap<ItemId, ReadonlyMap<Hash, Node>> }
  | Refused

/** What it yields for one id. */
type Yield = { readonly kind: 'nodes'; readonly nodes: ReadonlyMap<Hash, Node> } | Refused

/** Of one view, by base: facts of one writing, and those of its twin ids, carry the same one. */
type Yields = Map<string, Derived>

/** Sorts out all facts held of a root id and its split ids; order and repetition do not matter. */
export function familyOf(root: ItemId, facts: readonly Fact[]): Family {
  const family = {
    chains: new Map<ItemId, Chain>(),
    unrooted: [] as Fact[],
    missing: new Map<string, FactRef>(),
    refused: [] as { fact: Fact; sentence: string }[],
    taken: new Map<string, Set<string>>(),
  }
  const yields: Yields = new Map()
  const byId = new Map<ItemId, Map<Hash, Fact>>()
  for (const fact of facts) {
    const held = byId.get(fact.id)
    if (held === undefined) byId.set(fact.id, new Map([[fact.version, fact]]))
    else held.set(fact.version, fact)
  }
  // an id's base speaks of shorter ids only, so one pass from short to long settles everything
  for (const id of [...byId.keys()].sort((a, b) => a.length - b.length || compareText(a, b))) {
    const held = byId.get(id)!
    const rooting = rootLine(id, held, { chains: family.chains, yields })
    if (rooting.chain.nodes.size > 0) family.chains.set(id, rooting.chain)
    family.unrooted.push(...rooting.unrooted)
    family.refused.push(...rooting.refused)
    for (const ref of rooting.missing) {
      if (byId.get(ref.id)?.has(ref.version) !== true) family.missing.set(refKey(ref), ref)
    }
    markTaken(rooting.chain, id, family.taken)
  }
  const missing = [...family.missing.keys()].sort(compareText).map(key => family.missing.get(key)!)
  return { root, ...family, missing }
}

/** What is known when an id's turn comes: the chains of all shorter ones, and what bases yield. */
interface Known {
  readonly chains: ReadonlyMap<ItemId, Chain>
  readonly yields: Yields
}

/** The rooted facts of one id. */
function rootLine(id: ItemId, held: ReadonlyMap<Hash, Fact>, known: Known) {
  const refused: { fact: Fact; sentence: string }[] = []
  const waiting: Fact[] = []
  const missing: FactRef[] = []
  const derivedOf = new Map<Hash, ReadonlyMap<Hash, Node>>()
  const candidates: Node[] = []
  for (const fact of held.values()) {
    const found = baseYield(fact, known)
    if (found.kind === 'wrong') {
      refused.push({ fact, sentence: found.sentence })
    } else if (found.kind === 'missing') {
      waiting.push(fact)
      missing.push(...found.refs)
    } else {
      // what the fact's own base yields needs no fact here; only the other parents must be rooted
      const parents = fact.parents.filter(parent => !found.nodes.has(parent))
      for (const version of parents) if (!held.has(version)) missing.push({ id, version })
      derivedOf.set(fact.version, found.nodes)
      candidates.push({ ...realNode(fact), parents })
    }
  }
  const line = chainOf(candidates)
  const nodes = new Map<Hash, Node>()
  for (const { fact } of line.nodes.values()) nodes.set(fact.version, realNode(fact))
  for (const { fact } of line.nodes.values()) {
    const derived = derivedOf.get(fact.version)!
    for (const parent of fact.parents) if (derived.has(parent)) add(nodes, derived, parent)
  }
  const unrooted = [...waiting, ...line.unrooted.map(node => node.fact)]
  return { chain: chainOf(nodes.values()), unrooted, missing, refused }
}

const nothing: Yield = { kind: 'nodes', nodes: new Map() }

/** What the base of a fact yields for its id; nothing, if it carries none. */
function baseYield(fact: Fact, known: Known): Yield {
  const { base, id } = fact
  if (base === null) return nothing
  // longer ids have no chain yet: what they yield now must not be kept for when they have one
  const isSettled = base.every(above => above.id.length < id.length)
  const key = JSON.stringify(base)
  const derived = (isSettled ? known.yields.get(key) : undefined) ?? derivedBy(base, known.chains)
  if (isSettled) known.yields.set(key, derived)
  if (derived.kind !== 'derived') return derived
  const nodes = derived.byId.get(id)
  if (nodes === undefined) {
    return { kind: 'wrong', sentence: `Its base does not yield the id ${id}.` }
  }
  if (fact.parents.some(parent => nodes.has(parent))) return { kind: 'nodes', nodes }
  return { kind: 'wrong', sentence: 'Its base yields none of its parents.' }
}

/** Adds a derived node and all that it descends from; a real node of the same version stays. */
function add(into: Map<Hash, Node>, from: ReadonlyMap<Hash, Node>, version: Hash) {
  const added = new Set<Hash>()
  const next = [version]
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    if (added.has(one)) continue
    added.add(one)
    const node = from.get(one)!
    const twin = into.get(one)
    into.set(one, twin === undefined ? node : unitedNodes(twin, node))
    next.push(...node.parents)
  }
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
function united(written: Chain | undefined, derived: ReadonlyMap<Hash, Node> | undefined): Chain {
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

/** Notes for every derived parent of a written fact, and for what it stands for, who took it in. */
function markTaken(chain: Chain, id: ItemId, taken: Map<string, Set<string>>) {
  const seen = new Set<string>()
  const next: { id: ItemId; node: Node }[] = []
  for (const node of chain.nodes.values()) {
    if (!isReal(node)) continue
    for (const parent of node.parents) next.push({ id, node: chain.nodes.get(parent)! })
  }
  for (let taker = next.pop(); taker !== undefined; taker = next.pop()) {
    const takerKey = refKey({ id: taker.id, version: taker.node.version })
    if (seen.has(takerKey)) continue
    seen.add(takerKey)
    for (const origin of taker.node.origins) {
      const key = refKey({ id: origin.id, version: origin.node.version })
      const takers = taken.get(key) ?? new Set()
      taken.set(key, takers.add(takerKey))
      next.push(origin)
    }
  }
}
