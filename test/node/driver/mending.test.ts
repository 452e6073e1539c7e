/** What a member does about damage that its store meets, at the start and while it runs. */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { type FactRef, refKey } from '../../../src/base/fact.ts'
import { hashBytes, hashText } from '../../../src/base/hash.ts'
import { limits } from '../../../src/base/limits.ts'
import { createService } from '../../../src/node/service/service.ts'
import type { MemoryImage } from '../../../src/storage/memory-image.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { Damage } from '../../../src/storage/store.ts'
import { Lone, putOf, settled } from '../../support/lone-member.ts'

/** What a member leaves that wrote two items, the first one twice. */
async function leftBehind() {
  const store = new MemoryStore()
  const lone = await (await Lone.open({ store })).start()
  const first = (await lone.put('a', 'old')).fact
  const second = (await lone.put('a', 'new')).fact
  const other = (await lone.put('b', 'other')).fact
  await lone.clock.pass(5000)
  return { image: store.image(), first, second, other }
}

function serviceOf(lone: Lone) {
  return createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
}

async function openOn(image: MemoryImage) {
  const store = MemoryStore.fromImage(image)
  const lone = await (await Lone.open({ store })).start()
  return { store, lone, service: serviceOf(lone) }
}

/** From now on the record of a fact cannot be read, until it is written again. */
function rot(store: MemoryStore, { id, version }: FactRef): void {
  const { facts, factsOf, commit } = store
  let isRotten = true
  store.facts = async refs => {
    const held = await facts.call(store, refs)
    return held.map(entry => (isRotten && entry?.fact.version === version ? undefined : entry))
  }
  store.factsOf = async asked => {
    const held = await factsOf.call(store, asked)
    return held.filter(entry => !(isRotten && entry.fact.version === version))
  }
  store.commit = async batch => {
    for (const write of batch) {
      if (write.kind === 'fact' && write.held.fact.id === id)
        isRotten &&= write.held.fact.version !== version
    }
    await commit.call(store, batch)
  }
}

function damageOf(lone: Lone): string[] {
  const problems = lone.member.problems.list().filter(({ reason }) => reason === 'damage')
  return problems.map(({ sentence }) => sentence)
}

