/**
 * Members that come, go, are removed, lose their disk or hear only one way: three real daemons in
 * three network namespaces.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient } from '../support/json-client.ts'
import { isRoot, Lab, LabMember, status, until } from '../support/lab.ts'
import { filter } from '../support/namespaces.ts'

interface Put {
  readonly level: string
  readonly heldBy: readonly string[]
}

describe.skipIf(!isRoot)('members that come and go', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let c: LabMember

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: true })
    ;[a, b, c] = lab.members as [LabMember, LabMember, LabMember]
    await lab.form()
  }, 90_000)

  afterAll(async () => {
    await lab?.end()
  })

  const text = async (member: LabMember, id: string) =>
    (await member.call<{ text: string }>('get', { id })).text
  const put = (member: LabMember, id: string, content: string, wait = 'majority') =>
    member.call<Put>('put', { id, text: content, wait })
  const has = async (member: LabMember, id: string) =>
    (await member.call<{ items: { id: string }[] }>('list', { prefix: id })).items.some(
      item => item.id === id,
    )
  async function rejoin(member: LabMember): Promise<void> {
    const { token } = await a.json<{ token: string }>(['invite'])
    await member.json(['join', token, '--name', member.name])
  }

  test('S003-25: three empty members are all Source within 5 s', async () => {
    await Promise.all(lab.members.map(member => member.kill()))
    await Promise.all(lab.members.map(member => member.start()))
    const took = await until(
      'all are Source',
      async () => (await Promise.all(lab.members.map(status))).every(s => s.status === 'source'),
      5000,
      20,
    )
    expect(took).toBeLessThan(5000)
    expect((await Promise.all(lab.members.map(status))).map(s => s.items)).toEqual([0, 0, 0])
  })

  test('a member that was killed is back in gossip within 2 s of its listening', async () => {
    await c.kill('SIGKILL')
    await until('the others miss it', async () =>
      (await Promise.all([a, b].map(status))).every(
        s => s.members.find(m => m.name === c.name)?.reached === false,
      ),
    )
    await c.start() // its socket answers after it listens
    const took = await until(
      'both others reach it, and it reaches both',
      async () =>
        (await Promise.all(lab.members.map(status))).every(s => s.members.every(m => m.reached)),
      2000,
      20,
    )
    expect(took).toBeLessThan(2000)
    await lab.allSource()
  })

  test('a link that works one way only is noticed, told, and healed', async () => {
    const drop = `table inet t { chain c { type filter hook input priority 0; ip saddr ${a.address} drop; }; }`
    filter(b.namespace!, drop)
    const unreached = async (member: LabMember, of: LabMember) =>
      (await status(member)).members.find(m => m.name === of.name)?.reached === false
    await until('a and b know', async () => (await unreached(a, b)) && (await unreached(b, a)))
    const { reasons } = await a.call<{ reasons: { reason: string; sentence: string }[] }>('why')
    expect(reasons).toContainEqual(
      expect.objectContaining({ reason: 'unreachable', sentence: expect.stringContaining('m2') }),
    )
    await put(c, 'one-way', 'written meanwhile', 'agreed')
    filter(b.namespace!, '')
    await lab.allSource()
    expect(await text(b, 'one-way')).toBe('written meanwhile')
  })

  test('S003-25: a wiped disk that joins again costs the others nothing', async () => {
    await put(a, 'before', 'the wipe')
    await lab.allSource()
    const { hash, items } = await status(a)
    const dead = (await status(c)).uuid
    await c.kill('SIGKILL')
    rmSync(c.store, { recursive: true })
    await a.json(['remove', dead])
    await rejoin(c)
    await c.start()
    await lab.allSource()
    expect((await Promise.all(lab.members.map(status))).map(s => [s.hash, s.items])).toEqual([
      [hash, items],
      [hash, items],
      [hash, items],
    ])
    expect(await text(c, 'before')).toBe('the wipe')
  })

  test('a removed member says so, reads on, takes no writes, and hands in what it holds when it joins again', async () => {
    lab.link(c, 'down')
    await until('c is alone, and a knows', async () => {
      const [own, other] = await Promise.all([c, a].map(status))
      const reaches = (of: typeof own, name: string) =>
        of?.members.some(m => m.name === name && m.reached)
      return !reaches(own, 'm1') && !reaches(own, 'm2') && !reaches(other, 'm3')
    })
    await put(c, 'only-here', 'what c alone holds', 'pending')
    const removed = await a.json<{ warning?: string }>(['remove', c.name])
    expect(removed.warning).toContain('stays with it')
    lab.link(c, 'up')
    await until('c learns of it', async () => (await status(c)).status === 'removed', 30_000)
    expect((await status(a)).members.map(m => m.name).sort()).toEqual(['m1', 'm2'])

    expect(await text(c, 'only-here')).toBe('what c alone holds')
    const client = await JsonClient.open(c.socket)
    for (const [method, params] of [
      ['put', { id: 'x', text: 'x' }],
      ['delete', { id: 'before' }],
      ['invite', {}],
    ] as const) {
      expect((await client.refusal(method, params)).code).toBe('REMOVED')
    }
    client.close()
    expect(await has(a, 'only-here')).toBe(false)

    await c.kill('SIGINT')
    await rejoin(c)
    await c.start()
    await lab.allSource()
    for (const member of lab.members)
      expect(await text(member, 'only-here')).toBe('what c alone holds')
  })

  test('a member that leaves is gone for all, and one that is away learns of its removal later', async () => {
    expect(await b.call('leave')).toMatchObject({ unshared: 0 })
    await until('all know', async () => {
      const [own, first, third] = await Promise.all([b, a, c].map(status))
      return own!.status === 'removed' && first!.members.length === 2 && third!.members.length === 2
    })
    expect((await put(a, 'after', 'the leaving')).level).toBe('majority')
    expect(await has(b, 'after')).toBe(false)

    await c.kill('SIGKILL')
    await a.json(['remove', c.name])
    await c.start()
    await until('c learns of it', async () => (await status(c)).status === 'removed', 30_000)
    expect((await put(a, 'alone', 'in the network')).level).toBe('majority')
    expect(await text(c, 'after')).toBe('the leaving')
  })

  test('a peer of another network is let in by nobody', async () => {
    const stranger = new LabMember({
      name: 'stranger',
      store: `${lab.folder}/stranger`,
      address: b.address,
      namespace: b.namespace,
    })
    lab.members.push(stranger)
    await b.kill('SIGINT')
    await stranger.json(['init', '--network', 'elsewhere'])
    await stranger.start()
    await put(stranger, 'strange', 'not for you')
    await lab.allSource([a])
    const before = await status(a)
    const { promise, resolve } = Promise.withResolvers<void>()
    const client = await JsonClient.open(stranger.socket)
    await client.call('watch')
    setTimeout(resolve, 3000) // mDNS finds both, if anything does
    await promise
    expect(client.notifications.filter(({ params }) => params.kind === 'member')).toEqual([])
    client.close()
    lab.members.pop()
    await stranger.kill('SIGINT')
    expect((await status(a)).hash).toBe(before.hash)
    expect((await status(a)).members).toHaveLength(before.members.length)
  })
})
