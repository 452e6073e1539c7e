/**
 * Facts, summaries and batches for tests of the store: small histories whose hashes are real, and
 * the writes with which a member would keep them.
 */
import { toHex, utf8 } from '../../src/base/bytes.ts'
import type { Fact, FactState, HeldFact, ItemId, ItemSummary } from '../../src/base/fact.ts'
import { type Hash, hashBytes, hashText, ZERO_HASH } from '../../src/base/hash.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { summarise } from '../../src/consensus/items/digest.ts'
import type { Write } from '../../src/storage/store.ts'

/** The state of a fact that was added at a millisecond. */
export function agreedAt(ms: number): FactState {
  return { kind: 'agreed', added: stampOf(ms) }
}

/** The state of an own write that waits. */
export function pendingAt(order: number, fresh = true): FactState {
  return { kind: 'pending', order, fresh }
}

/** A chain of `length` versions of an item, oldest first; each with a payload of its own. */
export function chain(id: ItemId, length: number, note = ''): Fact[] {
  const facts: Fact[] = []
  for (let at = 0; at < length; at++) facts.push(nextFact(id, facts.at(-1), `${note}${at}`))
  return facts
}

/** The bytes of the payload of a fact made by `nextFact`. */
export function payloadOf(id: ItemId, content: string) {
  return utf8(`payload of ${id}: ${content}`)
}

/** The next version of an item. */
export function nextFact(id: ItemId, before: Fact | undefined, content: string): Fact {
  const bytes = payloadOf(id, content)
  const blob = hashBytes(bytes)
  const dataHash = hashText(`data ${blob}`)
  const parents = before === undefined ? [] : [before.version]
  return {
    id,
    version: hashText((parents[0] ?? id) + dataHash),
    parents,
    dataHash,
    blob,
    size: bytes.length,
    type: 'text/plain',
    tags: ['a', 'b'],
    description: content,
    meta: { content, list: [1, true, null] },
    dependsOn: [],
    at: stampOf(1000),
    by: '12D3KooWTestMember',
    base: null,
  }
}

/** A deletion of an item. */
export function deletion(before: Fact): Fact {
  const version = hashText(before.version + ZERO_HASH)
  const gone = { dataHash: ZERO_HASH, blob: null, size: 0, meta: null, tags: [], description: '' }
  return { ...before, ...gone, version, parents: [before.version] }
}

/** The summary that a member would keep. */
export function summaryOf(id: ItemId, held: readonly HeldFact[]): ItemSummary {
  return summarise(id, held)
}

/** All that a member writes when it comes to hold these facts of one item, and nothing before. */
export function itemBatch(facts: readonly Fact[], state: (at: number) => FactState): Write[] {
  const held = facts.map((fact, at) => ({ fact, state: state(at) }))
  return [
    ...held.flatMap(heldWrites),
    { kind: 'item', summary: summaryOf(facts[0]!.id, held) } satisfies Write,
  ]
}

/** The writes of one new fact: its record, its place in the queue, its payload. */
export function heldWrites(held: HeldFact): Write[] {
  const { fact, state } = held
  const writes: Write[] = [{ kind: 'fact', held, isNew: true }]
  if (state.kind === 'pending') {
    const ref = { id: fact.id, version: fact.version }
    writes.push({ kind: 'pending', order: state.order, ref })
  }
  if (fact.blob !== null) {
    writes.push({ kind: 'payload', blob: fact.blob, bytes: payloadOf(fact.id, fact.description) })
  }
  return writes
}

/** Bytes that look random and are the same for the same seed. */
export function someBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2654435761 + 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** The XOR of versions, computed in another way than the store does. */
export function xorOf(versions: readonly Hash[]): Hash {
  const xor = new Uint8Array(32)
  for (const version of versions) {
    for (let at = 0; at < 32; at++) {
      xor[at]! ^= Number.parseInt(version.slice(2 * at, 2 * at + 2), 16)
    }
  }
  return toHex(xor)
}