describe('a store that lost records', () => {
  it('has a tree that claims no fact that is gone, and shows no old version for it', async () => {
    const { image, first, second } = await leftBehind()
    image.tables.facts.get('a')?.delete(second.version)
    const { store, lone, service } = await openOn(image)
    expect((await store.items(['a']))[0]).toMatchObject({
      facts: 1,
      heads: [{ version: first.version }],
    })
    expect((await service.verify(verifyOptions())).damages).toEqual([])
    await expect(service.get({ id: 'a' }, 1024)).rejects.toMatchObject({ code: 'DAMAGED' })
    expect(await service.get({ id: 'a', version: first.version }, 1024)).toMatchObject({
      header: { version: first.version },
    })
    expect(await service.list({})).toMatchObject({ items: [{ id: 'b' }], damaged: ['a'] })
    expect(await service.list({ limit: 1 })).toEqual({ items: [], damaged: ['a'], next: 'a' })
    const { items, ...others } = await service.list({ limit: 1, after: 'a' })
    expect([items.map(({ id }) => id), others]).toEqual([['b'], {}])
    expect(damageOf(lone)).toHaveLength(1)
  })

  it('is not whole because of what came since: an old version would be shown', async () => {
    const { image, first, second } = await leftBehind()
    const author = await (await Lone.open({ store: MemoryStore.fromImage(image) })).start()
    const third = (await author.put('a', 'newer')).fact
    expect(third.parents).toEqual([second.version])
    image.tables.facts.get('a')?.delete(second.version)
    const { store, lone, service } = await openOn(image)
    const receive = (fact: typeof second) =>
      lone.member.ledger.receive([{ fact, payload: null, added: null }], {
        from: 'other',
        stampRule: 'smaller',
      })
    await receive(third)
    await lone.clock.pass(2000)
    expect((await store.items(['a']))[0]).toMatchObject({
      facts: 2,
      heads: [{ version: first.version }],
    })
    await expect(service.head({ id: 'a' })).rejects.toMatchObject({ code: 'DAMAGED' })
    await receive(second)
    await lone.clock.pass(2000)
    expect(await service.head({ id: 'a' })).toMatchObject({ version: third.version })
    const { items, ...others } = await service.list({})
    expect([items[0], others]).toMatchObject([{ id: 'a', version: third.version }, {}])
  })

  it('shows what its user wrote anew where nobody has what is gone', async () => {
    const { image, second } = await leftBehind()
    image.tables.facts.get('a')?.delete(second.version)
    const { lone, service } = await openOn(image)
    await expect(service.head({ id: 'a' })).rejects.toMatchObject({ code: 'DAMAGED' })
    const { version } = (await lone.put('a', 'anew')).fact
    await lone.clock.pass(2000)
    expect(await service.head({ id: 'a' })).toMatchObject({ version })
  })

  it('has no item any more of which every fact is gone', async () => {
    const { image } = await leftBehind()
    image.tables.facts.delete('b')
    const { store, lone } = await openOn(image)
    expect(await store.items(['b'])).toEqual([undefined])
    expect(await store.idsOf([hashText('b')])).toEqual([undefined])
    expect(lone.member.ledger.agreedFacts).toBe(2)
  })

  it('has an item whose summary alone was lost as it was', async () => {
    const { image, second } = await leftBehind()
    const before = image.tables.items.get('a')
    image.tables.items.delete('a')
    const { store, lone, service } = await openOn(image)
    expect(await store.items(['a'])).toEqual([before])
    expect(await service.get({ id: 'a' }, 1024)).toMatchObject({
      header: { version: second.version },
    })
    expect(damageOf(lone)).toEqual([])
  })

  it('names the loss, and shows the item again when the fact came back', async () => {
    const { image, second } = await leftBehind()
    image.tables.facts.get('a')?.delete(second.version)
    const { lone, service } = await openOn(image)
    const added = image.tables.facts.get('b')!.values().next().value!.state
    await lone.member.ledger.receive(
      [{ fact: second, payload: null, added: added.kind === 'agreed' ? added.added : null }],
      { from: 'other', stampRule: 'smaller' },
    )
    await lone.clock.pass(2000)
    expect(await service.get({ id: 'a' }, 1024)).toMatchObject({
      header: { version: second.version },
    })
    expect(damageOf(lone)).toEqual([])
  })
})

