/**
 * The start of a member: the trees hold every item that is here, also one whose record rotted after
 * the opening had counted it. Otherwise others would be told that it is not held.
 */
import { expect, test } from 'vitest'
import { rebuild } from '../../../src/node/ledger/rebuild.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { Store } from '../../../src/storage/store.ts'
import { agreedAt, chain, itemBatch, pendingAt } from '../../support/facts.ts'

const CUT = 5000

async function stored(): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.commit([
    ...itemBatch(chain('a', 1), () => agreedAt(1000)),
    ...itemBatch(chain('b', 3), at => agreedAt(1000 + at)),
    ...itemBatch(chain('late', 2), at => agreedAt(4000 + 2000 * at)),
    ...itemBatch(chain('waits', 1), () => pendingAt(0)),
  ])
  await store.close()
  return store
}

const built = async (store: Store) => {
  const { sets, agreedFacts, live, ...rest } = await rebuild(store, CUT)
  const counts = { agreedFacts, live: live.count, unsettled: sets.settled.unsettled }
  return { root: sets.settled.root(), counts, rest }
}

test('what rotted between the opening and the building of the trees is mended first, and in them (seed 1009978)', async () => {
  const image = (await stored()).image()
  const { root, counts } = await built(MemoryStore.fromImage(image))
  expect(counts).toEqual({ agreedFacts: 6, live: 4, unsettled: 1 })
  for (const id of ['a', 'b', 'late', 'waits']) {
    const store = MemoryStore.fromImage(image)
    store.rot({ kind: 'item', id })
    const again = await built(store)
    expect(again.root).toBe(root)
    expect(again.counts).toEqual(counts)
    expect(again.rest.mended.map(item => item.id)).toEqual([id])
    expect(again.rest.met.length).toBeGreaterThan(0)
    expect((await store.items([id]))[0]?.id).toBe(id)
  }
})

test('a version that rotted then is missing, named, and nothing else of its item', async () => {
  const store = MemoryStore.fromImage((await stored()).image())
  const [, second] = chain('b', 3)
  store.rot({ kind: 'item', id: 'b' })
  store.rot({ kind: 'fact', ref: { id: 'b', version: second!.version } })
  const { counts, rest } = await built(store)
  expect(counts.agreedFacts).toBe(5)
  expect(rest.missing).toContainEqual({ id: 'b', version: second!.version })
})
