/**
 * The naming of a collision (docs/protocol.md, 3) told a second time, as the text tells it: sets of
 * ancestors, their intersection, the smallest first version of each side, the first digit in which
 * these differ. No care for speed: each side is walked to its end.
 */
import { parentsFirst, versionOf } from './hashes.ts'

/** A version of one id: a fact, or what a split derived from facts of the id above. */
export interface Version {
  readonly version: string
  readonly parents: readonly string[]
  readonly dataHash: string
  /** null: a delete. */
  readonly blob: string | null
  /** What a derived version stands for, by `keyOf`; empty for a fact. */
  readonly origins: ReadonlyMap<string, Origin>
}

/** A version of the id above. */
export interface Origin {
  readonly id: string
  readonly version: Version
}

/** Rooted versions of one id, parents before children. */
export type Chain = ReadonlyMap<string, Version>

/** The text that names a version of an id. */
export function keyOf(id: string, version: string): string {
  return version + id
}

/** The rooted ones among versions, parents before children. */
export function rootedChain(versions: Iterable<Version>): Map<string, Version> {
  const all = new Map([...versions].map(version => [version.version, version]))
  const chain = new Map<string, Version>()
  for (const version of parentsFirst(all)) {
    if (version.parents.every(parent => chain.has(parent))) chain.set(version.version, version)
  }
  return chain
}

/** Versions that are no parent of another; sorted. */
export function headsOf(chain: Chain): Version[] {
  const parents = new Set([...chain.values()].flatMap(version => version.parents))
  return [...chain.values()].filter(({ version }) => !parents.has(version)).sort(byVersion)
}

/** Live heads by what they hold: more than one group is a collision. Sorted. */
export function branchesOf(heads: readonly Version[]): Version[][] {
  const groups = new Map<string, Version[]>()
  for (const head of heads) {
    if (head.blob === null) continue
    const group = groups.get(head.dataHash)
    if (group === undefined) groups.set(head.dataHash, [head])
    else group.push(head)
  }
  const branches = [...groups.values()].map(group => group.sort(byVersion))
  return branches.sort((a, b) => byVersion(a[0]!, b[0]!))
}

/** Versions and all their ancestors. */
export function pastOf(chain: Chain, versions: Iterable<string>): Set<string> {
  const past = new Set<string>()
  const open = [...versions]
  for (let version = open.pop(); version !== undefined; version = open.pop()) {
    const found = chain.get(version)
    if (found === undefined || past.has(version)) continue
    past.add(version)
    open.push(...found.parents)
  }
  return past
}

/** The ids into which two or more branches split, each with its derived chain. */
export function splitOf(
  prefix: string,
  chain: Chain,
  branches: readonly (readonly Version[])[],
): Map<string, Map<string, Version>> {
  const items = new Map<string, Map<string, Version>>()
  const open = [{ name: prefix, branches }]
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    const { name } = group
    const sides = sidesOf(chain, group.branches)
    const keys = sides.map(side => side.key)
    let place = 0
    while (new Set(keys.map(key => key[place])).size === 1) place += 1
    for (const digit of new Set(keys.map(key => key[place]!))) {
      const members = sides.filter(side => side.key[place] === digit)
      const id = `${name}~${digit}`
      if (members.length > 1) open.push({ name: id, branches: members.map(side => side.branch) })
      else items.set(id, derive(id, prefix, chain, members[0]!.own))
    }
  }
  return items
}

interface Side {
  readonly branch: readonly Version[]
  readonly own: ReadonlySet<string>
  readonly key: string
}

function sidesOf(chain: Chain, branches: readonly (readonly Version[])[]): Side[] {
  const pasts = branches.map(branch => {
    const versions = branch.map(head => head.version)
    return pastOf(chain, versions)
  })
  return branches.map((branch, at) => {
    const own = new Set([...pasts[at]!].filter(version => pasts.some(past => !past.has(version))))
    const firsts = [...own].filter(
      version => !chain.get(version)!.parents.some(parent => own.has(parent)),
    )
    return { branch, own, key: firsts.sort()[0]! }
  })
}

function derive(
  id: string,
  from: string,
  chain: Chain,
  own: ReadonlySet<string>,
): Map<string, Version> {
  const names = new Map<string, string>()
  const derived = new Map<string, Version>()
  for (const old of chain.values()) {
    if (!own.has(old.version)) continue
    const known = old.parents.filter(parent => own.has(parent)).map(parent => names.get(parent)!)
    const parents = [...new Set(known)].sort()
    const version = versionOf(id, parents, old.dataHash)
    names.set(old.version, version)
    const origins = new Map([[keyOf(from, old.version), { id: from, version: old }]])
    const made = { version, parents, dataHash: old.dataHash, blob: old.blob, origins }
    unite(derived, made)
  }
  return derived
}

/** Adds a version; of two with one name a fact wins, else they stand for what both stand for. */
export function unite(into: Map<string, Version>, added: Version): void {
  const known = into.get(added.version)
  if (known === undefined || added.origins.size === 0) into.set(added.version, added)
  else if (known.origins.size > 0) {
    into.set(added.version, { ...known, origins: new Map([...known.origins, ...added.origins]) })
  }
}

function byVersion(a: Version, b: Version): number {
  return a.version < b.version ? -1 : a.version > b.version ? 1 : 0
}