describe('damage that is met while a member runs', () => {
  it('a fact: the member has a gap until it holds the fact again', async () => {
    const { image, second } = await leftBehind()
    const state = image.tables.facts.get('a')!.get(second.version)!.state
    const { store, lone, service } = await openOn(image)
    expect(lone.member.gap).toBe(false)
    rot(store, second)
    const { id, version } = second
    lone.member.mending.found({ what: 'fact', id, version, sentence: 'A fact is damaged.' })
    await expect(service.get({ id }, 1024)).rejects.toMatchObject({ code: 'DAMAGED' })
    await lone.clock.pass(1000)
    expect(lone.member.gap).toBe(true)
    expect(lone.member.envelope().gap).toBe(true)
    expect(await store.meta('gap')).toBeDefined()
    expect(lone.member.parents.count).toBe(1)
    expect((await store.items([id]))[0]).toMatchObject({ facts: 1 })
    await lone.member.ledger.receive(
      [{ fact: second, payload: null, added: state.kind === 'agreed' ? state.added : null }],
      { from: 'other', stampRule: 'smaller' },
    )
    await lone.clock.pass(2000)
    expect(lone.member.gap).toBe(false)
    expect(await store.meta('gap')).toBeUndefined()
    expect(damageOf(lone)).toEqual([])
    expect(await service.get({ id }, 1024)).toMatchObject({ header: { version } })
    expect(await service.verify(verifyOptions())).toMatchObject({ ok: true })
  })

  it.each([
    ['an item that never was', 'c'],
    ['a whole item', 'a'],
  ])(
    'a record under a flipped key, as if of %s, makes no gap and is asked of nobody',
    async (...of) => {
      const { image } = await leftBehind()
      const { lone, service } = await openOn(image)
      const version = 'ab'.repeat(32)
      lone.member.mending.found({ what: 'fact', id: of[1], version, sentence: 'It is damaged.' })
      await lone.clock.pass(1000)
      expect(lone.member.gap).toBe(false)
      expect(lone.member.parents.count).toBe(0)
      expect(damageOf(lone)).toEqual([])
      expect(await service.get({ id: 'a' }, 1024)).toMatchObject({ header: { id: 'a' } })
    },
  )

  it('a record under a flipped key that each reading of an item meets does not keep it in mending', async () => {
    const { image } = await leftBehind()
    const { store, lone } = await openOn(image)
    const damage = { what: 'fact', id: 'a', version: 'ab'.repeat(32), sentence: 'It is damaged.' }
    const { factsOf } = store
    let readings = 0
    store.factsOf = async id => {
      readings += 1
      if (readings > 100) throw new Error('The item is mended for ever.')
      if (id === 'a') lone.member.mending.found(damage as Damage)
      return await factsOf.call(store, id)
    }
    lone.member.mending.found({ what: 'item', id: 'a', sentence: 'Its summary is damaged.' })
    await lone.clock.pass(5000)
    expect(lone.fatal).toEqual([])
    expect(readings).toBeGreaterThan(1)
    expect(lone.member.gap).toBe(false)
    expect(damageOf(lone)).toEqual([])
  })

  it('a head that is gone without a trace is noticed by who reads it', async () => {
    const { image, second } = await leftBehind()
    const { store, lone, service } = await openOn(image)
    rot(store, second)
    await expect(service.get({ id: 'a' }, 1024)).rejects.toMatchObject({ code: 'DAMAGED' })
    await lone.clock.pass(1000)
    expect(lone.member.gap).toBe(true)
    expect(damageOf(lone)).toHaveLength(1)
  })

  it('what an item lacks is known also after a crash in the middle of its mending', async () => {
    const { image, second } = await leftBehind()
    const { store, lone } = await openOn(image)
    const images: MemoryImage[] = []
    const { commit } = store
    store.commit = async batch => {
      await commit.call(store, batch)
      images.push(store.image())
    }
    rot(store, second)
    const { id, version } = second
    lone.member.mending.found({ what: 'fact', id, version, sentence: 'A fact is damaged.' })
    await lone.clock.pass(1000)
    expect(images.length).toBeGreaterThan(2)
    for (const left of images) {
      left.tables.facts.get(id)?.delete(version)
      const { service } = await openOn({ ...left, journal: left.tables.fold() })
      const shown = service.get({ id }, 1024)
      await expect(shown).rejects.toMatchObject({ code: 'DAMAGED' })
    }
  })

  it('a write stands on no old version while the newer may come back, not even on a condition (seed 1000282)', async () => {
    const { image, first, second } = await leftBehind()
    image.tables.rotten.add(refKey(second))
    const store = MemoryStore.fromImage(image)
    const lone = await (await Lone.open({ store, others: ['other'] })).start()
    const write = (condition: { readonly ifVersion?: string }) =>
      lone.member.ledger.write({ ...putOf('a', 'newest'), ...condition })
    const refused = { code: 'DAMAGED', data: { id: 'a' } }
    await store.facts([second])
    await expect(write({})).rejects.toMatchObject(refused) // it was not looked after yet
    await lone.clock.pass(2000)
    await expect(write({})).rejects.toMatchObject(refused)
    await expect(write({ ifVersion: first.version })).rejects.toMatchObject(refused)
    expect((await lone.put('b', 'another item')).fact.id).toBe('b')
    await lone.member.ledger.receive([{ fact: second, payload: null, added: null }], {
      from: 'other',
      stampRule: 'smaller',
    })
    await lone.clock.pass(2000)
    expect((await write({})).fact.parents).toEqual([second.version])
  })

  it.each([
    ['alone', [], 200],
    ['of others that had no more in a while', ['other'], limits.refillMs + 2000],
  ] as const)('a write goes on from what is left at a member %s', async (_, others, ms) => {
    const { image, first, second } = await leftBehind()
    image.tables.rotten.add(refKey(second))
    const store = MemoryStore.fromImage(image)
    const lone = await (await Lone.open({ store, others: [...others] })).start()
    await store.facts([second])
    await lone.clock.pass(ms)
    expect((await lone.put('a', 'newest')).fact.parents).toEqual([first.version])
  })

  it('a small payload: it is set aside, wanted durably with the size of its fact, and named', async () => {
    const { image } = await leftBehind()
    const blob = hashBytes(utf8('other'))
    image.tables.payloads.set(blob, utf8('rotten bytes'))
    const { store, lone } = await openOn(image)
    expect(await store.smallPayloads([blob])).toEqual([undefined])
    await lone.clock.pass(200)
    expect(await store.hasPayloads([blob])).toEqual([false])
    expect(await store.wanted(null, 10)).toEqual([{ blob, size: 5 }])
    expect(lone.member.payloads.isWanted(blob)).toBe(true)
    expect(damageOf(lone)).toHaveLength(1)
    lone.member.payloads.have([blob])
    await lone.clock.pass(200)
    expect(damageOf(lone)).toEqual([])
  })

  it(`everything is looked at after damage, and again only after ${limits.scrubAgainMs} ms`, async () => {
    const { image, other } = await leftBehind()
    const { store, lone } = await openOn(image)
    let scrubs = 0
    store.verify = async function* () {
      scrubs += 1
      yield { checked: 1, damages: [{ what: 'item', id: other.id, sentence: 'By the scrub.' }] }
    }
    const found = () => lone.member.mending.found({ what: 'item', id: 'a', sentence: 'By a read.' })
    found()
    expect(damageOf(lone)).toEqual(['By a read.'])
    await settled()
    expect(scrubs).toBe(1)
    await lone.clock.pass(200)
    expect(damageOf(lone)).toEqual([]) // both summaries were made anew, and lacked nothing
    lone.clock.nowMs += limits.scrubAgainMs - 201
    found()
    await settled()
    expect(scrubs).toBe(1)
    lone.clock.nowMs += 1
    found()
    await settled()
    expect(scrubs).toBe(2)
  })
})

