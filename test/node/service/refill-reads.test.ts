/** While a store is being refilled nobody is told that an item does not exist. */
import { expect, it } from 'vitest'
import { createService } from '../../../src/node/service/service.ts'
import { Lone } from '../../support/lone-member.ts'

it('a reading that began before the refill ended calls nothing absent, nor does one within it', async () => {
  const lone = await (await Lone.open()).start()
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  lone.member.mending.setGap(true)
  await expect(service.get({ id: 'a' }, 1024)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  const reading = service.get({ id: 'a' }, 1024)
  lone.member.mending.setGap(false)
  await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(service.get({ id: 'a' }, 1024)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
