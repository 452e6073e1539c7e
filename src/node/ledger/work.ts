/**
 * The working copy of one item within a batch. It starts from the item's summary alone; all facts
 * are loaded only when the common case (the next fact of a whole item) does not apply. A batch is
 * small and its working copies die with it; nothing here is shared.
 */
import type { Fact, FactState, HeldFact, ItemId, ItemSummary } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { idHashOf } from '../../base/id-hash.ts'
import { invariant } from '../../base/invariant.ts'
import { extend, leafOf, summarise } from '../../consensus/items/digest.ts'
import type { Digests } from '../../consensus/items/digests.ts'
import type { LeafState } from '../../merkle/settle.ts'
import type { Store } from '../../storage/store.ts'

/** Facts that an item was said to have, and that cannot be read any more. */
export interface Lost {
  readonly facts: number
  /** Those of them that were agreed. */
  readonly agreed: number
}

/** A fact that a batch changes; what it was before the batch survives a second change. */
export interface ChangedFact {
  readonly held: HeldFact
  readonly isNew: boolean
  /** Its state before the batch; null for a new fact. */
  readonly was: FactState | null
}

export class ItemWork {
  readonly id: ItemId
  readonly before: ItemSummary | undefined
  /** Facts to write, by version. */
  readonly changed = new Map<Hash, ChangedFact>()
  /** States that the item passed through in order, as long as it was only extended. */
  readonly extended: LeafState[] = []
  #summary: ItemSummary | undefined
  #facts: Map<Hash, HeldFact> | null = null
  #rebuilt = false
  #idHash: Hash | null = null
  /** What was said of the item; `null`: it could not be read. */
  readonly #said: ItemSummary | null | undefined
  readonly #store: Store
  readonly #digests: Digests

  constructor(options: {
    readonly store: Store
    readonly digests: Digests
    readonly id: ItemId
    readonly summary: ItemSummary | undefined
    /** What was said of it, where `summary` is what its readable facts make; `null`: nothing could be read. */
    readonly said?: ItemSummary | null | undefined
  }) {
    const { store, digests, id, summary } = options
    this.#said = 'said' in options ? options.said : summary
    this.#store = store
    this.#digests = digests
    this.id = id
    this.before = summary
    this.#summary = summary
    if (summary === undefined) this.#facts = new Map()
  }

  get idHash(): Hash {
    this.#idHash ??= idHashOf(this.id)
    return this.#idHash
  }

  /** True when the item was changed in a way that needs its leaf states anew. */
  get rebuilt(): boolean {
    return this.#rebuilt
  }

  /** The summary as of now; undefined while the item has no fact. */
  get summary(): ItemSummary | undefined {
    return this.#summary
  }

  /** What was said of the item before; `null`: that could not be read. */
  get said(): ItemSummary | null | undefined {
    return this.#said
  }

  /** What the member counts it as until this change is taken over. */
  get counted(): ItemSummary | undefined {
    return this.#said ?? this.before
  }

  /**
   * What this change leaves out, because it could not be read when all facts were loaded; `null`:
   * nothing that is known of.
   */
  lost(): Lost | null {
    const said = this.#said
    if (said === null) return { facts: 0, agreed: 0 }
    let facts = (said?.facts ?? 0) - (this.#summary?.facts ?? 0)
    let agreed = (said?.agreed?.count ?? 0) - (this.#summary?.agreed?.count ?? 0)
    for (const { held, isNew, was } of this.changed.values()) {
      if (isNew) facts += 1
      if (held.state.kind === 'agreed') agreed += 1
      if (was?.kind === 'agreed') agreed -= 1
    }
    return facts === 0 ? null : { facts, agreed }
  }

  /** Whether its summary forgets something that there was; of an item that never was there is nothing. */
  hasForgotten({ facts }: Lost): boolean {
    return this.#said === null ? this.before !== undefined : facts > 0
  }

  /** All facts as of now; loaded once. */
  async facts(): Promise<ReadonlyMap<Hash, HeldFact>> {
    return await this.#load()
  }

  /** A fact of the item, if held. */
  async fact(version: Hash): Promise<HeldFact | undefined> {
    const changed = this.changed.get(version)
    if (changed !== undefined) return changed.held
    if (this.#facts !== null) return this.#facts.get(version)
    return (await this.#store.facts([{ id: this.id, version }]))[0]
  }

  /** The same fact, if it is held; without a look at the store where its parents tell enough. */
  async same(fact: Fact): Promise<HeldFact | undefined> {
    return this.#isSurelyNew(fact) ? undefined : await this.fact(fact.version)
  }

  /** Takes a fact in that is not held yet. */
  async insert(held: HeldFact): Promise<void> {
    this.changed.set(held.fact.version, { held, isNew: true, was: null })
    if (this.#tryExtend(held)) return
    const facts = await this.#load()
    facts.set(held.fact.version, held)
    this.#rebuild(facts)
  }

  /** Changes state or stamp of facts that are held. */
  async restate(helds: readonly HeldFact[]): Promise<void> {
    const facts = await this.#load()
    for (const held of helds) {
      const version = held.fact.version
      const known = facts.get(version)
      invariant(known !== undefined, `a fact that is not held cannot change its state: ${version}`)
      const before = this.changed.get(version) ?? { isNew: false, was: known.state }
      this.changed.set(version, { held, isNew: before.isNew, was: before.was })
      facts.set(version, held)
    }
    this.#rebuild(facts)
  }

  /** A child of facts that have no child yet cannot be held. */
  #isSurelyNew(fact: Fact): boolean {
    const summary = this.#summary
    if (summary === undefined) return true
    if (summary.pending !== null || fact.parents.length === 0) return false
    const newest = summary.agreed?.newest ?? []
    return fact.parents.every(parent => newest.some(entry => entry.version === parent))
  }

  #tryExtend(held: HeldFact): boolean {
    if (this.#rebuilt) return false
    const before = this.#summary
    const lastAdded = before?.agreed?.addedMax
    if (held.state.kind === 'agreed' && lastAdded !== undefined && held.state.added <= lastAdded) {
      return false
    }
    const next = before === undefined ? summarise(this.id, [held]) : extend(before, held)
    if (next === undefined) return false
    this.#summary = next
    this.#facts?.set(held.fact.version, held)
    if (held.state.kind === 'agreed' && next.agreed !== null) {
      this.extended.push({ added: held.state.added, leaf: leafOf(next.agreed.newest) })
    }
    return true
  }

  #rebuild(facts: ReadonlyMap<Hash, HeldFact>): void {
    this.#rebuilt = true
    this.#summary = summarise(this.id, [...facts.values()], this.#digests.of)
  }

  async #load(): Promise<Map<Hash, HeldFact>> {
    if (this.#facts === null) {
      const stored = await this.#store.factsOf(this.id)
      const facts = new Map(stored.map(held => [held.fact.version, held]))
      for (const [version, { held }] of this.changed) facts.set(version, held)
      this.#facts = facts
    }
    return this.#facts
  }
}
