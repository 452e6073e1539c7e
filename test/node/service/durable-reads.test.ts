/** G7: what was shown to a user survives a crash, whatever method showed it. */
import { describe, expect, it } from 'vitest'
import type { MemberService } from '../../../src/control/member-service.ts'
import { createService } from '../../../src/node/service/service.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { HeldDisk, Lone, settled } from '../../support/lone-member.ts'

type Read = (service: MemberService) => Promise<unknown>

const reads: Readonly<Record<string, Read>> = {
  history: service => service.history({ id: 'a' }),
  collisions: service => service.collisions(),
  links: service => service.links({ id: 'a' }),
  list: service => service.list({}),
  head: service => service.head({ id: 'a' }),
}

describe('nothing is shown before it is durable', () => {
  it.each(Object.entries(reads))('by %s', async (_, read) => {
    const disk = new HeldDisk()
    const store = new MemoryStore({ durability: disk.durability })
    const lone = await (await Lone.open({ store })).start()
    const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
    await lone.put('a', 'one')
    disk.hold()
    const writing = lone.put('a', 'two')
    await settled()
    let isShown = false
    const reading = read(service).then(() => {
      isShown = true
    })
    for (let turn = 0; turn < 10; turn++) await settled()
    expect(isShown).toBe(false)
    await disk.release()
    await Promise.all([writing, reading])
  })
})
