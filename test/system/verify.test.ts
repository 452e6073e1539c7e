/**
 * Damage on the disk of one of two real daemons: it is never served, `verify` names it, and it is
 * refilled from the other.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

interface Verified {
  readonly ok: boolean
  readonly items: number
  readonly facts: number
  readonly payloads: number
  readonly hash: string
  readonly damages: readonly { what: string; sentence: string; id?: string; blob?: string }[]
}

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, at)
  byte[0]! ^= 0x40
  writeSync(file, byte, 0, 1, at)
  closeSync(file)
}

describe('damage on the disk of one of two daemons', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  const bytes = randomBytes(3_000_000)
  let blob: string
  const itemsMax = 400

  const verify = (member: LabMember) => member.call<Verified>('verify')
  const blobPath = () => join(b.store, 'blobs', blob.slice(0, 2), blob.slice(2))
  async function download(member: LabMember): Promise<Buffer> {
    const client = await JsonClient.open(member.socket)
    try {
      return (await client.download({ id: 'large' })).bytes
    } finally {
      client.close()
    }
  }
  const isWhole = (member: LabMember) =>
    until(`${member.name} has all payloads`, async () => {
      const { inSync } = await member.call<{ inSync: boolean }>('why')
      return inSync
    })

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    await lab.form()
    const client = await JsonClient.open(a.socket)
    const put = await client.upload<{ blob: string }>({ id: 'large', size: bytes.length }, bytes)
    blob = put.blob
    await Promise.all(
      Array.from({ length: itemsMax }, (_, at) =>
        client.call('put', { id: `item/${at}`, text: `${at} `.repeat(50) }),
      ),
    )
    client.close()
    await lab.allSource()
    await isWhole(b)
  })

  afterAll(async () => {
    await lab?.end()
  })

  test('a whole store is found whole, with the root that all have', async () => {
    const all = await Promise.all(lab.members.map(verify))
    const { hash, items, facts } = await status(a)
    for (const found of all) {
      expect(found).toMatchObject({ ok: true, damages: [], hash, items, facts })
      expect(found.payloads).toBeGreaterThan(itemsMax)
    }
    const ran = await a.run(['verify'])
    expect(ran.code).toBe(0)
  })

  test('a flipped byte in a large payload is never served, and the payload is fetched again', async () => {
    flip(blobPath(), 1_000_000)
    const client = await JsonClient.open(b.socket)
    await expect(client.download({ id: 'large' })).rejects.toThrow()
    client.close()
    await isWhole(b)
    expect((await download(b)).equals(bytes)).toBe(true)
    expect(await verify(b)).toMatchObject({ ok: true })
  })

  test('verify names a payload with a flipped byte, and it is fetched again', async () => {
    flip(blobPath(), 2_000_000)
    const ran = await b.run(['verify', '--json'])
    expect(ran.code).toBe(1)
    const { ok, damages } = JSON.parse(ran.stdout) as Verified
    expect(ok).toBe(false)
    expect(damages).toMatchObject([{ what: 'payload', id: 'large', blob }])
    await isWhole(b)
    expect((await download(b)).equals(bytes)).toBe(true)
    expect(await verify(b)).toMatchObject({ ok: true })
  })

  test('verify names a payload that is gone, and it is fetched again', async () => {
    rmSync(blobPath())
    const { damages } = await verify(b)
    expect(damages).toMatchObject([{ what: 'payload', id: 'large', blob }])
    expect(damages[0]?.sentence).toContain('gone')
    await isWhole(b)
    expect((await download(b)).equals(bytes)).toBe(true)
  })

  test('a payload that went while the daemon was down is fetched again', async () => {
    await b.kill('SIGINT')
    rmSync(blobPath())
    await b.start()
    await lab.allSource()
    await isWhole(b)
    expect((await download(b)).equals(bytes)).toBe(true)
  })
})
