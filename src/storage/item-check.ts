/**
 * What `verify` asks of one item, the same for both engines: the summary and the facts agree in
 * number and digest, the fact is of the item that it lies under, and each payload is here or known
 * to be wanted. What a summary says beyond that (heads, digests) is a matter of the item rules.
 */
import type { HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import { HashXor } from './hash-xor.ts'
import type { Damage, PendingEntry } from './store.ts'

/** An item as it was found. */
export interface FoundItem {
  readonly id: ItemId
  /** Undefined when there is none, or it is damaged. */
  readonly summary: ItemSummary | undefined
  readonly facts: readonly HeldFact[]
  /** Whether a payload is whole here, or on the list of wanted ones. */
  readonly isAccounted: (blob: Hash) => boolean
}

/**
 * What is wrong with a place in the pending queue. `held`: the fact that it names; `damaged` is told
 * elsewhere. A fact that was damaged and came again as agreed leaves its old place, when the process
 * ends before the item is mended.
 */
export function placeDamages(
  { order, ref: { id, version } }: PendingEntry,
  held: HeldFact | 'damaged' | undefined,
): Damage[] {
  if (held === 'damaged') return []
  if (held === undefined) {
    const sentence = 'The pending queue names a fact that is not here.'
    return [{ what: 'fact', id, version, sentence }]
  }
  if (held.state.kind === 'pending' && held.state.order === order) return []
  const sentence = `The pending queue names version ${version} of ${id}, which does not wait there.`
  return [{ what: 'item', id, sentence }]
}

/** What is wrong with an item. */
export function itemDamages(item: FoundItem): Damage[] {
  const { id, summary, facts } = item
  const damages: Damage[] = []
  if (summary === undefined) {
    const sentence = `The item ${id} has ${facts.length} facts and no readable summary.`
    damages.push({ what: 'item', id, sentence })
  } else {
    const xor = new HashXor()
    for (const { fact } of facts) xor.toggle(fact.version)
    if (summary.facts !== facts.length || summary.factsXor !== xor.value()) {
      const sentence =
        `The summary of ${id} speaks of ${summary.facts} facts; ${facts.length} readable ones ` +
        'are here, or others. The missing ones are fetched from other members.'
      damages.push({ what: 'item', id, sentence })
    }
  }
  for (const { fact } of facts) {
    const { version, blob } = fact
    if (blob === null || item.isAccounted(blob)) continue
    const sentence = `The payload ${blob} of ${id} is neither here nor on the list of wanted ones.`
    damages.push({ what: 'payload', id, version, blob, sentence })
  }
  return damages
}
