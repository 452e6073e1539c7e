/** The TypeScript client against a served twin: methods, streams, losses and resumption. */
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import { type ControlServer, startControlServer } from '../../src/control/server.ts'
import type { WatchEvent } from '../../src/index.ts'
import { type ControlFixture, startFixture } from '../support/control.ts'
import type { MemoryMember } from '../support/memory-member.ts'

let fixture: ControlFixture
let client: Client
let member: MemoryMember

beforeEach(async () => {
  fixture = await startFixture()
  member = fixture.member
  client = await connect({ store: fixture.folder })
})

afterEach(async () => {
  await client.close()
  await fixture.stop()
})

/** The daemon, started again over the same member, as after a crash. */
async function restart(): Promise<ControlServer> {
  await fixture.server.close(0)
  const { path } = fixture
  const server = await startControlServer({ path, service: member, report: () => {} })
  Object.assign(fixture, { server })
  return server
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('calls', () => {
  test('every method answers what the member says', async () => {
    const put = await client.put({ id: 'a', json: { n: 1 }, dependsOn: ['b'] })
    await client.put({ id: 'b', text: 'x', tags: ['t'] })
    expect((await client.get({ id: 'a' })).json).toEqual({ n: 1 })
    expect((await client.head({ id: 'b' })).dependedOnBy).toEqual(['a'])
    expect((await client.links({ id: 'a' })).dependsOn).toEqual([{ id: 'b', missing: false }])
    expect((await client.list({ prefix: 'a' })).items.map(({ id }) => id)).toEqual(['a'])
    expect((await client.history({ id: 'a' })).facts[0]?.version).toBe(put.version)
    await client.delete({ id: 'b', ifVersion: (await client.head({ id: 'b' })).version })
    await expect(client.get({ id: 'b' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await client.why()).inSync).toBe(true)
    expect((await client.members()).members).toHaveLength(1)
    expect((await client.invite({ uses: 2 })).uses).toBe(2)
    expect((await client.status({ liveHash: true })).liveHash).toHaveLength(64)
    expect((await client.leave()).unshared).toBe(0)
    await expect(client.remove('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a collision is listed and resolved', async () => {
    member.collide('r', { 'r~3': 'left', 'r~a': 'right' })
    await expect(client.get({ id: 'r' })).rejects.toMatchObject({
      code: 'SPLIT',
      data: { ids: ['r~3', 'r~a'] },
    })
    expect((await client.collisions()).collisions[0]?.branches).toHaveLength(2)
    await client.resolve({ id: 'r', keep: 'r~a' })
    expect((await client.get({ id: 'r' })).text).toBe('right')
    expect((await client.collisions()).collisions).toEqual([])
  })

  test('a thousand calls at once are all answered, each with its own answer', async () => {
    const puts = Array.from({ length: 1000 }, (_, n) => client.put({ id: `k${n}`, text: `${n}` }))
    expect((await Promise.all(puts)).map(({ id }) => id)).toEqual(puts.map((_, n) => `k${n}`))
  })

  test('items walks all pages', async () => {
    for (let n = 0; n < 25; n++) await client.put({ id: `k${n}`, text: '' })
    const ids = []
    for await (const { id } of client.items({ limit: 10 })) ids.push(id)
    expect(ids).toHaveLength(25)
    expect(new Set(ids).size).toBe(25)
  })

  test('verify tells its progress', async () => {
    const phases: string[] = []
    const result = await client.verify(({ phase }) => phases.push(phase))
    expect(result.ok).toBe(true)
    expect(phases).toContain('payloads')
  })

  test('where nobody answers, connect says how to start a member', async () => {
    const nowhere = connect({ socket: join(fixture.folder, 'none.sock') })
    await expect(nowhere).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await expect(nowhere).rejects.toThrow('veche start')
  })
})

describe('a lost connection', () => {
  test('a put whose answer was lost is UNKNOWN and is not sent twice', async () => {
    member.hold = new Promise(() => {})
    const put = client.put({ id: 'a', text: '1' })
    const refused = expect(put).rejects.toMatchObject({ code: 'UNKNOWN' })
    await until(() => member.writesBegun === 1)
    await restart()
    await refused
    await client.status()
    expect(member.writesBegun).toBe(1)
  })

  test('a read whose answer was lost is asked again', async () => {
    await client.put({ id: 'a', text: '1' })
    let asked = 0
    const get = member.get.bind(member)
    member.get = async (params, max) => {
      if (asked++ === 0) await new Promise(() => {})
      return get(params, max)
    }
    const read = client.get({ id: 'a' })
    await until(() => asked === 1)
    await restart()
    expect((await read).text).toBe('1')
  })

  test('reads find the restarted daemon by themselves, and writes follow', async () => {
    await restart()
    expect((await client.status()).name).toBe('twin')
    expect((await client.put({ id: 'a', text: '1' })).id).toBe('a')
  })

  test('a daemon that stays away is NOT_RUNNING after the bound', async () => {
    const hasty = await connect({ store: fixture.folder, reconnectMs: 0 })
    await fixture.server.close(0)
    await until(() => true)
    await expect(hasty.status()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await hasty.close()
  })

  test('a closed client says so', async () => {
    await client.close()
    await expect(client.status()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('payloads', () => {
  test('go up from a stream and come down as a stream', async () => {
    const payload = randomBytes(2_000_000)
    const source = Readable.from([payload.subarray(0, 700_000), payload.subarray(700_000)])
    const put = await client.upload({ id: 'big', size: payload.length }, source)
    expect(put.blob).toBe(createHash('sha256').update(payload).digest('hex'))
    const { header, stream } = await client.download({ id: 'big' })
    expect(header.size).toBe(payload.length)
    expect((await gather(stream)).equals(payload)).toBe(true)
  })

  test('an empty payload goes both ways', async () => {
    await client.upload({ id: 'e', size: 0 }, [])
    expect(await gather((await client.download({ id: 'e' })).stream)).toHaveLength(0)
  })

  test.each([
    ['too short', 3],
    ['too long', 30],
  ])('a source that is %s stores nothing', async (_, length) => {
    const upload = client.upload({ id: 'a', size: 10 }, [new Uint8Array(length)])
    await expect(upload).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await fixture.server.close()
    expect((await member.status({})).facts).toBe(0)
  })

  test('a source that fails stores nothing and its error comes through', async () => {
    const failing = (async function* () {
      yield new Uint8Array(5)
      throw new Error('disk on fire')
    })()
    await expect(client.upload({ id: 'a', size: 10 }, failing)).rejects.toThrow('disk on fire')
    await fixture.server.close()
    expect((await member.status({})).facts).toBe(0)
  })

  test('a refusal comes before the whole payload is sent', async () => {
    let sent = 0
    const endless = (async function* () {
      for (;;) {
        sent += 65536
        yield new Uint8Array(65536)
      }
    })()
    const upload = client.upload({ id: '', size: Number.MAX_SAFE_INTEGER }, endless)
    await expect(upload).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(sent).toBeLessThan(1e9)
  })

  test('a download that breaks off throws and never looks whole', async () => {
    await client.put({ id: 'a', text: '0123456789' })
    const { header } = await member.get({ id: 'a' }, 100)
    member.download = async () => ({
      header,
      stream: (async function* () {
        yield new Uint8Array(5)
        throw new Error('gone')
      })(),
    })
    const { stream } = await client.download({ id: 'a' })
    await expect(gather(stream)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('bytes that do not match the hash throw DAMAGED', async () => {
    await client.put({ id: 'a', text: '0123456789' })
    const { header } = await member.get({ id: 'a' }, 100)
    member.download = async () => ({
      header,
      stream: (async function* () {
        yield new Uint8Array(10)
      })(),
    })
    const { stream } = await client.download({ id: 'a' })
    await expect(gather(stream)).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('an upload whose daemon dies in the middle is told to have stored nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const source = (async function* () {
      yield new Uint8Array(5)
      await promise
      yield new Uint8Array(5)
    })()
    const upload = client.upload({ id: 'a', size: 10 }, source)
    const refused = expect(upload).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await until(() => member.writesBegun === 1)
    await fixture.server.close(0)
    resolve()
    await refused
  })
})

describe('watch', () => {
  test('gives each event once across restarts of the daemon', async () => {
    const seen: WatchEvent[] = []
    const connections: string[] = []
    const stop = new AbortController()
    const watching = (async () => {
      for await (const event of client.watch({
        signal: stop.signal,
        onConnection: state => connections.push(state),
      }))
        seen.push(event)
    })()
    await until(() => member.log.open === 1)
    for (let n = 0; n < 30; n++) {
      await member.put({ id: `k${n}`, payload: new Uint8Array(), type: 'x/y' })
      if (n % 10 === 5) {
        await restart()
        await member.put({ id: `away${n}`, payload: new Uint8Array(), type: 'x/y' })
      }
    }
    await until(() => seen.length === 33)
    expect(new Set(seen.map(({ cursor }) => cursor)).size).toBe(33)
    expect(connections.slice(0, 2)).toEqual(['lost', 'open'])
    stop.abort()
    await watching
    await until(() => member.log.open === 0)
  })

  test('resumes after its last cursor in another process of the reader', async () => {
    for (const id of ['a', 'b', 'c'])
      await member.put({ id, payload: new Uint8Array(), type: 'x/y' })
    let cursor = ''
    for await (const event of client.watch({ since: '0' })) {
      cursor = event.cursor
      break
    }
    const next = await client.watch({ since: cursor }).next()
    expect(next.value).toMatchObject({ id: 'b' })
  })

  test('of events that are no longer kept throws EXPIRED', async () => {
    for (const id of ['a', 'b', 'c'])
      await member.put({ id, payload: new Uint8Array(), type: 'x/y' })
    member.log.trim(3)
    await expect(client.watch({ since: '1' }).next()).rejects.toMatchObject({ code: 'EXPIRED' })
  })

  test('ends when the client is closed', async () => {
    const watching = client.watch()
    const next = watching.next()
    await until(() => member.log.open === 1)
    await client.close()
    expect((await next).done).toBe(true)
  })

  test('a reader that leaves frees the connection', async () => {
    const watching = client.watch({ since: '0' })
    await member.put({ id: 'a', payload: new Uint8Array(), type: 'x/y' })
    await watching.next()
    await watching.return()
    await until(() => member.log.open === 0)
  })
})

test('a daemon that stops does not wait for idle clients', async () => {
  const other = await connect({ socket: fixture.path })
  const closed = fixture.server.close(60_000)
  await closed
  await other.close()
})
