/**
 * Digests, leaves and summaries: what the trees hold of an item (PROTOCOL 1). They are taken over
 * one set of facts at a time (agreed, pending, agreed up to a cut); *newest* and *held* mean in
 * that set. Preimages:
 *
 *   digest(fact) = SHA-256( version, 32 bytes | at, 8 bytes | length of `by`, 2 bytes big-endian
 *                         | `by`, UTF-8 | for each parent in order: its digest, 32 bytes )
 *   leaf(item)   = SHA-256( for each newest fact by version: version, 32 bytes | digest, 32 bytes )
 *
 * with 32 zero bytes for a parent not in the set (a derived parent never is). A version commits to
 * the number of its parents, so the joint is unambiguous. Equal leaves mean equal facts of the item
 * in that set, stamps included.
 */
import { type Bytes, compareAscii, newBytes, toHex, utf8 } from '../../base/bytes.ts'
import { putRaw, rawOf } from '../../base/cbor-read.ts'
import {
  type Fact,
  type HeadSummary,
  type HeldFact,
  type ItemId,
  type ItemSummary,
  isDelete,
  type SetSummary,
} from '../../base/fact.ts'
import { type Hash, hashBytes, ZERO_HASH } from '../../base/hash.ts'
import { STAMP_ZERO, type Stamp, stampMax } from '../../base/stamp.ts'
import { chainOf, realNode } from './chain.ts'
import { stepCount } from './id.ts'

/** The newest facts of a set with their digests, as in a `SetSummary`. */
export type Newest = SetSummary['newest']

/** The chain digest of a fact, given those of its parents (`ZERO_HASH` for one not in the set). */
export function digestOf(fact: Fact, parentDigests: readonly Hash[]): Hash {
  const by = utf8(fact.by)
  const preimage = newBytes(42 + by.length + 32 * parentDigests.length)
  putRaw(fact.version, preimage, 0)
  putRaw(fact.at, preimage, 32)
  preimage[40] = by.length >> 8
  preimage[41] = by.length & 255
  preimage.set(by, 42)
  parentDigests.forEach((digest, i) => {
    putRaw(digest, preimage, 42 + by.length + 32 * i)
  })
  return hashBytes(preimage)
}

/** Tells the digest of a fact: `digestOf`, or what knows many already (digests.ts). */
export type DigestOf = (fact: Fact, parentDigests: readonly Hash[]) => Hash

/** The leaf of an item whose set has these newest facts, sorted by version; at least one. */
export function leafOf(newest: Newest): Hash {
  const preimage = newBytes(64 * newest.length)
  newest.forEach((entry, i) => {
    putRaw(entry.version, preimage, 64 * i)
    putRaw(entry.digest, preimage, 64 * i + 32)
  })
  return hashBytes(preimage)
}

/** The leaf over those facts of an item that `isIn` lets in; `null` if there are none. */
export function leafWhere(
  facts: readonly HeldFact[],
  isIn: (held: HeldFact) => boolean,
  digest: DigestOf = digestOf,
): Hash | null {
  const newest = newestOf(facts.filter(isIn), digest)
  return newest.length === 0 ? null : leafOf(newest)
}

/** The facts of a set that are no parent of another one, each with its digest. */
export function newestOf(set: readonly HeldFact[], digest: DigestOf = digestOf): Newest {
  const inSet = new Set(set.map(held => held.fact.version))
  // parents outside the set count as zeros: without them every fact of the set is rooted in it
  const chain = chainOf(
    set.map(({ fact }) => ({
      ...realNode(fact),
      parents: fact.parents.filter(parent => inSet.has(parent)),
    })),
  )
  const digests = new Map<Hash, Hash>()
  for (const version of chain.positions.keys()) {
    const { fact } = chain.nodes.get(version)!
    const parents = fact.parents.map(parent => digests.get(parent) ?? ZERO_HASH)
    digests.set(version, digest(fact, parents))
  }
  return chain.heads.map(head => ({ version: head.version, digest: digests.get(head.version)! }))
}

/**
 * The summary of an item from all facts held of it; at least one, versions distinct. On a split id
 * the parents of a fact with a `base` that are not held count as derived and so as here: what the
 * summary calls heads and unrooted there is told from the id's own facts, and the view of the
 * family (view.ts) decides.
 */
