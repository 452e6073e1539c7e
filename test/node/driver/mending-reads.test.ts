/**
 * What is shown while an item is made anew from what is left of it: its record tells of an older
 * version already, and that it lacks one is not noted before the disk has answered.
 */
import { expect, it } from 'vitest'
import { createService } from '../../../src/node/service/service.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { ItemMember } from '../../consensus/items/members.ts'
import { HeldDisk, Lone, settled } from '../../support/lone-member.ts'

/** A member with `a`, written twice, whose newer version cannot be read any more; it was not looked at yet. */
async function damagedUnnoticed() {
  const disk = new HeldDisk()
  const store = new MemoryStore({ durability: disk.durability })
  const lone = await (await Lone.open({ store, others: ['other'] })).start()
  const older = (await lone.put('a', 'old')).fact
  const newer = (await lone.put('a', 'new')).fact
  await lone.put('b', 'other')
  await lone.clock.pass(5000)
  store.rot({ kind: 'fact', ref: newer })
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  return { disk, store, lone, service, older, newer }
}

it('a list shows no old version of an item that is being made anew (kept run damaged-base)', async () => {
  const { disk, store, service, older, newer } = await damagedUnnoticed()
  disk.hold()
  await store.facts([newer]) // here it is noticed
  const heads = async () => (await store.items(['a']))[0]?.heads.map(({ version }) => version)
  for (let groups = 0; (await heads())?.[0] === newer.version && groups < 9; groups++) {
    await settled()
    await disk.releaseOne()
  }
  expect(await heads()).toEqual([older.version])
  const list = service.list({})
  await settled()
  await disk.release()
  expect(await list).toMatchObject({ items: [{ id: 'b' }], damaged: ['a'] })
})

it('nor does a list that read it before what was lost came back', async () => {
  const { store, lone, service, newer } = await damagedUnnoticed()
  await store.facts([newer])
  await lone.clock.pass(2000)
  expect(await service.list({})).toMatchObject({ items: [{ id: 'b' }], damaged: ['a'] })
  const read = Promise.withResolvers<void>()
  const { scanItems } = store
  store.scanItems = async (range, limit) => {
    const page = await scanItems.call(store, range, limit)
    await read.promise
    return page
  }
  const list = service.list({})
  await lone.member.ledger.receive([{ fact: newer, payload: null, added: null }], {
    from: 'other',
    stampRule: 'smaller',
  })
  await lone.clock.pass(2000)
  read.resolve()
  expect((await list).items).toMatchObject([{ id: 'a', version: newer.version }, { id: 'b' }])
})

it('a list that meets a record of what never was is not read again for ever', async () => {
  const { store, lone, service } = await damagedUnnoticed()
  const scanItems = store.scanItems.bind(store)
  let scans = 0
  store.scanItems = async (range, limit) => {
    scans += 1
    lone.member.mending.found({ what: 'item', id: 'nobody wrote this', sentence: 'It is damaged.' })
    return await scanItems(range, limit)
  }
  expect((await service.list({})).items).toHaveLength(1)
  expect(scans).toBeLessThan(4)
})

it('a look at a branch of a split item that finds the damage itself shows no older version of it', async () => {
  const [a, b] = [new ItemMember('a', 'report'), new ItemMember('b', 'report')]
  const both = new ItemMember('c', 'report')
  a.put('report', 'one')
  b.put('report', 'two')
  both.take([...a.facts.values(), ...b.facts.values()])
  const [branch] = Object.entries(both.live()).find(([, text]) => text === 'one')!
  both.put(branch, 'newer')
  const store = new MemoryStore()
  const lone = await (await Lone.open({ store, others: ['other'] })).start()
  await lone.member.ledger.receive(
    [...both.facts.values()].map(fact => ({ fact, payload: null, added: null })),
    { from: 'other', stampRule: 'smaller' },
  )
  await lone.clock.pass(5000)
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  const { version } = await service.head({ id: branch })
  const newer = [...both.facts.values()].find(fact => fact.version === version)
  store.rot({ kind: 'fact', ref: newer! })
  await expect(service.head({ id: branch })).rejects.toMatchObject({ code: 'DAMAGED' })
})
