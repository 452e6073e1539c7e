/**
 * One batch of the ledger: the working copies that its changes share, and the record of what must
 * be written, told and sent when it is done.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Fact, FactRef, HeldFact, ItemId, ItemSummary } from '../../base/fact.ts'
import { isDelete } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { EMPTY_BLOB } from '../../consensus/items/check.ts'
import { summarise } from '../../consensus/items/digest.ts'
import type { Digests } from '../../consensus/items/digests.ts'
import { familyRange, rootOf } from '../../consensus/items/id.ts'
import type { Store, Write } from '../../storage/store.ts'
import type { AddedFact } from './changes.ts'
import type { Recent } from './recent.ts'
import { ItemWork } from './work.ts'

/** What a batch is worked out on; a ledger is one. */
export interface BatchOptions {
  readonly store: Store
  readonly cache: Recent<ItemId, ItemSummary>
  readonly damaged: ReadonlySet<ItemId>
  readonly sets: { readonly digests: Digests }
  /** Whether nothing is held of an item for sure, so that the store need not be asked. */
  readonly isNew: (id: ItemId) => boolean
}

export class Batch {
  readonly writes: Write[] = []
  readonly added: AddedFact[] = []
  /** Facts that became held by this batch (not only changed their state). */
  readonly gained: FactRef[] = []
  /** Parents that new facts name and that are not held. */
  readonly missing: FactRef[] = []
  readonly wanted = new Map<Hash, number>()
  /** Payloads that this batch stores: the store does not have them yet. */
  readonly #stored = new Set<Hash>()
  readonly #works = new Map<ItemId, ItemWork>()
  readonly #store: Store
  readonly #cache: Recent<ItemId, ItemSummary>
  readonly #damaged: ReadonlySet<ItemId>
  readonly #digests: Digests
  readonly #isNew: (id: ItemId) => boolean

  constructor({ store, cache, damaged, sets, isNew }: BatchOptions) {
    this.#digests = sets.digests
    this.#store = store
    this.#cache = cache
    this.#damaged = damaged
    this.#isNew = isNew
  }

  /** Loads the summaries of items that will be touched, in one round of reading. */
  async prepare(ids: Iterable<ItemId>): Promise<void> {
    const unknown: ItemId[] = []
    for (const id of new Set(ids)) {
      if (this.#works.has(id) || this.#cache.has(id)) continue
      if (this.#damaged.has(id) || !this.#isNew(id)) unknown.push(id)
      else this.#works.set(id, this.#workOf(id, undefined))
    }
    if (unknown.length === 0) return
    const summaries = await this.#store.items(unknown)
    for (const [at, id] of unknown.entries()) {
      this.#works.set(id, await this.#begin(id, summaries[at]))
    }
  }

  /** The working copy of an item. */
  async work(id: ItemId): Promise<ItemWork> {
    const known = this.#works.get(id)
    if (known !== undefined) return known
    const cached = this.#cache.get(id)
    const summary = cached ?? (await this.#store.items([id]))[0]
    const work = await this.#begin(id, summary)
    this.#works.set(id, work)
    return work
  }

  /** A damaged summary reads as absent: taken so, the next write would begin the item anew. */
  async #begin(id: ItemId, stored: ItemSummary | undefined): Promise<ItemWork> {
    if (!this.#damaged.has(id)) return this.#workOf(id, stored)
    const facts = await this.#store.factsOf(id)
    const summary = facts.length === 0 ? undefined : summarise(id, facts)
    const [store, digests] = [this.#store, this.#digests]
    return new ItemWork({ store, digests, id, summary, said: stored ?? null })
  }

  #workOf(id: ItemId, summary: ItemSummary | undefined): ItemWork {
    return new ItemWork({ store: this.#store, digests: this.#digests, id, summary })
  }

  /** All facts of the root id and of all its split ids, as of now. */
  async family(id: ItemId): Promise<HeldFact[]> {
    const root = rootOf(id)
    const ids = new Set<ItemId>([root])
    for (const stored of await familyIds(this.#store, root)) ids.add(stored)
    for (const work of this.#works.values()) if (rootOf(work.id) === root) ids.add(work.id)
    const facts: HeldFact[] = []
    for (const member of ids) facts.push(...(await (await this.work(member)).facts()).values())
    return facts
  }

  /** A payload that came along is stored; one that did not, and is not here, is wanted. */
  async takePayload(fact: Fact, payload: Bytes | null): Promise<void> {
    if (isDelete(fact) || fact.blob === null) return
    const bytes = payload ?? (fact.blob === EMPTY_BLOB ? new Uint8Array(0) : null)
    if (bytes !== null) {
      this.writes.push({ kind: 'payload', blob: fact.blob, bytes })
      this.#stored.add(fact.blob)
      this.wanted.delete(fact.blob)
      return
    }
    if (this.wanted.has(fact.blob) || this.#stored.has(fact.blob)) return
    const [here] = await this.#store.hasPayloads([fact.blob])
    if (here !== true) this.wanted.set(fact.blob, fact.size)
  }

  /** Works that were changed. */
  changedWorks(): ItemWork[] {
    return [...this.#works.values()].filter(work => work.changed.size > 0)
  }

  /** Completes the list of writes from the working copies. */
  finish(): void {
    for (const work of this.changedWorks()) {
      for (const change of work.changed.values()) {
        this.writes.push({ kind: 'fact', held: change.held, isNew: change.isNew })
        if (change.isNew) this.#link(change.held.fact)
      }
      if (work.summary === undefined) continue
      this.writes.push({ kind: 'item', summary: work.summary })
      this.#cache.set(work.id, work.summary)
    }
    for (const [blob, size] of this.wanted) this.writes.push({ kind: 'wanted', blob, size })
  }

  #link(fact: Fact): void {
    for (const to of fact.dependsOn) this.writes.push({ kind: 'link', from: fact.id, to })
  }
}

/** The split ids of a root id that hold facts. */
export async function familyIds(store: Store, root: ItemId): Promise<ItemId[]> {
  const ids: ItemId[] = []
  for (let range = familyRange(root); ; ) {
    const page = await store.scanItems(range, limits.pageMax)
    ids.push(...page.map(summary => summary.id))
    const last = page.at(-1)
    if (last === undefined || page.length < limits.pageMax) return ids
    range = { ...range, from: `${last.id}\u0000` }
  }
}
