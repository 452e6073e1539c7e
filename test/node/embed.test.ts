/** `open`: a member in a program's own process, held to what `connect` gives over the socket. */
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  connect,
  type EmbeddedMember,
  type MemberMethods,
  type OpenOptions,
  open,
} from '../../src/index.ts'
import { until } from '../support/lab.ts'
import { tempFolders } from '../support/temp-folders.ts'

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']
const folders = tempFolders()
const opened: EmbeddedMember[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(member => member.close()))
  await folders.remove()
})

async function opens(options: OpenOptions): Promise<EmbeddedMember> {
  const member = await open({ mdns: false, ...options })
  opened.push(member)
  return member
}

async function isSource(member: MemberMethods): Promise<boolean> {
  return (await member.status()).status === 'source'
}

/** Two members of one network that see each other. */
async function pair(options: Partial<OpenOptions> = {}) {
  const a = await opens({ store: 'memory', name: 'a', listen: LOOPBACK, ...options })
  await until('the first is Source', () => isSource(a))
  const { token } = await a.invite()
  const b = await opens({ store: 'memory', name: 'b', listen: LOOPBACK, ...options, join: token })
  await until('both agree', async () => (await isSource(a)) && (await haveOneHash(a, b)))
  return { a, b }
}

async function haveOneHash(...members: readonly MemberMethods[]): Promise<boolean> {
  const all = await Promise.all(members.map(member => member.status()))
  return all.every(
    one =>
      one.hash === all[0]?.hash &&
      one.unsettled === 0 &&
      one.pending === 0 &&
      one.members.every(other => other.reached && other.status === 'source'),
  )
}

