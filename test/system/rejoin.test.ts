/**
 * A member that was removed keeps what it holds, says that it is removed, and comes back with a new
 * token: then it hands in what only it has (PROTOCOL 10, G1).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0']

describe('a member that was removed', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    await lab.form(loopback, {}, ['--no-mdns'])
  })

  afterAll(async () => {
    await lab?.end()
  })

  test('reads, takes no writes, and hands in what it alone holds when it joins again', async () => {
    await a.json(['put', 'shared', '-'], 'both have it')
    await until('b has it', async () => (await b.run(['get', 'shared'])).stdout === 'both have it')
    await a.kill('SIGTERM')
    await until('b is alone', async () =>
      (await status(b)).members.every(m => m.name === 'm2' || !m.reached),
    )
    const lonely = await b.json<{ level: string }>(
      ['put', 'lonely', '-', '--wait', 'pending'],
      'only b has it',
    )
    expect(['pending', 'agreed']).toContain(lonely.level)
    await b.kill('SIGTERM')
    await a.start({}, ['--no-mdns'])
    await until('a is Source', async () => (await status(a)).status === 'source')
    await a.json(['remove', 'm2'])
    await b.start({}, ['--no-mdns'])
    await until('b knows', async () => (await status(b)).status === 'removed')
    expect((await b.run(['get', 'shared'])).stdout).toBe('both have it')
    const refused = await b.run(['put', 'no', '-'], 'x')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('removed')
    expect((await a.run(['get', 'lonely'])).code).toBe(1)
    await b.kill('SIGTERM')
    const { token } = await a.json<{ token: string }>(['invite'])
    const again = await b.json<{ uuid: string; network: string }>(['join', token])
    expect(again.network).toBe('lab')
    await b.start({}, ['--no-mdns'])
    await lab.allSource()
    expect((await a.run(['get', 'lonely'])).stdout).toBe('only b has it')
    expect((await status(b)).uuid).toBe(again.uuid)
    const twice = await b.run(['join', token])
    expect(twice.code).not.toBe(0)
  }, 90_000)
})

describe('a machine that was let in by a member which was removed before it told anybody', () => {
  let lab: Lab

  afterAll(async () => {
    await lab?.end()
  })

  test('is told that nobody knows it, and joins again with what it holds', async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    const [a, b, c] = lab.members as [LabMember, LabMember, LabMember]
    const tokenOf = async (one: LabMember) => (await one.json<{ token: string }>(['invite'])).token
    await a.json(['init', '--name', 'm1', '--network', 'lab', ...loopback])
    await a.start({}, ['--no-mdns'])
    await until('a is Source', async () => (await status(a)).status === 'source')
    await b.json(['join', await tokenOf(a), '--name', 'm2', ...loopback])
    await b.start({}, ['--no-mdns'])
    await lab.allSource([a, b])
    await a.kill('SIGTERM')
    await until('b is Source alone', async () => {
      const { status: own, members } = await status(b)
      return own === 'source' && members.every(m => m.name === 'm2' || !m.reached)
    })
    await c.json(['join', await tokenOf(b), '--name', 'm3', ...loopback])
    await b.kill('SIGTERM')
    await c.start({}, ['--no-mdns'])
    await c.json(['put', 'lonely', '-', '--wait', 'pending'], 'only c has it')
    await a.start({}, ['--no-mdns'])
    await until('a is Source', async () => (await status(a)).status === 'source')
    await a.json(['remove', 'm2'])
    await until('c knows', async () =>
      (await status(c)).problems.some(({ reason }) => reason === 'stranger'),
    )
    await c.kill('SIGTERM')
    const again = await c.json<{ network: string }>(['join', await tokenOf(a)])
    expect(again.network).toBe('lab')
    await c.start({}, ['--no-mdns'])
    await lab.allSource([a, c])
    expect((await a.run(['get', 'lonely'])).stdout).toBe('only c has it')
    const names = (await status(c)).members.map(({ name }) => name)
    expect(names.sort()).toEqual(['m1', 'm3'])
    expect((await c.run(['join', await tokenOf(a)])).code).not.toBe(0)
  }, 180_000)
})
