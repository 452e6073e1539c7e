/**
 * What a user can see of a family: which ids are items, which have split into which, and what each
 * shows. A pure function of the facts held of the root id and its split ids, agreed and pending
 * alike, and of the policy; the order of arrival plays no part (PROTOCOL 3, G3).
 *
 * From the root id down, each id unites the facts written on it with the chains that the splits
 * above derive for it, and the union is whole, ended, or split again. What users wrote stays where
 * they wrote it, however the naming changes later; and what they wrote *upon* does not come back
 * elsewhere: a derived head whose version was taken in by a fact written under another id (or
 * under the same id with another beginning) is passed over, so that renaming neither doubles an
 * edited item nor revives a deleted one. Naming itself never looks at what was taken in.
 */
import { compareText } from '../../base/bytes.ts'
import {
  type BaseHeads,
  type Fact,
  type FactRef,
  type HeadSummary,
  type ItemId,
  type ItemSummary,
  isDelete,
  refKey,
} from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { branchesOf, type Chain, isReal, type Node, withAncestors } from './chain.ts'
import { type Family, familyOf } from './family.ts'
import { isBelow, splitIdsOnPath, stepCount } from './id.ts'
import { nameBranches } from './name.ts'
import { keptHead, type Policy, splitPolicy } from './policy.ts'
import { addDerived, united } from './yields.ts'

export type { CustomPolicy, Policy } from './policy.ts'
export { splitPolicy } from './policy.ts'

/** One id of a family, as the facts make it. */
export type Place =
  /** An item: what it shows, or the delete that ended it. */
  | {
      readonly kind: 'item'
      readonly id: ItemId
      readonly chain: Chain
      /** All heads: the parents of the next write. Sorted by version. */
      readonly heads: readonly Node[]
      readonly shown: Node
      readonly deleted: boolean
      /** Length of the longest way down to a first version, which has 1. */
      readonly position: number
    }
  /** A collision: the id is no item; `ids` are those that its branches got. */
  | {
      readonly kind: 'split'
      readonly id: ItemId
      readonly chain: Chain
      readonly heads: readonly Node[]
      readonly ids: readonly ItemId[]
    }
  /** Everything here was taken in by writes under other ids. */
  | { readonly kind: 'moved'; readonly id: ItemId }

export type ItemPlace = Extract<Place, { kind: 'item' }>

/** Everything of a root id and its split ids. */
export interface FamilyView {
  readonly root: ItemId
  readonly family: Family
  readonly policy: Policy
  /** In byte order of ids. */
  readonly places: ReadonlyMap<ItemId, Place>
}

/** What reading an id finds. */
export type Found =
  | { readonly kind: 'item'; readonly item: ItemPlace }
  /**
   * The live items into which the id has split, at whatever depth; none if all of them ended. For a
   * split id that was known formerly and is no item now: the live items of the family.
   */
  | { readonly kind: 'split'; readonly ids: readonly ItemId[] }
  | { readonly kind: 'absent' }

/** The view of all facts held of a root id and its split ids (see `familyRange`). */
export function viewFamily(
  root: ItemId,
  facts: readonly Fact[],
  policy: Policy = splitPolicy,
): FamilyView {
  return viewOf(familyOf(root, facts), policy)
}

/** The view of a family whose facts are sorted out. */
export function viewOf(family: Family, policy: Policy): FamilyView {
  const places = new Map<ItemId, Place>()
  const derived = new Map<ItemId, Map<Hash, Node>>()
  const known = new Set([...family.chains.keys()])
  const levels: ItemId[][] = []
  const reach = (id: ItemId) => {
    const level = stepCount(id)
    while (levels.length <= level) levels.push([])
    levels[level]!.push(id)
  }
  for (const id of known) reach(id)
  for (let level = 0; level < levels.length; level++) {
    for (const id of levels[level]!) {
      const { place, named } = placeOf(id, family, derived.get(id), policy)
      places.set(id, place)
      for (const one of named) {
        addDerived(derived, one)
        if (!known.has(one.id)) reach(one.id)
        known.add(one.id)
      }
    }
  }
  const sorted = [...places].sort((a, b) => compareText(a[0], b[0]))
  return { root: family.root, family, policy, places: new Map(sorted) }
}

/** One id: the union of what was written on it and what the splits above derive for it. */
function placeOf(
  id: ItemId,
  family: Family,
  derived: ReadonlyMap<Hash, Node> | undefined,
  policy: Policy,
) {
  const chain = united(family.chains.get(id), derived)
  const heads = chain.heads.filter(head => !isTakenElsewhere(family, id, chain, head))
  const branches = branchesOf(heads)
  if (heads.length === 0) return { place: { kind: 'moved', id } as const, named: [] }
  const kept = branches.length < 2 ? undefined : keptHead(policy, chain, branches)
  if (branches.length < 2 || kept !== undefined) {
    const shown = kept ?? branches[0]?.heads[0] ?? heads[0]!
    const position = chain.positions.get(shown.version)!
    const deleted = isDelete(shown.fact)
    const place = { kind: 'item', id, chain, heads, shown, deleted, position } as const
    return { place, named: [] }
  }
  const named = nameBranches(id, chain, branches)
  const ids = named.map(one => one.id)
  return { place: { kind: 'split', id, chain, heads, ids } as const, named }
}

/**
 * Whether all that a derived head stands for was taken in, never through this very node, and
 * nothing written on this id stands behind it (that happens where a user wrote the same bytes onto
 * the same parent as somebody on the id above: one version, and it stays where it was written).
 */
