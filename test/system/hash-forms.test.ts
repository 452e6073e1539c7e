/**
 * Three real daemons of which one hashes with the portable form (VECHE_HASH=noble): they agree on
 * every id, version and root, small payloads, large ones and collisions alike.
 */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

interface Header {
  readonly id: string
  readonly version: string
  readonly dataHash: string
  readonly blob: string
}

describe('three daemons, one of them with the portable hash', () => {
  let lab: Lab
  let native: LabMember
  let noble: LabMember

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    await lab.form()
    ;[native, noble] = lab.members as [LabMember, LabMember]
    await noble.kill('SIGINT')
    await noble.start({ VECHE_HASH: 'noble' })
    await lab.allSource()
  })

  afterAll(async () => {
    await lab?.end()
  })

  test('agree on versions, payloads of any size, and one hash', async () => {
    const large = randomBytes(1_000_000)
    for (const writer of lab.members) {
      const client = await JsonClient.open(writer.socket)
      const id = `of/${writer.name}`
      const small = await client.call<Header>('put', { id, text: id, tags: ['a'] })
      const next = await client.call<Header>('put', { id, json: { next: true } })
      const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
      expect(small.version).toBe(sha256(id + small.dataHash))
      expect(next.version).toBe(sha256(small.version + next.dataHash))
      await client.upload<Header>({ id: `${id}/large`, size: large.length }, large)
      client.close()
    }
    await lab.allSource()
    for (const reader of lab.members) {
      const client = await JsonClient.open(reader.socket)
      for (const { name } of lab.members) {
        expect(await client.call('get', { id: `of/${name}` })).toMatchObject({
          json: { next: true },
        })
        const { bytes } = await client.download({ id: `of/${name}/large` })
        expect(bytes.equals(large)).toBe(true)
      }
      client.close()
      expect(await reader.call('verify')).toMatchObject({ ok: true, damages: [] })
    }
    const all = await Promise.all(lab.members.map(status))
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(1)
  })

  test('split a collision into the same items', async () => {
    await noble.kill('SIGKILL')
    const one = await native.call<Header>('put', { id: 'report', text: 'native', wait: 'pending' })
    await Promise.all(lab.members.map(member => member.kill('SIGKILL')))
    await noble.start({ VECHE_HASH: 'noble' })
    const two = await noble.call<Header>('put', { id: 'report', text: 'noble', wait: 'pending' })
    await native.start()
    await lab.members[2]!.start()
    await lab.allSource()
    const at = [...one.version].findIndex((digit, index) => digit !== two.version[index])
    for (const member of lab.members) {
      const text = async (version: string) =>
        (await member.call<{ text: string }>('get', { id: `report~${version[at]}` })).text
      await until('the payloads came', async () => {
        const { inSync } = await member.call<{ inSync: boolean }>('why')
        return inSync
      })
      expect([await text(one.version), await text(two.version)]).toEqual(['native', 'noble'])
    }
  })
})
