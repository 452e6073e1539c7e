/**
 * The leaves that an item passes through as its facts are added one moment after the other: what
 * the settled tree waits for above its cut (PROTOCOL 5). Equal to taking `leafWhere` of every
 * moment anew, but each fact is digested once, and again only when a late ancestor changes it: the
 * digests of what lies at or below the cut are made once, and each later fact touches only itself
 * and those of its descendants whose digest it changes.
 */
import { compareAscii } from '../../base/bytes.ts'
import type { Fact, HeldFact } from '../../base/fact.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import type { Stamp } from '../../base/stamp.ts'
import { chainOf, realNode } from './chain.ts'
import { type DigestOf, digestOf, leafOf } from './digest.ts'

/** An item at a cut, and the states above it, ascending. */
export interface Growth {
  /** The leaf over what was added up to the cut; null if nothing was. */
  readonly settled: Hash | null
  readonly states: readonly { readonly added: Stamp; readonly leaf: Hash }[]
}

interface Added {
  readonly fact: Fact
  readonly added: Stamp
}

/** What the agreed ones among an item's facts make of it at a cut and after it. */
export function growthOf(
  facts: readonly HeldFact[],
  cut: Stamp,
  digest: DigestOf = digestOf,
): Growth {
  const agreed: Added[] = []
  for (const { fact, state } of facts) {
    if (state.kind === 'agreed') agreed.push({ fact, added: state.added })
  }
  const set = new GrowingSet(
    agreed.map(({ fact }) => fact),
    digest,
  )
  set.add(agreed.filter(({ added }) => added <= cut).map(({ fact }) => fact))
  const settled = set.leaf()
  const later = new Map<Stamp, Fact[]>()
  for (const { fact, added } of agreed) {
    if (added <= cut) continue
    const together = later.get(added)
    if (together === undefined) later.set(added, [fact])
    else together.push(fact)
  }
  const states: { added: Stamp; leaf: Hash }[] = []
  for (const added of [...later.keys()].sort(compareAscii)) {
    set.add(later.get(added)!)
    states.push({ added, leaf: set.leaf()! })
  }
  return { settled, states }
}

/** A set of an item's facts that grows, with its digests and its newest facts. */
class GrowingSet {
  /** Parents before children, among all facts that will be in it. */
  readonly #ranks = new Map<Hash, number>()
  readonly #children = new Map<Hash, Fact[]>()
  readonly #digests = new Map<Hash, Hash>()
  readonly #newest = new Set<Hash>()
  readonly #digest: DigestOf

  constructor(all: readonly Fact[], digest: DigestOf) {
    this.#digest = digest
    const present = new Set(all.map(fact => fact.version))
    const nodes = all.map(fact => ({
      ...realNode(fact),
      parents: fact.parents.filter(parent => present.has(parent)),
    }))
    for (const version of chainOf(nodes).positions.keys()) {
      this.#ranks.set(version, this.#ranks.size)
    }
    for (const fact of all) {
      for (const parent of fact.parents) {
        const siblings = this.#children.get(parent)
        if (siblings === undefined) this.#children.set(parent, [fact])
        else siblings.push(fact)
      }
    }
  }

  /** Takes facts in, and digests anew what descends from them and is in already. */
  add(facts: readonly Fact[]): void {
    for (const fact of this.#withDescendants(facts)) {
      const parents = fact.parents.map(parent => this.#digests.get(parent) ?? ZERO_HASH)
      this.#digests.set(fact.version, this.#digest(fact, parents))
      for (const parent of fact.parents) this.#newest.delete(parent)
    }
    for (const { version } of facts) {
      const children = this.#children.get(version) ?? []
      if (!children.some(child => this.#digests.has(child.version))) this.#newest.add(version)
    }
  }

  /** The leaf over what is in; null while nothing is. */
  leaf(): Hash | null {
    if (this.#newest.size === 0) return null
    const versions = [...this.#newest].sort(compareAscii)
    return leafOf(versions.map(version => ({ version, digest: this.#digests.get(version)! })))
  }

  /** The facts and those in the set that descend from them, parents before children. */
  #withDescendants(facts: readonly Fact[]): Fact[] {
    const found = new Map(facts.map(fact => [fact.version, fact]))
    const next = [...facts]
    for (let fact = next.pop(); fact !== undefined; fact = next.pop()) {
      for (const child of this.#children.get(fact.version) ?? []) {
        if (!this.#digests.has(child.version) || found.has(child.version)) continue
        found.set(child.version, child)
        next.push(child)
      }
    }
    return [...found.values()].sort((a, b) => this.#rank(a) - this.#rank(b))
  }

  #rank(fact: Fact): number {
    return this.#ranks.get(fact.version)!
  }
}
