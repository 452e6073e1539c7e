/**
 * The store in memory: the contract, and the crashes that the simulator makes with it.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import { refKey } from '../../src/base/fact.ts'
import { hashBytes, hashText } from '../../src/base/hash.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { type Damage, GAP_META_KEY, type Store } from '../../src/storage/store.ts'
import { storeCompliance, verifyAll } from '../compliance/store.ts'
import { agreedAt, chain, itemBatch, pendingAt, someBytes } from '../support/facts.ts'

storeCompliance({
  name: 'store in memory',
  async open() {
    return new MemoryStore()
  },
  async reopen(store: Store) {
    await store.close()
    return MemoryStore.fromImage((store as MemoryStore).image())
  },
  async end() {},
})

storeCompliance({
  name: 'store in memory with a slow disk',
  async open() {
    return new MemoryStore({ durability: async () => await Promise.resolve() })
  },
  async reopen(store: Store) {
    await store.close()
    const image = (store as MemoryStore).image()
    return MemoryStore.fromImage(image, { durability: async () => await Promise.resolve() })
  },
  async end() {},
})

/** A disk that syncs when it is told to. */
function manualDisk() {
  const syncs: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  const durability = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    syncs.push({ resolve, reject })
    return promise
  }
  return { syncs, store: new MemoryStore({ durability }) }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('a crash of the store in memory', () => {
  it('leaves what was durable and loses the rest, without a gap: nothing of it was promised', async () => {
    const { syncs, store } = manualDisk()
    const first = store.commit(itemBatch(chain('a', 1), () => agreedAt(1)))
    await settle()
    let promised = false
    void store.commit(itemBatch(chain('b', 1), () => agreedAt(1))).then(() => (promised = true))
    syncs[0]!.resolve()
    await first
    await settle()
    expect(promised).toBe(false)
    const after = MemoryStore.fromImage(store.image())
    expect(after.report).toMatchObject({ clean: false, gap: false })
    expect((await after.items(['a', 'b'])).map(item => item?.id)).toEqual(['a', undefined])
    expect(after.counts()).toMatchObject({ items: 1, facts: 1 })
  })

  it('seed 202170114025: what rots while it is written anew is whole for a reader at once, and on the disk when it is durable', async () => {
    const { syncs, store } = manualDisk()
    const blob = hashText('small')
    const write = { kind: 'payload', blob, bytes: utf8('small') } as const
    const first = store.commit([write])
    await settle()
    syncs[0]!.resolve()
    await first
    const again = store.commit([write])
    await settle()
    store.rot({ kind: 'payload', blob })
    expect(await store.verifyPayload(blob)).toBe('ok')
    expect(await MemoryStore.fromImage(store.image()).verifyPayload(blob)).toBe('damaged')
    await store.setAsidePayload(blob)
    syncs[1]!.resolve()
    await again
    expect(await MemoryStore.fromImage(store.image()).verifyPayload(blob)).toBe('ok')
    store.rot({ kind: 'payload', blob })
    expect(await store.verifyPayload(blob)).toBe('damaged')
  })

  it('may leave batches that were not promised yet, the first ones, each of them whole', async () => {
    const { store } = manualDisk()
    for (const id of ['a', 'b', 'c']) {
      void store.commit(itemBatch(chain(id, 2), at => pendingAt(at)))
    }
    expect(store.undurable).toBe(3)
    const after = MemoryStore.fromImage(store.image(2))
    expect(after.report.gap).toBe(false)
    expect((await after.items(['a', 'b', 'c'])).map(item => item?.facts)).toEqual([2, 2, undefined])
  })

  it('leaves what was written of an unfinished fetch', async () => {
    const store = new MemoryStore()
    const bytes = someBytes(1000, 1)
    const expected = { blob: hashBytes(bytes), size: bytes.length }
    await store.commit([{ kind: 'wanted', ...expected }])
    const writer = await store.payloadWriter(expected)
    await writer.write(bytes.subarray(0, 400))
    const after = MemoryStore.fromImage(store.image())
    await writer.write(bytes.subarray(400))
    expect((await after.payloadWriter(expected)).offset).toBe(400)
  })

  it('leaves no payload whose finish was not durable', async () => {
    const { syncs, store } = manualDisk()
    const writer = await store.payloadWriter(null)
    await writer.write(utf8('large'))
    const finished = writer.finish()
    await settle()
    const blob = hashText('large')
    expect(await MemoryStore.fromImage(store.image()).hasPayloads([blob])).toEqual([false])
    syncs[0]!.resolve() // of the file
    await settle()
    expect(await MemoryStore.fromImage(store.image()).hasPayloads([blob])).toEqual([true])
    syncs[1]!.resolve() // of its record
    expect(await finished).toBe(blob)
    expect(await MemoryStore.fromImage(store.image()).hasPayloads([blob])).toEqual([true])
  })

  it('a failed fsync kills the store: one fault is told, every later call rejects', async () => {
    const { syncs, store } = manualDisk()
    const faults: Error[] = []
    store.onFault(fault => faults.push(fault))
    const commits = [1, 2].map(n => store.commit([{ kind: 'meta', key: 'x', value: utf8(`${n}`) }]))
    const ended = Promise.allSettled(commits)
    await settle()
    const late = store.commit([{ kind: 'meta', key: 'x', value: utf8('3') }])
    syncs[0]!.reject(new Error('input/output error'))
    expect((await ended).map(end => end.status)).toEqual(['rejected', 'rejected'])
    await expect(late).rejects.toThrow('input/output error')
    await expect(store.meta('x')).rejects.toThrow('input/output error')
    await expect(store.commit([])).rejects.toThrow('input/output error')
    expect(faults).toHaveLength(1)
    expect(syncs).toHaveLength(1)
    expect(await MemoryStore.fromImage(store.image()).meta('x')).toBeUndefined()
  })
})