describe('a member in memory', () => {
  it('is whole when it is alone: it takes, tells and gives back, and listens nowhere', async () => {
    const member = await opens({ store: 'memory', name: 'alone', listen: [] })
    expect(member.addresses).toEqual([])
    await until('it is Source', () => isSource(member))
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of member.watch({ since: '0' }))
        if ('id' in event) seen.push(`${event.kind} ${event.id}`)
    })()
    const put = await member.put({ id: 'notes/a', text: 'first', tags: ['x'] })
    expect(put).toMatchObject({ level: 'majority', of: 1, heldBy: [member.uuid] })
    await member.put({ id: 'notes/a', text: 'second', ifVersion: put.version })
    await member.put({ id: 'notes/b', json: { n: 1 }, dependsOn: ['notes/a'], ifVersion: null })
    await expect(member.put({ id: 'notes/b', text: '', ifVersion: null })).rejects.toThrow('again')
    await member.delete({ id: 'notes/b' })
    expect(await member.get({ id: 'notes/a' })).toMatchObject({ text: 'second', position: 2 })
    expect(await member.get({ id: 'notes/a', version: put.version })).toMatchObject({
      text: 'first',
      tags: ['x'],
    })
    expect((await gathered(member.items())).map(item => item.id)).toEqual(['notes/a'])
    expect((await member.history({ id: 'notes/a' })).facts).toHaveLength(2)
    expect((await member.verify()).ok).toBe(true)
    await until('the watch has told it all', async () => seen.includes('deleted notes/b'))
    await member.close()
    await watching
    expect(seen.filter(line => line.startsWith('added'))).toEqual([
      'added notes/a',
      'added notes/a',
      'added notes/b',
    ])
  })

  it('shares no object with its program: a changed argument or answer changes nothing', async () => {
    const member = await opens({ store: 'memory', listen: [] })
    const meta = { list: [1] }
    const bytes = new Uint8Array(40_000).fill(1)
    async function* source() {
      for (let at = 0; at < 2; at++) {
        yield bytes
        bytes.fill(2)
      }
    }
    await member.upload({ id: 'a', size: 80_000, meta }, source())
    meta.list.push(2)
    const first = await member.head({ id: 'a' })
    ;(first.meta as typeof meta).list.push(3)
    expect((await member.head({ id: 'a' })).meta).toEqual({ list: [1] })
    const { stream } = await member.download({ id: 'a' })
    const whole = Buffer.concat(await gathered(stream))
    expect([whole.length, whole[39_999], whole[40_000]]).toEqual([80_000, 1, 2])
  })

  it('throws CLOSED after its end', async () => {
    const member = await opens({ store: 'memory', listen: [] })
    await member.close()
    await member.close()
    await expect(member.put({ id: 'a', text: '' })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(member.watch().next()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('two members in one process', () => {
  it('join by a token, hear each other on their first link, and keep the same items', async () => {
    const told: string[] = []
    const log: OpenOptions['log'] = (_, sentence) => told.push(sentence)
    const { a, b } = await pair({ network: { name: 'two' }, log })
    expect(told.filter(sentence => sentence.startsWith('A link was cut'))).toEqual([])
    expect((await b.status()).network).toBe('two')
    const put = await a.put({ id: 'x', text: 'from a' })
    expect(put).toMatchObject({ level: 'majority', of: 2 })
    expect(put.heldBy.toSorted()).toEqual([a.uuid, b.uuid].toSorted())
    expect(await b.get({ id: 'x' })).toMatchObject({ text: 'from a', by: a.uuid })
    await b.put({ id: 'x', text: 'from b' })
    expect(await a.get({ id: 'x' })).toMatchObject({ text: 'from b', position: 2 })
    await until('one hash', () => haveOneHash(a, b))
  })
})

describe('a member that listens nowhere', () => {
  it('joins, dials the others, and hands them what it writes', async () => {
    const a = await opens({ store: 'memory', name: 'a', listen: LOOPBACK })
    await until('the first is Source', () => isSource(a))
    const { token } = await a.invite({ uses: 2 })
    for (const name of ['b', 'c']) {
      const member = await opens({ store: 'memory', name, listen: [], join: token })
      await until('it agrees with the first', async () => (await isSource(member)) && isAgreed())
      async function isAgreed() {
        const [first, own] = await Promise.all([a.status(), member.status()])
        return (
          first.hash === own.hash && own.members.some(one => one.uuid === a.uuid && one.reached)
        )
      }
      await member.put({ id: name, text: name, wait: 'agreed' })
      await until('the first has its item', () => a.head({ id: name }).then(isSo, isNever))
      await member.close()
    }
  })
})

describe('a member on a folder', () => {
  it('is one and the same through open and through connect', async () => {
    const folder = join(await folders.make(), 'store')
    const member = await opens({ store: folder, name: 'kept', listen: LOOPBACK })
    await using client = await connect({ store: folder })
    await until('it is Source', () => isSource(client))
    for (const [at, methods] of ([member, client] as readonly MemberMethods[]).entries()) {
      await methods.put({ id: `item${at}`, json: [at], description: 'd' })
      const told = await Promise.all([
        methods.get({ id: 'item0' }),
        methods.list(),
        methods.get({ id: 'none' }).catch(refusal),
        methods.put({ id: '', text: '' }).catch(refusal),
        methods.get({ id: 'item0', vers: '' } as { id: string }).catch(refusal),
        methods.put({ id: 'item0', text: '', ifVersion: '0'.repeat(64) }).catch(refusal),
        methods.remove('nobody').catch(refusal),
      ])
      const other = at === 0 ? client : member
      expect(told).toEqual(
        await Promise.all([
          other.get({ id: 'item0' }),
          other.list(),
          other.get({ id: 'none' }).catch(refusal),
          other.put({ id: '', text: '' }).catch(refusal),
          other.get({ id: 'item0', vers: '' } as { id: string }).catch(refusal),
          other.put({ id: 'item0', text: '', ifVersion: '0'.repeat(64) }).catch(refusal),
          other.remove('nobody').catch(refusal),
        ]),
      )
    }
  })

  it('is opened again with its items, name and identity; IN_USE while it is open', async () => {
    const folder = join(await folders.make(), 'store')
    const first = await opens({ store: folder, name: 'kept', listen: LOOPBACK })
    await first.put({ id: 'a', text: 'stays' })
    await expect(open({ store: folder })).rejects.toMatchObject({ code: 'IN_USE' })
    await first.close()
    const again = await opens({ store: folder, name: 'another' })
    expect([again.uuid, again.name]).toEqual([first.uuid, 'kept'])
    expect(await again.get({ id: 'a' })).toMatchObject({ text: 'stays' })
  })

  it('takes its token again at the next start, and refuses that of another network', async () => {
    const folder = join(await folders.make(), 'store')
    const a = await opens({ store: 'memory', name: 'a', listen: LOOPBACK })
    await until('the first is Source', () => isSource(a))
    const { token } = await a.invite()
    const b = await opens({ store: folder, listen: LOOPBACK, join: token })
    await b.close()
    const again = await opens({ store: folder, join: token })
    expect(again.uuid).toBe(b.uuid)
    await again.close()
    const foreign = await opens({ store: 'memory', listen: LOOPBACK })
    const other = await foreign.invite()
    await expect(open({ store: folder, join: other.token })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })

  it('leaves nothing behind when it cannot be made', async () => {
    const folder = join(await folders.make(), 'store')
    for (const options of [
      { join: 'no token' },
      { announce: ['/ip4/127.0.0.1'] },
      { policy: 'both' as 'split' },
    ])
      await expect(open({ store: folder, ...options })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
    await expect(connect({ store: folder })).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    const member = await opens({ store: folder, listen: [] })
    expect(member.addresses).toEqual([])
  })
})

describe('what others are told to dial', () => {
  it('is what is announced, in the invitation and in the roster', async () => {
    const announce = ['/dns4/home.example/tcp/4001']
    const member = await opens({ store: 'memory', listen: LOOPBACK, announce })
    const told = [`${announce[0]}/p2p/${member.uuid}`]
    expect(member.addresses).toEqual(told)
    expect((await member.invite()).addresses).toEqual(told)
    expect((await member.status()).members[0]?.address).toContain(announce[0])
  })
})

describe('a policy of the program', () => {
  it('settles what two members changed apart', async () => {
    const { a, b } = await apart((_, heads) => ({
      keep: heads.toSorted((x, y) => y.fact.size - x.fact.size)[0]?.version ?? '',
    }))
    await until('both agree again', () => haveOneHash(a, b))
    for (const member of [a, b]) {
      expect(await member.get({ id: 'x' })).toMatchObject({ text: 'the longer text' })
      expect(await member.collisions()).toEqual({ collisions: [] })
    }
  })

  it('that breaks its promise stops its member, and the program is told', async () => {
    const told: Error[] = []
    const onFatal = (error: Error) => told.push(error)
    const { a } = await apart(() => ({ keep: 'no head' }), { onFatal })
    const watching = a.watch({ since: '0' })
    const ended = (async () => {
      for await (const _ of watching);
    })()
    ended.catch(() => undefined) // read below
    await until('the program is told', async () => told.length > 0)
    await expect(ended).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(told[0]?.message).toContain('a custom policy keeps one of the heads')
    await until('the member throws', () => a.status().then(isNever, isInternal))
    await a.close()
  })
})

/**
 * Two members that have changed one item apart, and meet again. With `onFatal` the policy is a's
 * alone: else the other one might end by it before a has heard of its change.
 */
async function apart(
  policy: NonNullable<OpenOptions['policy']>,
  only?: Pick<OpenOptions, 'onFatal'>,
) {
  const stores = [join(await folders.make(), 'a'), join(await folders.make(), 'b')] as const
  const options = { listen: LOOPBACK, policy, ...only }
  const others = only === undefined ? options : { listen: LOOPBACK }
  const first = await opens({ store: stores[0], ...options })
  await until('the first is Source', () => isSource(first))
  const { token } = await first.invite()
  const second = await opens({ store: stores[1], ...others, join: token })
  await first.put({ id: 'x', text: 'base' })
  await until('both agree', () => haveOneHash(first, second))
  await first.close()
  await second.put({ id: 'x', text: 'the longer text', wait: 'pending' })
  await second.close()
  const a = await opens({ store: stores[0], ...options })
  await a.put({ id: 'x', text: 'short', wait: 'pending' })
  const b = await opens({ store: stores[1], ...others })
  return { a, b }
}

function isSo(): boolean {
  return true
}

function isNever(): boolean {
  return false
}

function isInternal(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'INTERNAL'
}

async function gathered<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

function refusal(error: unknown) {
  const { code, message, data } = error as { code: string; message: string; data: object }
  return { code, message, data }
}
