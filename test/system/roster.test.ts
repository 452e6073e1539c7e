/**
 * A network with quorum `roster` on real daemons (PROTOCOL 10): machines come by invitations, also
 * while one is down; a lost one is removed by the others; who was removed is told, and comes back.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0']

interface Members {
  readonly members: readonly { readonly name: string }[]
}

describe('a network with quorum roster', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let c: LabMember
  let d: LabMember

  beforeAll(() => {
    lab = Lab.create({ members: 4, namespaces: false })
    ;[a, b, c, d] = lab.members as [LabMember, LabMember, LabMember, LabMember]
  })

  afterAll(async () => {
    await lab?.end()
  })

  async function names(member: LabMember): Promise<string[]> {
    const { members } = await member.json<Members>(['members'])
    return members.map(({ name }) => name).sort()
  }

  async function joined(member: LabMember, by: LabMember): Promise<void> {
    const { token } = await by.json<{ token: string }>(['invite'])
    await member.json(['join', token, '--name', member.name, ...loopback])
    await member.start({}, [], 60_000)
  }

  test('grows by invitations from one member to three, all Source', async () => {
    await a.json(['init', '--name', a.name, '--network', 'lab', '--quorum', 'roster', ...loopback])
    await a.start()
    await until('m1 is Source', async () => (await status(a)).status === 'source')
    await joined(b, a)
    await lab.allSource([a, b], 60_000)
    await joined(c, b)
    await lab.allSource([a, b, c], 60_000)
    expect(await names(c)).toEqual(['m1', 'm2', 'm3'])
    const put = await c.json<{ level: string; of: number }>(['put', 'k', '-'], 'k')
    expect(put).toMatchObject({ level: 'majority', of: 3 })
  }, 180_000)

  test('loses a killed member by the others, and one alone changes nothing', async () => {
    await c.kill()
    await a.json(['remove', 'm3'])
    expect(await names(a)).toEqual(['m1', 'm2'])
    await until('m2 knows', async () => (await names(b)).length === 2)
    await b.kill()
    await until('m1 is no Source alone', async () => (await status(a)).status !== 'source')
    const refused = await a.run(['remove', 'm2'])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('more than half of its roster')
    expect(refused.stderr).toContain('veche members')
    const put = await a.json<{ level: string }>(['put', 'l', '-', '--wait', 'pending'], 'l')
    expect(put.level).toBe('pending')
    await b.start({}, [], 60_000)
    await lab.allSource([a, b], 60_000)
  }, 180_000)

  test('tells who was removed, and takes it back under a new membership', async () => {
    await c.start({}, [], 60_000)
    await until('m3 is told', async () => (await status(c)).status === 'removed')
    await c.kill('SIGTERM')
    const { token } = await a.json<{ token: string }>(['invite'])
    await c.json(['join', token, '--name', 'm3'])
    await c.start({}, [], 60_000)
    await lab.allSource([a, b, c], 60_000)
    expect(await names(b)).toEqual(['m1', 'm2', 'm3'])
  }, 180_000)

  test('takes a machine in while a member is down', async () => {
    await b.kill()
    await joined(d, a)
    await until('m4 is Source', async () => (await status(d)).status === 'source')
    await b.start({}, [], 60_000)
    await lab.allSource(lab.members, 60_000)
    expect(await names(b)).toEqual(['m1', 'm2', 'm3', 'm4'])
  }, 180_000)

  test('`veche quorum` tells which majority counts, and changes it for all of them', async () => {
    const told = async (by: LabMember) => (await by.json<{ quorum: string }>(['quorum'])).quorum
    const all = async (rule: string) => {
      const rules = await Promise.all(lab.members.map(told))
      return rules.every(one => one === rule)
    }
    expect(await told(d)).toBe('roster')
    expect(await d.json(['quorum', 'visible'])).toEqual({ quorum: 'visible' })
    await until('all count by who is seen', () => all('visible'))
    await b.kill()
    await until('m2 is missed', async () => {
      const { stderr, code } = await a.run(['quorum', 'roster'])
      return code !== 0 && stderr.includes('these are not reached: m2')
    })
    expect(await told(a)).toBe('visible')
    await b.start({}, [], 60_000)
    await lab.allSource(lab.members, 60_000)
    // All must answer in time, which a busy machine may miss: then it stays as it is, and says so.
    await until('all agree', async () => (await a.run(['quorum', 'roster'])).code === 0)
    await until('all count by the roster', () => all('roster'))
    const wrong = await a.run(['quorum', 'all'])
    expect(wrong.stderr).toContain('"visible" or "roster"')
  }, 180_000)
})
