/**
 * The scrub of a store in memory: the same questions that the store on disk asks, of tables.
 */
import { compareText } from '../base/bytes.ts'
import { type FactRef, type ItemId, refKey } from '../base/fact.ts'
import { type Hash, hashBytes } from '../base/hash.ts'
import { itemDamages, placeDamages } from './item-check.ts'
import type { MemoryTables, Rot } from './memory-tables.ts'
import type { Damage } from './store.ts'

/** Checks every item and every payload of tables that nobody changes meanwhile. */
export function* verifyTables(
  tables: MemoryTables,
): Generator<{ readonly checked: number; readonly damages: Damage[] }> {
  const ids = new Set([...tables.items.keys(), ...tables.facts.keys()])
  for (const id of [...ids].sort(compareText)) {
    const facts = [...(tables.facts.get(id)?.values() ?? [])]
    const rotten = facts.filter(({ fact }) => tables.rotten.has(refKey(fact)))
    const damages = itemDamages({
      id,
      summary: tables.rottenItems.has(id) ? undefined : tables.items.get(id),
      facts: facts.filter(held => !rotten.includes(held)),
      isAccounted: blob => tables.payloads.has(blob) || tables.wanted.has(blob),
    })
    const item = tables.rottenItems.has(id) ? [rottenItem(id)] : []
    yield { checked: facts.length + 1, damages: [...rotten.map(rottenFact), ...item, ...damages] }
  }
  for (const [order, ref] of tables.pending.range()) {
    const key = refKey(ref)
    const held = tables.rotten.has(key) ? 'damaged' : tables.facts.get(ref.id)?.get(ref.version)
    yield { checked: 1, damages: placeDamages({ order, ref }, held) }
  }
  for (const [blob, bytes] of tables.payloads) {
    yield { checked: 1, damages: hashBytes(bytes) === blob ? [] : [rottenPayload(blob)] }
  }
}

/** Lets something rot in tables: a flipped bit, as the checksum of a record would tell it. */
export function rotIn(tables: MemoryTables, what: Rot): void {
  if (what.kind === 'fact') tables.rotten.add(refKey(what.ref))
  else if (what.kind === 'item') tables.rottenItems.add(what.id)
  else {
    const flipped = tables.payloads.get(what.blob)?.slice()
    if (flipped === undefined || flipped.length === 0) return
    flipped[flipped.length >> 1]! ^= 1
    tables.payloads.set(what.blob, flipped)
  }
}

/** The damage of a summary that rotted. */
export function rottenItem(id: ItemId): Damage {
  return { what: 'item', id, sentence: `The record of item ${id} is damaged.` }
}

/** The damage of a fact whose record rotted. */
export function rottenFact({ fact }: { readonly fact: FactRef }): Damage {
  const { id, version } = fact
  const sentence = `The record of version ${version} of ${id} is damaged and not shown.`
  return { what: 'fact', id, version, sentence }
}

/** The damage of a payload that is not what its name says. */
export function rottenPayload(blob: Hash): Damage {
  const sentence = `The payload ${blob} does not match its hash and is not shown.`
  return { what: 'payload', blob, sentence }
}