function isTakenElsewhere({ taken }: Family, id: ItemId, chain: Chain, head: Node): boolean {
  if (isReal(head)) return false
  const self = refKey({ id, version: head.version })
  const isTaken = head.origins.every(origin => {
    const takers = taken.get(refKey({ id: origin.id, version: origin.node.version }))
    return takers !== undefined && !takers.has(self)
  })
  if (!isTaken) return false
  const past = withAncestors(chain, [head.version])
  return ![...past].some(version => isReal(chain.nodes.get(version)!))
}

/** What reading `id`, the root id or one of its split ids, finds. */
export function findItem(view: FamilyView, id: ItemId): Found {
  const place = view.places.get(id)
  if (place?.kind === 'item') return { kind: 'item', item: place }
  const ids = liveItemsBelow(view, id).map(item => item.id)
  if (place?.kind === 'split' || ids.length > 0) return { kind: 'split', ids }
  if (place === undefined && !wasKnown(view, id)) return { kind: 'absent' }
  const live = itemsOf(view).filter(item => !item.deleted)
  return { kind: 'split', ids: live.map(item => item.id) }
}

/** All items, ended ones included, in byte order of ids. */
export function itemsOf(view: FamilyView): ItemPlace[] {
  return [...view.places.values()].filter(place => place.kind === 'item')
}

/** The live items below an id, in byte order of ids. */
export function liveItemsBelow(view: FamilyView, above: ItemId): ItemPlace[] {
  return itemsOf(view).filter(item => !item.deleted && isBelow(item.id, above))
}

/** One branch of a collision, under the id that its item has. */
export interface CollisionBranch {
  readonly id: ItemId
  readonly version: Hash
  readonly fact: Fact
}

/** A collision that stands: the id that split, and its live items. */
export interface Collision {
  readonly id: ItemId
  readonly branches: readonly CollisionBranch[]
}

/** The collisions that stand, outermost first: splits with at least two live items. */
export function collisionsOf(view: FamilyView): Collision[] {
  const collisions: Collision[] = []
  for (const place of view.places.values()) {
    if (place.kind !== 'split') continue
    const branches = liveItemsBelow(view, place.id).map(item => ({
      id: item.id,
      version: item.shown.version,
      fact: item.shown.fact,
    }))
    if (branches.length > 1) collisions.push({ id: place.id, branches })
  }
  return collisions
}

/** The versions of an item, youngest first: by position, then stamp, then version. */
export function historyOf(item: ItemPlace): Node[] {
  const { positions, nodes } = item.chain
  return [...nodes.values()].sort(
    (a, b) =>
      positions.get(b.version)! - positions.get(a.version)! ||
      compareText(b.fact.at, a.fact.at) ||
      compareText(b.version, a.version),
  )
}

/** What facts here wait for and is not here. */
export function missingOf(view: FamilyView): readonly FactRef[] {
  return view.family.missing
}

/**
 * What a fact on a split id must carry so that others can recompute its derived parents: for each
 * id on the path that is split here, the live heads that name it.
 */
export function baseFor(view: FamilyView, id: ItemId): BaseHeads[] {
  const base: BaseHeads[] = []
  for (const above of splitIdsOnPath(id)) {
    const place = view.places.get(above)
    if (place?.kind !== 'split') continue
    const heads = place.heads.filter(head => !isDelete(head.fact)).map(head => head.version)
    base.push({ id: above, heads })
  }
  return base
}

/**
 * Whether a split id that is not seen now was named by an earlier state of the family: by the
 * heads that some merge joined, or by the heads of now without the last to come.
 */
function wasKnown(view: FamilyView, id: ItemId): boolean {
  for (const above of splitIdsOnPath(id)) {
    const place = view.places.get(above)
    if (place === undefined || place.kind === 'moved') continue
    for (const versions of earlierHeads(place.chain, place.heads)) {
      const heads = versions.map(version => place.chain.nodes.get(version)!)
      const branches = branchesOf(heads)
      if (branches.length < 2) continue
      const named = nameBranches(above, place.chain, branches)
      if (named.some(one => one.id === id || isBelow(one.id, id))) return true
    }
  }
  return false
}

function* earlierHeads(chain: Chain, heads: readonly Node[]): Generator<readonly Hash[]> {
  for (const node of chain.nodes.values()) if (node.parents.length > 1) yield node.parents
  const versions = heads.map(head => head.version)
  if (versions.length < 3) return
  for (const last of versions) yield versions.filter(version => version !== last)
}

/** What a whole item shows, told from its summary alone. */
export type SummaryView =
  | { readonly kind: 'absent' }
  | { readonly kind: 'item'; readonly shown: HeadSummary; readonly deleted: boolean }

/**
 * The fast path: what a root id shows, from its summary alone (`undefined` stands for no facts
 * held). It answers `undefined` for a split id and for two or more branches: then `viewFamily`
 * decides. Split ids below never change what a whole root id shows.
 */
export function viewSummary(id: ItemId, summary: ItemSummary | undefined): SummaryView | undefined {
  if (stepCount(id) > 0) return undefined
  const heads = summary?.heads ?? []
  const live = heads.filter(head => !head.deleted)
  if (new Set(live.map(head => head.dataHash)).size > 1) return undefined
  const shown = live[0] ?? heads[0]
  return shown === undefined ? { kind: 'absent' } : { kind: 'item', shown, deleted: shown.deleted }
}
