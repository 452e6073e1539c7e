/** A disk that is nearly full: users' writes are refused before they are taken, reads go on. */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { createService } from '../../../src/node/service/service.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { Lone } from '../../support/lone-member.ts'

const type = 'text/plain'

async function* never(): AsyncGenerator<Uint8Array> {
  yield Promise.reject(new Error('an upload that is refused was read'))
}

describe('on a full disk', () => {
  async function full() {
    const store = new MemoryStore()
    const lone = await (await Lone.open({ store })).start()
    await lone.put('kept', 'x')
    store.setFull(true)
    const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
    return { lone, store, service }
  }

  it('every way of writing answers DISK_FULL and stores nothing', async () => {
    const { service, store } = await full()
    const before = store.counts()
    const payload = utf8('more')
    const refused = { code: 'DISK_FULL' }
    await expect(service.put({ id: 'a', payload, type })).rejects.toMatchObject(refused)
    await expect(service.upload({ id: 'a', size: 5, type }, never())).rejects.toMatchObject(refused)
    await expect(service.delete({ id: 'kept' })).rejects.toMatchObject(refused)
    const resolve = { kind: 'keep', id: 'kept', keep: 'kept~3' } as const
    await expect(service.resolve(resolve)).rejects.toMatchObject(refused)
    expect(store.counts()).toEqual(before)
  })

  it('what is here is read, and writing goes on when there is room again', async () => {
    const { service, store } = await full()
    expect((await service.get({ id: 'kept' }, 1024)).payload).toEqual(utf8('x'))
    store.setFull(false)
    expect((await service.put({ id: 'a', payload: utf8('more'), type })).level).toBe('majority')
  })
})
