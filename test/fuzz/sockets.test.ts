/** The fuzzers of the sockets in their everyday size, and that they can find something. */
import { afterEach, describe, expect, test } from 'vitest'
import { Random } from '../../sim/random.ts'
import { RawClient } from '../support/control.ts'
import { sides } from './sockets/sockets.ts'
import { startVictim, type Victim } from './sockets/victim.ts'

const isDeep = process.env.VECHE_DEEP === '1'
const everyday = new Map([
  ['control socket', 2000],
  ['member', 400],
  ['stranger', 200],
  ['without the key', 100],
])

let victim: Victim | undefined
afterEach(async () => {
  await victim?.stop()
  victim = undefined
})

describe('spoilt input at the sockets crashes nothing, changes nothing and fills no memory', () => {
  for (const [name, , fuzz] of sides) {
    test(`said by: ${name}`, async () => {
      victim = await startVictim()
      const inputs = (everyday.get(name) ?? 0) * (isDeep ? 25 : 1)
      expect(inputs).toBeGreaterThan(0)
      await fuzz(victim, inputs, new Random(`everyday ${name}`))
      // What a member says arrives, and is named; what others say gets no further than the door.
      expect((await victim.problems()).includes('peer')).toBe(name === 'member')
    })
  }

  test('a change that somebody makes meanwhile is found', async () => {
    victim = await startVictim()
    await victim.check()
    const client = await RawClient.open(victim.socket)
    await client.call('put', { id: 'planted', text: 'x', wait: 'pending' })
    client.close()
    await expect(victim.check()).rejects.toThrow('it changed')
  })
})
