/**
 * All facts of many items, in few rounds of reading. Most items have one fact, and their summary
 * names it: such items are read together, while an item with a history is a range of its own. One
 * round costs a trip to another thread, hardly more for a hundred records than for one.
 */
import type { HeldFact, ItemId, ItemSummary } from '../../base/fact.ts'
import type { Store } from '../../storage/store.ts'

/** Facts read at once, but for one item that has more: some MiB. */
const FACTS_MAX = 4096

/**
 * The facts of the first of some items, as many as are read at once, at least one; an item that is
 * not known has none.
 */
export async function heldFacts(
  store: Store,
  ids: readonly (ItemId | undefined)[],
): Promise<HeldFact[][]> {
  const known = ids.filter(id => id !== undefined)
  const summaries = new Map<ItemId, ItemSummary>()
  for (const summary of known.length === 0 ? [] : await store.items(known)) {
    if (summary !== undefined) summaries.set(summary.id, summary)
  }
  const first = firstOf(ids, summaries)
  const plain = first.flatMap(id => {
    const summary = id === undefined ? undefined : summaries.get(id)
    return summary !== undefined && isPlain(summary) ? [summary] : []
  })
  const refs = plain.flatMap(({ id, heads }) => heads.map(({ version }) => ({ id, version })))
  const byItem = new Map<ItemId, HeldFact[]>(plain.map(({ id }) => [id, []]))
  for (const held of refs.length === 0 ? [] : await store.facts(refs)) {
    if (held !== undefined) byItem.get(held.fact.id)?.push(held)
  }
  return await Promise.all(
    first.map(id => (id === undefined ? [] : (byItem.get(id) ?? store.factsOf(id)))),
  )
}

/** Every fact is a head, so the summary names all. */
function isPlain({ facts, heads }: ItemSummary): boolean {
  return facts === heads.length
}

function firstOf(
  ids: readonly (ItemId | undefined)[],
  summaries: ReadonlyMap<ItemId, ItemSummary>,
): readonly (ItemId | undefined)[] {
  let facts = 0
  const end = ids.findIndex((id, at) => {
    facts += id === undefined ? 0 : (summaries.get(id)?.facts ?? 1)
    return at > 0 && facts > FACTS_MAX
  })
  return end === -1 ? ids : ids.slice(0, end)
}
