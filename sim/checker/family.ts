/**
 * What the facts of a root id and its split ids show: which are rooted, which ids are items, which
 * are split (docs/protocol.md, 3), worked out plainly from the facts alone. A fact on a split id may
 * stand on derived versions; they are recomputed from the heads that its `base` names. A derived
 * head is passed over where all that it stands for was taken in by facts written elsewhere.
 */
import type { DumpFact, ShownItem } from './format.ts'
import {
  branchesOf,
  type Chain,
  headsOf,
  keyOf,
  pastOf,
  rootedChain,
  splitOf,
  unite,
  type Version,
} from './split.ts'

/** The part of a fact that decides what is shown. */
export type FamilyFact = Pick<DumpFact, 'id' | 'version' | 'parents' | 'dataHash' | 'blob' | 'base'>

/** One id of a family. */
export type Place =
  | { readonly kind: 'item'; readonly heads: readonly Version[]; readonly shown: Version }
  | {
      readonly kind: 'split'
      readonly chain: Chain
      readonly heads: readonly Version[]
      readonly ids: readonly string[]
    }
  | { readonly kind: 'moved' }

export interface Family {
  /** Keys (`keyOf`) of facts that stand on facts that are here, down to the first. */
  readonly rooted: ReadonlySet<string>
  /** Facts whose base yields another id or other parents. */
  readonly wrong: readonly { readonly fact: FamilyFact; readonly sentence: string }[]
  readonly places: ReadonlyMap<string, Place>
}

/** The id without its split steps. */
export function rootIdOf(id: string): string {
  // From left to right, `~~` first: it is a tilde of the name.
  return /^(?:[^~]|~~)*/.exec(id)![0]
}

/** The facts of each family, by root id. */
export function familiesOf<T extends { readonly id: string }>(
  facts: readonly T[],
): Map<string, T[]> {
  const families = new Map<string, T[]>()
  for (const fact of facts) {
    const root = rootIdOf(fact.id)
    const known = families.get(root)
    if (known === undefined) families.set(root, [fact])
    else known.push(fact)
  }
  return families
}

/** Works out one family; the order of the facts plays no part. */
export function familyOf(facts: readonly FamilyFact[]): Family {
  const byId = new Map<string, Map<string, FamilyFact>>()
  for (const fact of facts) {
    const held = byId.get(fact.id) ?? new Map<string, FamilyFact>()
    byId.set(fact.id, held.set(fact.version, fact))
  }
  const work: Work = { chains: new Map(), rooted: new Set(), wrong: [], taken: new Map() }
  const ids = [...byId.keys()].sort((a, b) => a.length - b.length)
  for (const id of ids) rootOne(work, id, byId.get(id)!)
  return { rooted: work.rooted, wrong: work.wrong, places: placesOf(work) }
}

/** The items that a family shows, ended ones with it. */
export function itemsOf({ places }: Pick<Family, 'places'>): ShownItem[] {
  const items: ShownItem[] = []
  for (const [id, place] of places) {
    if (place.kind !== 'item') continue
    items.push({ id, version: place.shown.version, blob: place.shown.blob })
  }
  return items
}

interface Work {
  /** Rooted facts by id, with the derived versions that they stand on. */
  readonly chains: Map<string, Chain>
  readonly rooted: Set<string>
  readonly wrong: { fact: FamilyFact; sentence: string }[]
  /** From a version on the id above to the derived versions by which it was taken in. */
  readonly taken: Map<string, Set<string>>
}

function asVersion({ version, parents, dataHash, blob }: FamilyFact): Version {
  return { version, parents, dataHash, blob, origins: new Map() }
}

function rootOne(work: Work, id: string, held: ReadonlyMap<string, FamilyFact>): void {
  const derivedFor = new Map<string, Chain>()
  const candidates: Version[] = []
  for (const fact of held.values()) {
    const derived = fact.base === null ? new Map<string, Version>() : derivedBy(work, fact)
    if (derived === 'waits') continue
    if (typeof derived === 'string') {
      work.wrong.push({ fact, sentence: derived })
      continue
    }
    derivedFor.set(fact.version, derived)
    const others = fact.parents.filter(parent => !derived.has(parent))
    candidates.push({ ...asVersion(fact), parents: others })
  }
  const chain = new Map<string, Version>()
  const stoodOn: string[] = []
  for (const { version } of rootedChain(candidates).values()) {
    const fact = held.get(version)!
    work.rooted.add(keyOf(id, version))
    unite(chain, asVersion(fact))
    const derived = derivedFor.get(version)!
    const parents = fact.parents.filter(parent => derived.has(parent))
    for (const one of pastOf(derived, parents)) unite(chain, derived.get(one)!)
    stoodOn.push(...fact.parents)
  }
  if (chain.size === 0) return
  work.chains.set(id, rootedChain(chain.values()))
  take(work, id, stoodOn)
}

