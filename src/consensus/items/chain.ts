/**
 * The versions of one id and how they descend from each other (PROTOCOL 2). A chain is made of
 * nodes: real facts, and on split ids also derived ones, which stand for a fact of the id above.
 * Everything is ancestry among rooted nodes, at any distance; nothing here recurses, so a chain may
 * be as long as memory allows.
 */
import { compareAscii } from '../../base/bytes.ts'
import { type Fact, type ItemId, isDelete } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'

/** A version of an id. */
export interface Node {
  readonly version: Hash
  /** Sorted, without duplicates. */
  readonly parents: readonly Hash[]
  /** The fact whose content this version shows; itself, if the node is real. */
  readonly fact: Fact
  /** For a derived node what it stands for, on ids above; empty for a real one. */
  readonly origins: readonly Origin[]
}

/** What a derived node stands for. */
export interface Origin {
  readonly id: ItemId
  readonly node: Node
}

/** The rooted nodes of one id. */
export interface Chain {
  readonly nodes: ReadonlyMap<Hash, Node>
  /** Length of the longest way down to a first version, which has 1; its keys go parents first. */
  readonly positions: ReadonlyMap<Hash, number>
  /** No parent of another rooted node; sorted by version. */
  readonly heads: readonly Node[]
  /** Nodes given whose ancestors were not all given; sorted by version. */
  readonly unrooted: readonly Node[]
}

/** Live heads with one dataHash: one branch, as nothing a user sees differs. */
export interface Branch {
  /** Sorted by version; the first one is shown. */
  readonly heads: readonly Node[]
}

/** How version `a` stands to version `b`. */
export type Relation = 'same' | 'newer' | 'older' | 'collision'

/** The node of a fact. */
export function realNode(fact: Fact): Node {
  return { version: fact.version, parents: fact.parents, fact, origins: [] }
}

/** Whether the node is a fact of its own id. */
export function isReal(node: Node): boolean {
  return node.origins.length === 0
}

/** The chain of nodes with distinct versions. */
export function chainOf(given: Iterable<Node>): Chain {
  const all = new Map<Hash, Node>()
  for (const node of given) all.set(node.version, node)
  const positions = rootedPositions(all)
  const nodes = new Map<Hash, Node>()
  const inner = new Set<Hash>()
  for (const version of positions.keys()) {
    const node = all.get(version)!
    nodes.set(version, node)
    for (const parent of node.parents) inner.add(parent)
  }
  const heads = [...nodes.values()].filter(node => !inner.has(node.version)).sort(byVersion)
  const unrooted = [...all.values()].filter(node => !nodes.has(node.version)).sort(byVersion)
  return { nodes, positions, heads, unrooted }
}

/** Positions of the rooted nodes, parents before children. */
function rootedPositions(all: ReadonlyMap<Hash, Node>): Map<Hash, number> {
  const children = new Map<Hash, Node[]>()
  const parentsLeft = new Map<Hash, number>()
  const positions = new Map<Hash, number>()
  const ready: Node[] = []
  for (const node of all.values()) {
    parentsLeft.set(node.version, node.parents.length)
    if (node.parents.length === 0) ready.push(node)
    for (const parent of node.parents) {
      const siblings = children.get(parent)
      if (siblings === undefined) children.set(parent, [node])
      else siblings.push(node)
    }
  }
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    let longest = 0
    for (const parent of node.parents) longest = Math.max(longest, positions.get(parent)!)
    positions.set(node.version, longest + 1)
    for (const child of children.get(node.version) ?? []) {
      const left = parentsLeft.get(child.version)! - 1
      parentsLeft.set(child.version, left)
      if (left === 0) ready.push(child)
    }
  }
  return positions
}

/** Order of nodes by version. */
export function byVersion(a: Node, b: Node): number {
  return compareAscii(a.version, b.version)
}

