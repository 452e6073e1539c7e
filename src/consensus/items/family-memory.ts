/**
 * What is kept of a family from one look at it to the next, so that a fact that comes costs the ids
 * that it touches and not the whole family. A family with hundreds of versions is looked at for
 * every write and read of it; without this each look took all chains and all bases anew.
 *
 * Why nothing can be told wrong by it: an id's line follows from its facts and from the chains that
 * their bases name. Where both are the same, it is. What a base with one id yields follows from the
 * ancestors of its heads alone; a chain that only grew has the same ones. What waited for something
 * is always worked out anew. `families.test.ts` holds each look against one without a memory.
 */
import type { BaseHeads, Fact, FactRef, ItemId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import type { Chain } from './chain.ts'
import type { Derived, Yields } from './yields.ts'

/** The facts of one id, sorted out. */
export interface Line {
  readonly held: ReadonlyMap<Hash, Fact>
  readonly chain: Chain
  readonly unrooted: readonly Fact[]
  readonly missing: readonly FactRef[]
  readonly refused: readonly { readonly fact: Fact; readonly sentence: string }[]
}

/** How an id's chain stands to what it was at the last look. */
type Standing = 'same' | 'grown' | 'other'

/** One family, between two looks. */
export class FamilyMemory {
  #lines = new Map<ItemId, Line>()
  #yields: Yields = new Map()
  readonly #keys = new WeakMap<readonly BaseHeads[], string>()
  /** Of the look under way, for ids whose turn has come. */
  readonly #standing = new Map<ItemId, Standing>()

  /** A base as a key, made once for each fact. */
  keyOf(base: readonly BaseHeads[]): string {
    const known = this.#keys.get(base)
    if (known !== undefined) return known
    const key = JSON.stringify(base)
    this.#keys.set(base, key)
    return key
  }

  /** The fact as it was at the last look, if it is the same: then what was made of it is, too. */
  known(fact: Fact): Fact {
    const known = this.#lines.get(fact.id)?.held.get(fact.version)
    return known !== undefined && isSameFact(known, fact) ? known : fact
  }

  lineOf(id: ItemId): Line | undefined {
    return this.#lines.get(id)
  }

  /** The line of an id whose turn has come, if nothing about it is different. */
  sameLine(id: ItemId, held: ReadonlyMap<Hash, Fact>): Line | undefined {
    const line = this.#lines.get(id)
    if (line === undefined || !areSame(line.held, held)) return undefined
    for (const { base } of held.values()) {
      if (base === null) continue
      if (!base.every(above => this.#standingOf(above.id) === 'same')) return undefined
    }
    return line
  }

  /** Notes how the chain of an id has come out. */
  settled(id: ItemId, line: Line): void {
    this.#standing.set(id, standing(this.#lines.get(id), line))
  }

  /** What a base yielded at the last look, if it must yield the same now. */
  kept(base: readonly BaseHeads[]): Derived | undefined {
    const derived = this.#yields.get(this.keyOf(base))
    if (derived === undefined || derived.kind === 'missing') return undefined
    // On an id that a base itself derives for, a new fact may be one of the derived versions.
    const stands = base.every(({ id }, at) => {
      const how = this.#standingOf(id)
      return how === 'same' || (how === 'grown' && at === 0)
    })
    return stands ? derived : undefined
  }

  /** The look is over. */
  keep(lines: Map<ItemId, Line>, yields: Yields): void {
    // What is reused of a line was not asked for at this look, and is needed when it changes.
    for (const { held } of lines.values()) {
      for (const { base } of held.values()) {
        if (base === null || yields.has(this.keyOf(base))) continue
        const derived = this.kept(base)
        if (derived !== undefined) yields.set(this.keyOf(base), derived)
      }
    }
    this.#lines = lines
    this.#yields = yields
    this.#standing.clear()
  }

  /** An id whose turn has not come has no facts, or its chain is not known yet. */
  #standingOf(id: ItemId): Standing {
    return this.#standing.get(id) ?? (this.#lines.has(id) ? 'other' : 'same')
  }
}

function standing(before: Line | undefined, now: Line): Standing {
  if (before === now) return 'same'
  if (before === undefined) return now.chain.nodes.size === 0 ? 'same' : 'grown'
  for (const [version, node] of before.chain.nodes) {
    if (now.chain.nodes.get(version) !== node) return 'other'
  }
  return now.chain.nodes.size === before.chain.nodes.size ? 'same' : 'grown'
}

function areSame(a: ReadonlyMap<Hash, Fact>, b: ReadonlyMap<Hash, Fact>): boolean {
  if (a.size !== b.size) return false
  const others = b.values()
  for (const fact of a.values()) if (fact !== others.next().value) return false
  return true
}

/** Whether two facts say the same: what is not compared is under the version. */
export function isSameFact(a: Fact, b: Fact): boolean {
  if (a === b) return true
  if (a.version !== b.version || a.id !== b.id || a.at !== b.at || a.by !== b.by) return false
  return a.base === b.base || JSON.stringify(a.base) === JSON.stringify(b.base)
}