/** The versions that a fact's base yields for its id; or what is wrong; or it waits for facts. */
function derivedBy(work: Work, fact: FamilyFact): Chain | 'waits' | (string & {}) {
  const made = new Map<string, Map<string, Version>>()
  for (const { id, heads } of fact.base!) {
    const all = withMade(work.chains.get(id), made.get(id))
    if (heads.some(head => !all.has(head))) return 'waits'
    const past = pastOf(all, heads)
    const chain = new Map([...all].filter(([version]) => past.has(version)))
    const tops = headsOf(chain)
    if (tops.length !== heads.length) return `the heads of its base for ${id} are no heads`
    const branches = branchesOf(tops)
    if (branches.length < 2) return `the heads of its base for ${id} do not collide`
    for (const [name, versions] of splitOf(id, chain, branches)) addAll(made, name, versions)
  }
  const derived = made.get(fact.id)
  if (derived === undefined) return `its base does not yield ${fact.id}`
  return fact.parents.some(parent => derived.has(parent))
    ? rootedChain(derived.values())
    : 'its base yields none of its parents'
}

/** What was written on an id, and what was derived for it. */
function withMade(written: Chain = new Map(), made: Chain = new Map()): Chain {
  if (made.size === 0) return written // rooted already, as each chain of the work
  const pool = new Map(written)
  for (const version of made.values()) unite(pool, version)
  return rootedChain(pool.values())
}

function addAll(made: Map<string, Map<string, Version>>, id: string, added: Chain): void {
  const known = made.get(id) ?? new Map<string, Version>()
  made.set(id, known)
  for (const version of added.values()) unite(known, version)
}

/** Marks what facts on `id` took in from the ids above, however far up. */
function take(work: Work, id: string, stoodOn: readonly string[]): void {
  const chain = work.chains.get(id)!
  const open = stoodOn.map(version => ({ id, version: chain.get(version)! }))
  const seen = new Set<string>()
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const taker = keyOf(at.id, at.version.version)
    if (seen.has(taker)) continue
    seen.add(taker)
    for (const [key, origin] of at.version.origins) {
      work.taken.set(key, (work.taken.get(key) ?? new Set()).add(taker))
      open.push(origin)
    }
  }
}

function placesOf(work: Work): Map<string, Place> {
  const places = new Map<string, Place>()
  const made = new Map<string, Map<string, Version>>()
  const open = new Set(work.chains.keys())
  while (open.size > 0) {
    // Shorter ids first: they say what the longer ones are made of.
    const id = [...open].reduce((a, b) => (b.length < a.length ? b : a))
    open.delete(id)
    const chain = withMade(work.chains.get(id), made.get(id))
    const heads = headsOf(chain).filter(head => !isTaken(work, id, chain, head))
    const branches = branchesOf(heads)
    if (heads.length === 0) places.set(id, { kind: 'moved' })
    else if (branches.length < 2) {
      places.set(id, { kind: 'item', heads, shown: branches[0]?.[0] ?? heads[0]! })
    } else {
      const split = splitOf(id, chain, branches)
      places.set(id, { kind: 'split', chain, heads, ids: [...split.keys()].sort() })
      for (const [name, versions] of split) {
        addAll(made, name, versions)
        open.add(name)
      }
    }
  }
  return places
}

function isTaken(work: Work, id: string, chain: Chain, head: Version): boolean {
  if (head.origins.size === 0) return false
  for (const origin of head.origins.keys()) {
    const takers = work.taken.get(origin)
    if (takers === undefined || takers.has(keyOf(id, head.version))) return false
  }
  return [...pastOf(chain, [head.version])].every(one => chain.get(one)!.origins.size > 0)
}
