/**
 * The function `name(prefix, H)` of PROTOCOL 3: which new ids a collision makes, and the chain that
 * each begins with. It reads nothing but the chain below the branches, so members that hold the
 * same facts derive the same ids and versions without a word.
 *
 * For branches H (live heads; heads with one dataHash are one branch):
 *   own(h) = h and those of its ancestors that are not head-or-ancestor of every branch in H
 *   key(h) = the smallest version in own(h) none of whose parents is in own(h)
 * At the first place where the keys are not all equal the branches are grouped by that hex digit: a
 * group of one is the item `prefix~digit`, a larger one is `name(prefix~digit, group)`. A fact f of
 * own(h) becomes D(f) = hash(newId + dataHash) if no parent of f is in own(h), and otherwise
 * hash(sorted D(parents in own(h)) + dataHash). Keys of one group can never all be equal: what is
 * in every branch is in no branch's own.
 */
import { compareAscii, compareText } from '../../base/bytes.ts'
import { type ItemId, refKey } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { invariant } from '../../base/invariant.ts'
import { type Branch, type Chain, commonPast, type Node, withAncestors } from './chain.ts'
import { versionOf } from './version.ts'

/** One new item of a split. */
export interface Named {
  readonly id: ItemId
  readonly branch: Branch
  /** Its derived chain, parents before children, with distinct versions. */
  readonly nodes: readonly Node[]
}

/** A branch with itself and all that it descends from, but for what every branch descends from. */
interface Line {
  readonly branch: Branch
  readonly past: ReadonlySet<Hash>
}

/** The items into which the branches (two or more) of the chain of id `prefix` split. */
export function nameBranches(prefix: ItemId, chain: Chain, branches: readonly Branch[]): Named[] {
  invariant(branches.length >= 2, 'a split has at least two branches')
  const common = commonPast(chain, branches)
  const lines = branches.map(branch => {
    const versions = branch.heads.map(head => head.version)
    return { branch, past: withAncestors(chain, versions, common) }
  })
  const named: Named[] = []
  const groups: { newPrefix: ItemId; lines: readonly Line[] }[] = [{ newPrefix: prefix, lines }]
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    for (const part of groupByDigit(chain, group.lines)) {
      const id = `${group.newPrefix}~${part.digit}`
      if (part.members.length > 1) {
        groups.push({ newPrefix: id, lines: part.members.map(member => member.line) })
        continue
      }
      const { line, own } = part.members[0]!
      named.push({ id, branch: line.branch, nodes: derive({ id, from: prefix, chain, own }) })
    }
  }
  return named.sort((a, b) => compareAscii(a.id, b.id))
}

interface Member {
  readonly line: Line
  readonly own: ReadonlySet<Hash>
}

function groupByDigit(chain: Chain, lines: readonly Line[]) {
  const holders = new Map<Hash, number>()
  for (const { past } of lines) {
    for (const version of past) holders.set(version, (holders.get(version) ?? 0) + 1)
  }
  const keyed = lines.map(line => {
    const own = new Set<Hash>()
    for (const version of line.past) if (holders.get(version)! < lines.length) own.add(version)
    return { line, own, key: keyOf(chain, own) }
  })
  const first = keyed[0]!.key
  let place = 0
  while (place < 64 && keyed.every(({ key }) => key[place] === first[place])) place++
  invariant(place < 64, 'branches of a split have keys that are not all equal')
  const parts = new Map<string, Member[]>()
  for (const { line, own, key } of keyed) {
    const members = parts.get(key[place]!)
    if (members === undefined) parts.set(key[place]!, [{ line, own }])
    else members.push({ line, own })
  }
  return [...parts].map(([digit, members]) => ({ digit, members }))
}

function keyOf(chain: Chain, own: ReadonlySet<Hash>): Hash {
  let key: Hash | undefined
  for (const version of own) {
    if (chain.nodes.get(version)!.parents.some(parent => own.has(parent))) continue
    if (key === undefined || version < key) key = version
  }
  invariant(key !== undefined, 'a branch has a first version of its own')
  return key
}

interface Derivation {
  readonly id: ItemId
  readonly from: ItemId
  readonly chain: Chain
  readonly own: ReadonlySet<Hash>
}

/** D of every version in `own`. Two facts that become one version are one node with two origins. */
function derive({ id, from, chain, own }: Derivation): Node[] {
  const derived = new Map<Hash, Node>()
  const versions = new Map<Hash, Hash>() // from a version on `from` to its D
  const inOrder = [...own].sort((a, b) => chain.positions.get(a)! - chain.positions.get(b)!)
  for (const old of inOrder) {
    const node = chain.nodes.get(old)!
    const parents = new Set<Hash>()
    for (const parent of node.parents) {
      const parentVersion = versions.get(parent)
      if (parentVersion !== undefined) parents.add(parentVersion)
    }
    const sorted = [...parents].sort(compareAscii)
    const version = versionOf(id, sorted, node.fact.dataHash)
    versions.set(old, version)
    const made = { version, parents: sorted, fact: node.fact, origins: [{ id: from, node }] }
    const twin = derived.get(version)
    derived.set(version, twin === undefined ? made : unitedNodes(twin, made))
  }
  return [...derived.values()]
}

/**
 * One node of two with the same version: a real one wins, else the origins are joined and the
 * content is shown with the smaller stamp. Order-free.
 */
export function unitedNodes(a: Node, b: Node): Node {
  if (a.origins.length === 0) return a
  if (b.origins.length === 0) return b
  const origins = new Map(
    [...a.origins, ...b.origins].map(origin => [
      refKey({ id: origin.id, version: origin.node.version }),
      origin,
    ]),
  )
  const sorted = [...origins].sort((x, y) => compareText(x[0], y[0])).map(([, origin]) => origin)
  const { fact } = compareStamped(a, b) <= 0 ? a : b
  return { ...a, fact, origins: sorted }
}

function compareStamped(a: Node, b: Node): number {
  return (
    compareAscii(a.fact.at, b.fact.at) ||
    compareAscii(a.fact.by, b.fact.by) ||
    compareAscii(a.fact.id, b.fact.id) ||
    compareAscii(a.fact.version, b.fact.version)
  )
}