function verifyOptions() {
  return { signal: new AbortController().signal, progress: () => undefined }
}

describe('a damaged payload that two find', () => {
  it('stays when it came anew before the second takes it out of the way (seed 700312)', async () => {
    const { other } = await leftBehind()
    const blob = other.blob!
    const store = new MemoryStore()
    const lone = await (await Lone.open({ store })).start()
    await store.commit([{ kind: 'payload', blob, bytes: utf8('torn!') }])
    const { ledger, mending, payloads } = lone.member
    const { record } = ledger
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    ledger.record = async writes => {
      ledger.record = record
      await released // a busy disk
      return await record.call(ledger, writes)
    }
    const slow = mending.setAside(blob, other.size)
    await mending.setAside(blob, other.size)
    expect(payloads.isWanted(blob)).toBe(true)
    await store.commit([{ kind: 'payload', blob, bytes: utf8('other') }])
    payloads.have([blob])
    release()
    await slow
    expect(await store.verifyPayload(blob)).toBe('ok')
    expect(payloads.isWanted(blob)).toBe(false)
    expect(await store.wanted(null, 10)).toEqual([])
  })
})

describe('a damaged payload that no fact names', () => {
  it('is wanted by a fact that comes before it is set aside', async () => {
    const { other } = await leftBehind()
    const blob = other.blob!
    const store = new MemoryStore()
    const lone = await (await Lone.open({ store })).start()
    // Everything was looked at just now, and is not again so soon.
    lone.member.mending.found({ what: 'engine', sentence: 'A table has a damaged block.' })
    await lone.clock.pass(2000)
    await store.commit([{ kind: 'payload', blob, bytes: utf8('torn!') }])
    const { allItems } = store
    let came: Promise<unknown> | null = null
    store.allItems = async function* () {
      yield* allItems.call(store)
      // Nothing names it; before that is acted upon a fact does, which finds it here.
      const received = { fact: other, payload: null, added: other.at }
      came ??= lone.member.ledger.receive([received], { from: 'other', stampRule: 'smaller' })
      await came
    }
    expect(await store.verifyPayload(blob)).toBe('damaged')
    await lone.clock.pass(2000)
    expect(came).not.toBeNull()
    expect(await store.hasPayloads([blob])).toEqual([false])
    expect(lone.member.payloads.isWanted(blob)).toBe(true)
    expect(await store.wanted(null, 10)).toEqual([{ blob, size: other.size }])
  })
})