describe('damage of the store in memory', () => {
  it('a store that lost facts which its journal promised has a gap, and keeps saying so', async () => {
    const store = new MemoryStore()
    await store.commit(itemBatch(chain('a', 3), () => agreedAt(1)))
    const old = store.image()
    await store.commit(itemBatch(chain('b', 2), at => pendingAt(at)))
    const image = { ...old, journal: store.image().journal }
    const after = MemoryStore.fromImage(image)
    expect(after.report).toMatchObject({ gap: true, factsMissing: 2, pendingMissing: 2 })
    const again = MemoryStore.fromImage(after.image())
    expect(again.report.gap).toBe(false)
    expect(await again.meta(GAP_META_KEY)).toBeDefined()
    expect(MemoryStore.fromImage({ ...old, journal: null }).report.gap).toBe(true)
  })

  it('a rotten fact is told, reads as absent, and is here again when it is written again', async () => {
    const facts = chain('a', 2)
    const store = new MemoryStore()
    await store.commit(itemBatch(facts, () => agreedAt(1)))
    const image = store.image()
    image.tables.rotten.add(refKey(facts[1]!))
    const after = MemoryStore.fromImage(image)
    const damages: Damage[] = []
    after.onDamage(damage => damages.push(damage))
    expect(await after.facts(facts)).toMatchObject([{ fact: facts[0] }, undefined])
    expect(await after.factsOf('a')).toHaveLength(1)
    expect(damages[0]).toMatchObject({ what: 'fact', id: 'a', version: facts[1]!.version })
    expect((await verifyAll(after)).damages).toMatchObject([{ what: 'fact' }, { what: 'item' }])
    const held = { fact: facts[1]!, state: agreedAt(1) }
    await after.commit([{ kind: 'fact', held, isNew: true }])
    expect(after.counts().facts).toBe(2)
    expect(await after.factsOf('a')).toHaveLength(2)
  })

  it('a rotten payload is told, is not returned, and can be set aside', async () => {
    const blob = hashText('good')
    const store = new MemoryStore()
    await store.commit([{ kind: 'payload', blob, bytes: utf8('evil') }])
    const damages: Damage[] = []
    store.onDamage(damage => damages.push(damage))
    expect(await store.smallPayloads([blob])).toEqual([undefined])
    expect(await store.verifyPayload(blob)).toBe('damaged')
    expect(damages).toMatchObject([
      { what: 'payload', blob },
      { what: 'payload', blob },
    ])
    expect((await verifyAll(store)).damages).toHaveLength(1)
    await store.setAsidePayload(blob)
    expect(await store.hasPayloads([blob])).toEqual([false])
  })

  it('a full disk is said, and over when there is room', () => {
    const store = new MemoryStore()
    store.setFull(true)
    expect(store.isFull()).toBe(true)
    store.setFull(false)
    expect(store.isFull()).toBe(false)
  })
})
