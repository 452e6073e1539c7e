/**
 * `why` says what is not in sync, in words a person can act on: members that are not reached, facts
 * that wait, payloads that are missing; for all or for one item, on the command line, too.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

interface Why {
  readonly inSync: boolean
  readonly reasons: readonly {
    readonly reason: string
    readonly sentence: string
    readonly id?: string
    readonly member?: string
    readonly nextStep?: string
    readonly nextTryMs?: number
  }[]
}

describe('why, asked of a member that is left alone', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let uuid: string
  const bytes = randomBytes(200_000)

  const why = (params = {}) => b.call<Why>('why', params)

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    await lab.form()
    uuid = (await status(a)).uuid
    const client = await JsonClient.open(a.socket)
    const { blob } = await client.upload<{ blob: string }>(
      { id: 'large', size: bytes.length, wait: 'majority', timeoutMs: 20_000 },
      bytes,
    )
    client.close()
    await lab.allSource()
    await until('all is in sync', async () => (await why()).inSync)
    await Promise.all(lab.members.map(member => member.kill('SIGKILL')))
    rmSync(join(b.store, 'blobs', blob.slice(0, 2), blob.slice(2)))
    await b.start()
  })

  afterAll(async () => {
    await lab?.end()
  })

  test('names facts that wait, until this member is Source', async () => {
    await b.call('put', { id: 'waiting', text: 'w', wait: 'pending' })
    const { inSync, reasons } = await why()
    expect(inSync).toBe(false)
    const waiting = { reason: 'pending', id: 'waiting', nextStep: expect.any(String) }
    expect(reasons).toContainEqual(expect.objectContaining(waiting))
    expect((await why({ id: 'waiting' })).reasons).toContainEqual(expect.objectContaining(waiting))
    await until('it is agreed', async () => {
      const { reasons: left } = await why({ id: 'waiting' })
      return !left.some(({ reason }) => reason === 'pending')
    })
  })

  test('names the member that is not reached, what to do, and the next try', async () => {
    const { reasons } = await why()
    expect(reasons).toContainEqual(
      expect.objectContaining({
        reason: 'unreachable',
        member: uuid,
        sentence: expect.stringMatching(/^m1 .*127\.0\.0\.1/),
        nextStep: expect.stringContaining('veche remove m1'),
        nextTryMs: expect.any(Number),
      }),
    )
    const ran = await b.run(['why'])
    expect(ran.stdout).toContain('m1')
  })

  test('names the payload that is missing, and a read says who may have it', async () => {
    const missing = { reason: 'payload-missing', nextStep: expect.any(String) }
    expect((await why()).reasons).toContainEqual(expect.objectContaining(missing))
    expect((await why({ id: 'large' })).reasons).toContainEqual(
      expect.objectContaining({
        ...missing,
        id: 'large',
        sentence: expect.stringContaining('200000'),
      }),
    )
    const client = await JsonClient.open(b.socket)
    const refusal = await client.refusal('get', { id: 'large' })
    expect(refusal.code).toBe('UNAVAILABLE')
    expect(refusal.data.holders).toEqual([uuid])
    client.close()
  })

  test('is silent again when the other is back and all has come', async () => {
    await a.start()
    await lab.allSource()
    await until('all is in sync', async () => (await why()).inSync)
    const ran = await b.run(['why'])
    expect(ran.code).toBe(0)
    const client = await JsonClient.open(b.socket)
    expect((await client.download({ id: 'large' })).bytes.equals(bytes)).toBe(true)
    client.close()
  })
})
