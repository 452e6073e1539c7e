/** What happens to a payload that a reader finds damaged. */
import { expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { hashBytes } from '../../../src/base/hash.ts'
import { createService } from '../../../src/node/service/service.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { Lone } from '../../support/lone-member.ts'

it('a payload found damaged is wanted with its whole size, also after a restart', async () => {
  const first = new MemoryStore()
  const writer = await (await Lone.open({ store: first })).start()
  const text = 'what a user keeps'
  const blob = hashBytes(utf8(text))
  await writer.put('mine', text)
  const image = first.image()
  image.tables.payloads.set(blob, utf8('what a user kept!'))
  const store = MemoryStore.fromImage(image)
  const lone = await (await Lone.open({ store })).start()
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  await expect(service.get({ id: 'mine' }, 1024)).rejects.toMatchObject({ code: 'DAMAGED' })
  expect(lone.member.payloads.missing()).toMatchObject([{ blob, size: text.length }])
  expect(await store.wanted(null, 10)).toEqual([{ blob, size: text.length }])
})