/** The given versions and all their ancestors within the chain, but for those in `without`. */
export function withAncestors(
  chain: Chain,
  versions: readonly Hash[],
  without: ReadonlySet<Hash> = new Set(),
): Set<Hash> {
  const found = new Set<Hash>()
  const next = [...versions]
  for (let version = next.pop(); version !== undefined; version = next.pop()) {
    if (found.has(version) || without.has(version)) continue
    const node = chain.nodes.get(version)
    if (node === undefined) continue
    found.add(version)
    for (const parent of node.parents) if (!found.has(parent)) next.push(parent)
  }
  return found
}

/**
 * The given versions and their ancestors, down to where all ways meet in one version: that one comes
 * as a first version, and what lies below it is left out. It is common to all of them, and nothing
 * that is told of what they do not have in common depends on it. So an item that split and was
 * merged a thousand times is walked down to its last merge.
 */
export function recentPast(chain: Chain, versions: readonly Hash[]): Node[] {
  const found: Node[] = []
  const waiting = new Map<number, Set<Hash>>()
  let count = 0
  let top = 0
  const wait = (version: Hash) => {
    const position = chain.positions.get(version)!
    const level = waiting.get(position) ?? new Set()
    waiting.set(position, level)
    if (level.has(version)) return
    level.add(version)
    count += 1
    top = Math.max(top, position)
  }
  for (const version of versions) wait(version)
  let hasFirst = false
  for (let position = top; position > 0; position--) {
    for (const version of waiting.get(position) ?? []) {
      const node = chain.nodes.get(version)!
      if (count === 1 && !hasFirst) return [...found, { ...node, parents: [] }]
      count -= 1
      found.push(node)
      for (const parent of node.parents) wait(parent)
      if (node.parents.length === 0) hasFirst = true
    }
  }
  return found
}

/**
 * What is head-or-ancestor of every branch. Where hundreds of branches leave a long chain at one
 * place the chain is walked once, not once for each.
 */
export function commonPast(chain: Chain, branches: readonly Branch[]): Set<Hash> {
  const [first, ...others] = branches.map(branch => branch.heads.map(head => head.version))
  let common = withAncestors(chain, first ?? [])
  let tips = new Set(first)
  for (const versions of others) {
    // where this branch's way down meets what is common so far; below that all is common
    const met = new Set(versions.filter(version => common.has(version)))
    for (const version of withAncestors(chain, versions, common)) {
      for (const parent of chain.nodes.get(version)!.parents) {
        if (common.has(parent)) met.add(parent)
      }
    }
    if (met.size === tips.size && [...met].every(version => tips.has(version))) continue
    common = withAncestors(chain, [...met])
    tips = met
  }
  return common
}

/** How `a` stands to `b`; both are rooted versions of the chain. */
export function relation(chain: Chain, a: Hash, b: Hash): Relation {
  if (a === b) return 'same'
  if (isAncestor(chain, b, a)) return 'newer'
  if (isAncestor(chain, a, b)) return 'older'
  return 'collision'
}

/** Whether `older` is an ancestor of `newer`; looks no deeper than the position of `older`. */
function isAncestor(chain: Chain, older: Hash, newer: Hash): boolean {
  const floor = chain.positions.get(older) ?? Number.POSITIVE_INFINITY
  const seen = new Set<Hash>()
  const next = [newer]
  for (let version = next.pop(); version !== undefined; version = next.pop()) {
    for (const parent of chain.nodes.get(version)?.parents ?? []) {
      if (parent === older) return true
      if (seen.has(parent) || (chain.positions.get(parent) ?? 0) <= floor) continue
      seen.add(parent)
      next.push(parent)
    }
  }
  return false
}

/** The live ones among heads as branches, sorted by their first version. */
export function branchesOf(heads: readonly Node[]): Branch[] {
  const byDataHash = new Map<Hash, Node[]>()
  for (const head of heads) {
    if (isDelete(head.fact)) continue
    const branch = byDataHash.get(head.fact.dataHash)
    if (branch === undefined) byDataHash.set(head.fact.dataHash, [head])
    else branch.push(head)
  }
  return [...byDataHash.values()]
    .map(branch => ({ heads: branch.sort(byVersion) }))
    .sort((a, b) => byVersion(a.heads[0]!, b.heads[0]!))
}
