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
import { type Fact, type FactRef, type ItemId, refKey } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { type Chain, chainOf, isReal, type Node, realNode } from './chain.ts'
import { FamilyMemory, type Line } from './family-memory.ts'
import { unitedNodes } from './name.ts'
import { baseYield, type Known, type Yields } from './yields.ts'

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

/** Sorts out all facts held of a root id and its split ids; order and repetition do not matter. */
export function familyOf(
  root: ItemId,
  facts: readonly Fact[],
  memory: FamilyMemory = new FamilyMemory(),
): Family {
  const family = {
    chains: new Map<ItemId, Chain>(),
    unrooted: [] as Fact[],
    missing: new Map<string, FactRef>(),
    refused: [] as { fact: Fact; sentence: string }[],
    taken: new Map<string, Set<string>>(),
  }
  const yields: Yields = new Map()
  const known = { chains: family.chains, yields, memory }
  const byId = new Map<ItemId, Map<Hash, Fact>>()
  for (const given of facts) {
    const fact = memory.known(given)
    const held = byId.get(fact.id)
    if (held === undefined) byId.set(fact.id, new Map([[fact.version, fact]]))
    else held.set(fact.version, fact)
  }
  const lines = new Map<ItemId, Line>()
  // an id's base speaks of shorter ids only, so one pass from short to long settles everything
  for (const id of [...byId.keys()].sort((a, b) => a.length - b.length || compareText(a, b))) {
    const held = byId.get(id)!
    const line = memory.sameLine(id, held) ?? rootLine(id, held, known)
    memory.settled(id, line)
    lines.set(id, line)
    if (line.chain.nodes.size > 0) family.chains.set(id, line.chain)
    family.unrooted.push(...line.unrooted)
    family.refused.push(...line.refused)
    for (const ref of line.missing) {
      if (byId.get(ref.id)?.has(ref.version) !== true) family.missing.set(refKey(ref), ref)
    }
    markTaken(line.chain, id, family.taken)
  }
  memory.keep(lines, yields)
  const missing = [...family.missing.keys()].sort(compareText).map(key => family.missing.get(key)!)
  return { root, ...family, missing }
}

/** The rooted facts of one id. */
function rootLine(id: ItemId, held: ReadonlyMap<Hash, Fact>, known: Known): Line {
  const refused: { fact: Fact; sentence: string }[] = []
  const waiting: Fact[] = []
  const missing: FactRef[] = []
  const derivedOf = new Map<Hash, ReadonlyMap<Hash, Node>>()
  const candidates: Node[] = []
  const before = known.memory.lineOf(id)?.chain.nodes
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
      if (parents.length === fact.parents.length) {
        candidates.push(nodeOf(fact, before))
        continue
      }
      derivedOf.set(fact.version, found.nodes)
      candidates.push({ ...realNode(fact), parents })
    }
  }
  const line = chainOf(candidates)
  const unrooted = [...waiting, ...line.unrooted.map(node => node.fact)]
  // Without derived parents the line is the chain.
  if (derivedOf.size === 0) return { held, chain: line, unrooted, missing, refused }
  const nodes = new Map<Hash, Node>()
  for (const { fact } of line.nodes.values()) nodes.set(fact.version, nodeOf(fact, before))
  for (const { fact } of line.nodes.values()) {
    const derived = derivedOf.get(fact.version)
    if (derived === undefined) continue
    for (const parent of fact.parents) if (derived.has(parent)) add(nodes, derived, parent)
  }
  return { held, chain: chainOf(nodes.values()), unrooted, missing, refused }
}

/** The node of a fact; the one of the last look, if that is the same. */
function nodeOf(fact: Fact, before: ReadonlyMap<Hash, Node> | undefined): Node {
  const known = before?.get(fact.version)
  return known !== undefined && known.fact === fact && isReal(known) ? known : realNode(fact)
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
    if (twin !== node) into.set(one, twin === undefined ? node : unitedNodes(twin, node))
    next.push(...node.parents)
  }
}

/** Notes for every derived parent of a written fact, and for what it stands for, who took it in. */
function markTaken(chain: Chain, id: ItemId, taken: Map<string, Set<string>>) {
  const seen = new Set<string>()
  const next: { id: ItemId; node: Node }[] = []
  for (const node of chain.nodes.values()) {
    if (!isReal(node)) continue
    for (const parent of node.parents) {
      const parentNode = chain.nodes.get(parent)!
      if (!isReal(parentNode)) next.push({ id, node: parentNode })
    }
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
