/**
 * Every method of the control socket, asked by an independent client over real daemons: what goes
 * in, what comes out, also across a restart of the daemon.
 */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

type Json = Record<string, unknown>

interface Header extends Json {
  readonly id: string
  readonly version: string
  readonly dataHash: string
  readonly blob: string
  readonly size: number
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hash = expect.stringMatching(/^[0-9a-f]{64}$/)

describe('the socket of a real daemon', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let socket: JsonClient

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    await lab.form()
    socket = await JsonClient.open(a.socket)
  })

  afterAll(async () => {
    socket?.close()
    await lab?.end()
  })

  test('S003-1: a file and an object go in; the header shows id, dataHash, version and size', async () => {
    const bytes = randomBytes(300_000)
    const file = await socket.upload<Header>({ id: 'files/photo', size: bytes.length }, bytes)
    const object = await socket.call<Header>('put', { id: 'objects/one', json: { a: [1, null] } })
    for (const [put, content] of [
      [file, bytes],
      [object, Buffer.from('{"a":[1,null]}')],
    ] as const) {
      const header = await socket.call<Header>('head', { id: put.id })
      expect(header).toMatchObject({
        id: put.id,
        version: put.version,
        dataHash: put.dataHash,
        size: content.length,
        blob: sha256(content),
        position: 1,
      })
      expect(header.version).toBe(sha256(put.id + put.dataHash))
    }
    const { header, bytes: out } = await socket.download({ id: 'files/photo' })
    expect(out.equals(bytes)).toBe(true)
    expect(header.version).toBe(file.version)
    expect(await socket.call('get', { id: 'objects/one' })).toMatchObject({
      json: { a: [1, null] },
      type: 'application/json',
    })
  })

  test('properties come back, text and bytes in their forms, versions by hash and by time', async () => {
    const properties = {
      type: 'text/markdown',
      tags: ['b', 'a'],
      description: 'a note',
      meta: { pages: 3 },
    }
    const first = await socket.call<Header>('put', { id: 'note', text: 'eins', ...properties })
    const { at } = await socket.call<{ at: number }>('head', { id: 'note' })
    const second = await socket.call<Header>('put', {
      id: 'note',
      base64: Buffer.from([0, 255, 1]).toString('base64'),
      ifVersion: first.version,
      wait: 'majority',
      timeoutMs: 10_000,
    })
    expect(second).toMatchObject({
      level: 'majority',
      heldBy: [expect.any(String), expect.any(String)],
    })
    expect(second.version).toBe(sha256(first.version + second.dataHash))
    const old = { ...properties, tags: ['a', 'b'], text: 'eins', state: 'agreed' }
    expect(await socket.call('get', { id: 'note', version: first.version })).toMatchObject(old)
    expect(await socket.call('get', { id: 'note', at })).toMatchObject({ text: 'eins' })
    expect(await socket.call('get', { id: 'note' })).toMatchObject({
      base64: 'AP8B',
      type: 'application/octet-stream',
      position: 2,
    })
    expect(
      await socket.call('get', { id: 'note', version: first.version, as: 'base64' }),
    ).toMatchObject({ base64: 'ZWlucw==' })
    const { facts } = await socket.call<{ facts: Json[] }>('history', { id: 'note' })
    expect(facts).toMatchObject([
      { version: second.version, parents: [first.version], deleted: false },
      { version: first.version, parents: [], deleted: false },
    ])
    const page = await socket.call<{ facts: Json[] }>('history', {
      id: 'note',
      after: second.version,
      limit: 1,
    })
    expect(page.facts).toMatchObject([{ version: first.version }])
  })

  test('a delete ends an item, lists and history still know it, and a new put goes on', async () => {
    const put = await socket.call<Header>('put', { id: 'gone', text: 'soon' })
    const end = await socket.call<Header>('delete', { id: 'gone', ifVersion: put.version })
    expect(end).toMatchObject({ dataHash: '0'.repeat(64), blob: null })
    expect(end.version).toBe(sha256(put.version + '0'.repeat(64)))
    expect((await socket.refusal('get', { id: 'gone' })).code).toBe('NOT_FOUND')
    const ids = async (params: Json) =>
      (await socket.call<{ items: Header[] }>('list', params)).items.map(({ id }) => id)
    expect(await ids({ prefix: 'gone' })).toEqual([])
    expect(await ids({ prefix: 'gone', deleted: true })).toEqual(['gone'])
    const back = await socket.call<Header>('put', { id: 'gone', text: 'back' })
    expect(back.version).toBe(sha256(end.version + back.dataHash))
  })

  test('lists run in byte order of ids, page after page', async () => {
    const ids = ['list/Z', 'list/a', 'list/a/b', 'list/a0', 'list/ä', 'list/~~x']
    for (const id of ids.toReversed()) await socket.call('put', { id, text: id, wait: 'pending' })
    const seen: string[] = []
    for (let after: string | undefined; ; ) {
      const params: Json = { prefix: 'list/', limit: 2, ...(after === undefined ? {} : { after }) }
      const page = await socket.call<{ items: Header[]; next?: string }>('list', params)
      seen.push(...page.items.map(({ id }) => id))
      after = page.next
      if (after === undefined) break
    }
    expect(seen).toEqual(['list/Z', 'list/a', 'list/a/b', 'list/a0', 'list/~~x', 'list/ä'])
  })

  test('S003-4: links show both ways after a sync; a dangling one is listed by verify and blocks nothing', async () => {
    await socket.call('put', { id: 'links/target', text: 't', wait: 'majority' })
    const put = await socket.call<Header>('put', {
      id: 'links/from',
      text: 'f',
      dependsOn: ['links/target', 'links/nowhere'],
      wait: 'majority',
    })
    expect(put.level).toBe('majority')
    for (const member of [a, b]) {
      const links = (id: string) => member.json<Json>(['links', id])
      await until(`${member.name} links both ways`, async () => {
        const { dependedOnBy } = (await links('links/target')) as { dependedOnBy: string[] }
        return dependedOnBy.includes('links/from')
      })
      const { dependsOn } = (await links('links/from')) as { dependsOn: Json[] }
      expect(new Set(dependsOn)).toEqual(
        new Set([
          { id: 'links/target', missing: false },
          { id: 'links/nowhere', missing: true },
        ]),
      )
      expect(await member.call('head', { id: 'links/from' })).toMatchObject({
        size: 1,
        dependsOn: ['links/nowhere', 'links/target'],
      })
      expect(await member.call('verify')).toMatchObject({
        ok: true,
        damages: [],
        danglingLinks: [{ id: 'links/from', missing: 'links/nowhere' }],
      })
    }
  })

  test('status and members say who is here; why says that all is well', async () => {
    const own = await socket.call<Json>('status', { liveHash: true })
    expect(own).toMatchObject({
      uuid: expect.any(String),
      name: 'm1',
      network: 'lab',
      status: 'source',
      synchronized: true,
      hash,
      liveHash: hash,
      cut: expect.any(Number),
      pending: 0,
      unsettled: expect.any(Number),
      items: expect.any(Number),
      facts: expect.any(Number),
      lastCheck: { marked: expect.any(Number), of: expect.any(Number) },
      problems: [],
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
    const { members } = await socket.call<{ members: Json[] }>('members')
    expect(members).toHaveLength(2)
    for (const member of members) {
      expect(member).toMatchObject({
        uuid: expect.any(String),
        name: expect.stringMatching(/^m[12]$/),
        status: 'source',
        hash,
        lastHeardMs: expect.any(Number),
        rttMs: expect.any(Number),
        inSync: true,
        address: expect.stringContaining('/tcp/'),
      })
    }
    expect(await socket.call('why')).toEqual({ inSync: true, reasons: [] })
  })

  test('each event comes once per cursor, across a restart of the daemon', async () => {
    const watching = await JsonClient.open(a.socket)
    const { cursor: start } = await watching.call<{ watch: number; cursor: string }>('watch', {
      prefix: 'seen/',
    })
    const eventsOf = (client: JsonClient) =>
      client.notifications
        .filter(({ method, params }) => method === 'event' && params.kind === 'added')
        .map(({ params }) => params)
    const write = async (client: JsonClient, id: string) => client.call('put', { id, text: id })
    for (const id of ['seen/1', 'unseen', 'seen/2']) await write(socket, id)
    await until('two events came', async () => eventsOf(watching).length === 2)
    const last = eventsOf(watching)[0]!.cursor // resume after the first: the second comes again

    await a.kill('SIGKILL')
    await watching.closed
    await a.start()
    socket = await JsonClient.open(a.socket)
    await write(socket, 'seen/3')
    const again = await JsonClient.open(a.socket)
    await again.call('watch', { prefix: 'seen/', since: last })
    await write(socket, 'seen/4')
    await until('three events came', async () => eventsOf(again).length >= 3)
    expect(eventsOf(again).map(({ id }) => id)).toEqual(['seen/2', 'seen/3', 'seen/4'])

    const whole = await JsonClient.open(a.socket)
    await whole.call('watch', { prefix: 'seen/', since: start })
    await until('four events came', async () => eventsOf(whole).length >= 4)
    expect(eventsOf(whole).map(({ id }) => id)).toEqual(['seen/1', 'seen/2', 'seen/3', 'seen/4'])
    expect(new Set(eventsOf(whole).map(({ cursor }) => cursor)).size).toBe(4)
    again.close()
    whole.close()
  })

  test('S003-5: a collision is an event with both versions on every member; resolve ends it', async () => {
    await lab.allSource()
    const wait = { wait: 'pending' }
    const base = await socket.call<Header>('put', { id: 'report', text: 'base' })
    await until('b has it', async () => {
      const { items } = await b.call<{ items: Header[] }>('list', { prefix: 'report' })
      return items[0]?.version === base.version
    })
    await b.kill('SIGKILL')
    const mine = await socket.call<Header>('put', { id: 'report', text: 'of a', ...wait })
    socket.close()
    await a.kill('SIGKILL')
    await b.start()
    const other = await b.call<Header>('put', { id: 'report', text: 'of b', ...wait })
    await a.start()
    await lab.allSource()
    socket = await JsonClient.open(a.socket)

    const at = [...mine.version].findIndex((digit, index) => digit !== other.version[index])
    const ids = [`report~${mine.version[at]}`, `report~${other.version[at]}`]
    for (const member of [a, b]) {
      const client = await JsonClient.open(member.socket)
      await client.call('watch', { since: '0' })
      const collision = () => client.notifications.find(({ params }) => params.kind === 'collision')
      await until(`${member.name} tells of the collision`, async () => collision() !== undefined)
      const { branches, versions } = collision()!.params as {
        branches: Header[]
        versions: string[]
      }
      expect(new Set(versions)).toEqual(new Set([mine.version, other.version]))
      expect(new Set(branches.map(({ id }) => id))).toEqual(new Set(ids))
      expect(member.log).toContain(mine.version)
      expect(member.log).toContain(other.version)
      client.close()
    }
    const { collisions } = await socket.call<{ collisions: Json[] }>('collisions')
    expect(collisions).toMatchObject([{ id: 'report', branches: [{}, {}] }])
    const split = await socket.refusal('get', { id: 'report' })
    expect(split.code).toBe('SPLIT')
    expect(new Set(split.data.ids as string[])).toEqual(new Set(ids))
    expect(await socket.call('get', { id: ids[0] })).toMatchObject({ text: 'of a' })
    expect(await socket.call('get', { id: ids[1] })).toMatchObject({ text: 'of b' })

    await socket.call('resolve', { id: 'report', keep: ids[1] })
    expect(await socket.call('get', { id: 'report' })).toMatchObject({ text: 'of b' })
    expect(await socket.call('collisions')).toEqual({ collisions: [] })
    await until('b sees it whole', async () => {
      const { collisions: left } = await b.call<{ collisions: Json[] }>('collisions')
      return left.length === 0
    })
  })

  test('invite gives a token; remove and leave take a member out, which then reads only', async () => {
    const invited = await socket.call<Json>('invite', { uses: 2, expiresInMs: 60_000 })
    expect(invited).toMatchObject({ token: expect.any(String), uses: 2 })
    expect(invited.addresses).not.toEqual([])
    const { name, uuid } = await socket.call<Json>('remove', { member: 'm2' })
    expect([name, uuid]).toEqual(['m2', (await status(b)).uuid])
    await until('b knows', async () => (await status(b)).status === 'removed')
    expect((await socket.call<{ members: Json[] }>('members')).members).toHaveLength(1)
    expect(await socket.call('leave')).toMatchObject({ unshared: 0 })
    await until('a knows', async () => (await status(a)).status === 'removed')
    expect(await socket.call('get', { id: 'report' })).toMatchObject({ text: 'of b' })
    expect((await socket.refusal('put', { id: 'report', text: 'no' })).code).toBe('REMOVED')
  })
})