export function summarise(
  id: ItemId,
  held: readonly HeldFact[],
  digest: DigestOf = digestOf,
): ItemSummary {
  const [only] = held
  if (held.length === 1 && only?.fact.parents.length === 0) return summariseFirst(id, only, digest)
  const versions = new Set(held.map(({ fact }) => fact.version))
  const chain = chainOf(
    held.map(({ fact }) => ({
      ...realNode(fact),
      parents:
        fact.base === null ? fact.parents : fact.parents.filter(parent => versions.has(parent)),
    })),
  )
  const xor = new Uint8Array(32)
  for (const version of versions) xorInto(xor, rawOf(version))
  return {
    id,
    facts: held.length,
    factsXor: toHex(xor),
    agreed: summariseSet(
      held.filter(({ state }) => state.kind === 'agreed'),
      digest,
    ),
    pending: summariseSet(
      held.filter(({ state }) => state.kind === 'pending'),
      digest,
    ),
    heads: chain.heads.map(head => headOf(head.fact, chain.positions.get(head.version)!)),
    unrooted: chain.unrooted.length,
  }
}

/** Most items have one version: the same, without a chain. */
function summariseFirst(id: ItemId, held: HeldFact, digest: DigestOf): ItemSummary {
  const { fact, state } = held
  const newest = [{ version: fact.version, digest: digest(fact, []) }]
  const set = { count: 1, newest, addedMax: addedOf(held) }
  return {
    id,
    facts: 1,
    factsXor: fact.version,
    agreed: state.kind === 'agreed' ? set : null,
    pending: state.kind === 'pending' ? set : null,
    heads: [headOf(fact, 1)],
    unrooted: 0,
  }
}

/**
 * The summary after one more fact that was not held, from the summary alone; `undefined` when it
 * takes all facts to tell (a fork, a fact whose parents are not the newest, anything unrooted, a
 * split id: there a fact may be held whose parent looks derived and is the new fact). Where it
 * answers, it answers what `summarise` would.
 */
export function extend(summary: ItemSummary, held: HeldFact): ItemSummary | undefined {
  const { fact, state } = held
  if (summary.unrooted > 0 || stepCount(fact.id) > 0) return undefined
  const heads = new Map(summary.heads.map(head => [head.version, head]))
  let longest = 0
  for (const parent of fact.parents) {
    const head = heads.get(parent)
    if (head === undefined) return undefined
    longest = Math.max(longest, head.position)
    heads.delete(parent)
  }
  const set = extendSet(summary[state.kind], held)
  if (set === undefined) return undefined
  heads.set(fact.version, headOf(fact, longest + 1))
  const xor = rawOf(summary.factsXor)
  xorInto(xor, rawOf(fact.version))
  return {
    ...summary,
    facts: summary.facts + 1,
    factsXor: toHex(xor),
    [state.kind]: set,
    heads: [...heads.values()].sort(byVersion),
  }
}

function extendSet(set: SetSummary | null, held: HeldFact): SetSummary | undefined {
  const { fact } = held
  const newest = new Map((set?.newest ?? []).map(entry => [entry.version, entry]))
  const parentDigests: Hash[] = []
  for (const parent of fact.parents) {
    const entry = newest.get(parent)
    if (entry === undefined && set !== null) return undefined
    parentDigests.push(entry?.digest ?? ZERO_HASH)
    newest.delete(parent)
  }
  const { version } = fact
  newest.set(version, { version, digest: digestOf(fact, parentDigests) })
  return {
    count: (set?.count ?? 0) + 1,
    newest: [...newest.values()].sort(byVersion),
    addedMax: stampMax(set?.addedMax ?? STAMP_ZERO, addedOf(held)),
  }
}

function summariseSet(set: readonly HeldFact[], digest: DigestOf): SetSummary | null {
  if (set.length === 0) return null
  let addedMax = STAMP_ZERO
  for (const held of set) addedMax = stampMax(addedMax, addedOf(held))
  return { count: set.length, newest: newestOf(set, digest), addedMax }
}

function addedOf({ state }: HeldFact): Stamp {
  return state.kind === 'agreed' ? state.added : STAMP_ZERO
}

function headOf(fact: Fact, position: number): HeadSummary {
  const { version, dataHash, at, by } = fact
  return { version, dataHash, deleted: isDelete(fact), position, at, by }
}

function byVersion(a: { readonly version: Hash }, b: { readonly version: Hash }): number {
  return compareAscii(a.version, b.version)
}

function xorInto(sum: Bytes, bytes: Bytes): void {
  for (let i = 0; i < sum.length; i++) sum[i]! ^= bytes[i]!
}
