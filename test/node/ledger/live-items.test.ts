/**
 * The count of items in `status` is the number that `list` shows, after any history of writes,
 * deletes, collisions and resolutions, and again after a restart.
 */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { isSystemId } from '../../../src/base/fact.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { viewFamily } from '../../../src/consensus/items/view.ts'
import { LiveItems } from '../../../src/node/ledger/live-items.ts'
import { createService } from '../../../src/node/service/service.ts'
import { factOf, openOne, other } from '../../support/one-member.ts'

test('the count of items is what a list shows, also of items that split and were resolved', async () => {
  const { member, store } = await openOne()
  const service = createService(member, { networkKey: new Uint8Array(32), version: '0' })
  const put = (id: string, text: string, merge = false) =>
    service.put({ id, payload: utf8(text), type: 'text/plain', wait: 'pending', merge })
  const expectEqual = async () => {
    const { items } = await service.list({})
    expect((await service.status({})).items).toBe(items.length)
    const again = new LiveItems()
    for await (const page of store.glances()) {
      for (const glance of page) if (!isSystemId(glance.id)) again.start(glance)
    }
    await again.startFamilies(store, viewFamily)
    expect(again.count).toBe(items.length)
    return items.length
  }
  for (const id of ['a', 'b', 'report']) await put(id, `first of ${id}`)
  expect(await expectEqual()).toBe(3)
  await service.delete({ id: 'a', wait: 'pending' })
  expect(await expectEqual()).toBe(2)
  const rival = utf8('of the other')
  const received = [{ fact: factOf('report', rival), payload: rival, added: stampOf(1_600_000) }]
  await member.ledger.receive(received, { from: other, stampRule: 'smaller' })
  expect(await expectEqual()).toBe(3)
  const branches = (await service.collisions()).collisions[0]!.branches
  await put(branches[0]!.id, 'written on a branch')
  expect(await expectEqual()).toBe(3)
  await service.delete({ id: branches[1]!.id, wait: 'pending' })
  expect(await expectEqual()).toBe(2)
  await service.resolve({ id: 'report', kind: 'keep', keep: branches[0]!.id, wait: 'pending' })
  expect(await expectEqual()).toBe(2)
  await put('report', 'after all')
  await put('a', 'a again')
  expect(await expectEqual()).toBe(3)
})
