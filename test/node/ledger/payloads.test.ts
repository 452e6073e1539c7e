/** What a batch of the ledger does with the payloads that facts name. */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import type { ItemSummary } from '../../../src/base/fact.ts'
import { hashBytes } from '../../../src/base/hash.ts'
import { STAMP_ZERO, stampOf } from '../../../src/base/stamp.ts'
import { checkFact } from '../../../src/consensus/items/check.ts'
import { Digests } from '../../../src/consensus/items/digests.ts'
import { dataHashOf, versionOf } from '../../../src/consensus/items/version.ts'
import { Batch } from '../../../src/node/ledger/batch.ts'
import { Recent } from '../../../src/node/ledger/recent.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { BEGIN_MS, Lone } from '../../support/lone-member.ts'

function factOf(id: string, blob: string, size: number) {
  const content = {
    blob,
    size,
    type: 'text/plain',
    tags: [],
    description: '',
    meta: null,
    dependsOn: [],
  }
  const dataHash = dataHashOf(content)
  const version = versionOf(id, [], dataHash)
  const stamp = { at: stampOf(BEGIN_MS), by: 'b' }
  return { id, version, parents: [], dataHash, ...content, ...stamp, base: null }
}

const bytes = utf8('what a user keeps')
const blob = hashBytes(bytes)
const noBytes = hashBytes(new Uint8Array(0))

function emptyBatch(): Batch {
  const store = new MemoryStore()
  const nothing = {
    cache: new Recent<string, ItemSummary>(10),
    damaged: new Set<string>(),
    isNew: () => true,
  }
  return new Batch({ store, sets: { digests: new Digests() }, ...nothing })
}

describe('a fact of no bytes', () => {
  it('is refused when its blob is that of other bytes, and empties no payload', async () => {
    const lone = await (await Lone.open()).start()
    await lone.put('mine', 'what a user keeps')
    const lie = factOf('lie', blob, 0)
    expect(checkFact(lie)).toEqual({ ok: false, sentence: 'Its size is not that of its blob.' })
    const [reception] = await lone.member.ledger.receive(
      [{ fact: lie, payload: null, added: STAMP_ZERO }],
      { from: 'b', stampRule: 'smaller' },
    )
    expect(reception?.kind).toBe('refused')
    expect(await lone.store.smallPayloads([blob])).toEqual([bytes])
  })

  it('is refused when it names no bytes and a size', () => {
    expect(checkFact(factOf('lie', noBytes, 1)).ok).toBe(false)
    expect(checkFact(factOf('true', noBytes, 0)).ok).toBe(true)
  })

  it('stores nothing under the blob of other bytes, even where it was let in', async () => {
    const batch = emptyBatch()
    await batch.takePayload(factOf('lie', blob, 0), null)
    expect(batch.writes).toEqual([])
    await batch.takePayload(factOf('true', noBytes, 0), null)
    expect(batch.writes).toEqual([{ kind: 'payload', blob: noBytes, bytes: new Uint8Array(0) }])
  })
})

it('a payload that a batch stores is not wanted by a later fact of the same batch', async () => {
  const batch = emptyBatch()
  await batch.takePayload(factOf('first', blob, bytes.length), bytes)
  await batch.takePayload(factOf('second', blob, bytes.length), null)
  expect([...batch.wanted.keys()]).toEqual([])
})
