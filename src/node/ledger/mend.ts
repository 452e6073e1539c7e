/**
 * What is kept of an item beside its facts (summary, places in the pending queue, leaves) is made
 * anew from the facts that can be read, so that nothing claims facts that are gone. Used at the
 * start, where everything is built anyway, and in a batch of its own while the member runs.
 */
import {
  type FactRef,
  type HeldFact,
  type ItemId,
  type ItemSummary,
  isSystemId,
} from '../../base/fact.ts'
import { hashText, ZERO_HASH } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { summarise } from '../../consensus/items/digest.ts'
import { stepCount } from '../../consensus/items/id.ts'
import type { PendingEntry, Store, Write } from '../../storage/store.ts'
import type { Batch } from './batch.ts'
import type { Ledger } from './ledger.ts'
import type { FactFold } from './short.ts'

/** An item as its readable facts make it. */
export interface MendedItem {
  readonly id: ItemId
  /** What was said of it, where that could be read. */
  readonly before: ItemSummary | undefined
  /** What there was of it, where a change has left out some since (`Ledger.whole`). */
  readonly whole?: FactFold | null | undefined
  /** There was such an item: a damaged record alone may lie under a key that nobody wrote. */
  readonly isKnown: boolean
  readonly summary: ItemSummary
  readonly facts: readonly HeldFact[]
}

/** Items made anew, and what is known to be missing of them. */
export interface Mended {
  readonly items: readonly MendedItem[]
  /** Facts that the pending queue or a child names and that cannot be read. */
  readonly lost: readonly FactRef[]
}

/** Works out items anew; the writes are to be committed before anything is built on them. */
export async function mendItems(
  store: Store,
  ids: ReadonlySet<ItemId>,
  options: { readonly requeues: boolean },
): Promise<Mended & { readonly writes: readonly Write[] }> {
  const queued = await queueOf(store, ids)
  const items: MendedItem[] = []
  const lost: FactRef[] = []
  const writes: Write[] = []
  for (const id of ids) {
    const [before] = await store.items([id])
    const facts = await store.factsOf(id)
    const summary = facts.length === 0 ? emptySummary(id) : summarise(id, facts)
    const isKnown = facts.length > 0 || (await store.idsOf([hashText(id)]))[0] !== undefined
    items.push({ id, before, isKnown, summary, facts })
    if (isKnown) writes.push({ kind: 'item', summary })
    const places = mendPlaces(facts, queued.get(id) ?? [], options)
    writes.push(...places.writes)
    lost.push(...places.lost)
    if (stepCount(id) === 0) lost.push(...missingParents(facts))
  }
  return { items, lost, writes }
}

/** Mends items in a batch of the ledger, which must hold nothing else: only the store is read. */
export async function mendAll(
  ledger: Ledger,
  batch: Batch,
  ids: ReadonlySet<ItemId>,
): Promise<Mended> {
  // A damaged place in the queue is still counted, so only the scrub can write it anew.
  const mended = withWhole(ledger, await mendItems(ledger.store, ids, { requeues: false }))
  batch.writes.push(...mended.writes)
  await ledger.live.mend(ledger.store, mended.items, (root, facts) => ledger.viewOf(root, facts))
  ledger.setAsideFacts = await countSetAside(ledger.store)
  const heldBefore = ledger.sets.held?.root()
  for (const item of mended.items) {
    const { id, before, summary, facts } = item
    ledger.cache.delete(id)
    ledger.damaged.delete(id)
    ledger.whole.delete(id)
    ledger.sets.mend(item)
    // A summary that cannot be read lost no fact by that; those that are lost are named elsewhere.
    if (isSystemId(id)) ledger.systemFacts += facts.length - (before?.facts ?? facts.length)
    else if (before !== undefined) {
      ledger.agreedFacts += (summary.agreed?.count ?? 0) - (before.agreed?.count ?? 0)
    }
  }
  const held = ledger.sets.held?.root()
  if (held !== undefined && held !== heldBefore) ledger.host.onLost(held)
  return mended
}

function withWhole<M extends Mended>({ whole }: Ledger, mended: M): M {
  const items = mended.items.map(item =>
    whole.has(item.id) ? { ...item, whole: whole.get(item.id) } : item,
  )
  return { ...mended, items }
}

/** Facts in the pending queue that are no own fresh writes. */
export async function countSetAside(store: Store): Promise<number> {
  let count = 0
  for await (const page of queuePages(store)) {
    const facts = await store.facts(page.map(entry => entry.ref))
    for (const held of facts) if (held?.state.kind === 'pending' && !held.state.fresh) count += 1
  }
  return count
}

/** Parents that facts of one whole item name and that are not among them. */
export function missingParents(facts: readonly HeldFact[]): FactRef[] {
  const held = new Set(facts.map(({ fact }) => fact.version))
  const missing: FactRef[] = []
  for (const { fact } of facts) {
    for (const version of fact.parents) {
      if (!held.has(version)) missing.push({ id: fact.id, version })
    }
  }
  return missing
}

/** The queue names exactly the pending facts of an item. */
function mendPlaces(
  facts: readonly HeldFact[],
  queued: readonly PendingEntry[],
  { requeues }: { readonly requeues: boolean },
): { readonly writes: readonly Write[]; readonly lost: readonly FactRef[] } {
  const writes: Write[] = []
  const lost: FactRef[] = []
  const held = new Map(facts.map(entry => [entry.fact.version, entry]))
  const placed = new Set<number>()
  for (const { order, ref } of queued) {
    const state = held.get(ref.version)?.state
    if (state?.kind === 'pending' && state.order === order) {
      placed.add(order)
      continue
    }
    writes.push({ kind: 'unpending', order, ref })
    if (state === undefined) lost.push(ref)
  }
  for (const { fact, state } of requeues ? facts : []) {
    if (state.kind !== 'pending' || placed.has(state.order)) continue
    const ref = { id: fact.id, version: fact.version }
    writes.push({ kind: 'pending', order: state.order, ref })
  }
  return { writes, lost }
}

async function queueOf(
  store: Store,
  ids: ReadonlySet<ItemId>,
): Promise<Map<ItemId, PendingEntry[]>> {
  const queued = new Map<ItemId, PendingEntry[]>()
  for await (const page of queuePages(store)) {
    for (const entry of page) {
      if (!ids.has(entry.ref.id)) continue
      const entries = queued.get(entry.ref.id)
      if (entries === undefined) queued.set(entry.ref.id, [entry])
      else entries.push(entry)
    }
  }
  return queued
}

async function* queuePages(store: Store): AsyncGenerator<readonly PendingEntry[]> {
  for (let after = -1; ; ) {
    const page = await store.pending(after, limits.pageMax)
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    after = last.order
  }
}

/** What is said of an item of which no fact can be read: the store takes its record away. */
function emptySummary(id: ItemId): ItemSummary {
  const nothing = { agreed: null, pending: null, heads: [], unrooted: 0 }
  return { id, facts: 0, factsXor: ZERO_HASH, ...nothing }
}
