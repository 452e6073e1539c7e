/** Rows that speak of the command line and of a daemon that is killed, over real daemons. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Lab, LabMember, status, until } from '../support/lab.ts'

interface Page {
  readonly items: readonly unknown[]
}

const documented = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')

describe('two daemons, and one of another network', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    await lab.form()
  })

  afterAll(async () => {
    await lab?.end()
  })

  /** Starts b and writes there before it is Source; answers the id. */
  async function putAsNoSource(): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      await b.start()
      const id = `queued/${attempt}`
      const params = { id, text: 'before the kill', wait: 'pending' }
      const { level } = await b.call<{ level: string }>('put', params)
      const then = await status(b)
      if (then.status !== 'source') {
        expect([level, then.pending]).toEqual(['pending', 1])
        return id
      }
      if (attempt === 5) throw new Error('b was Source at once, five times')
      await b.kill()
    }
  }

  it('S003-14: print one hash while they are empty, the constant of the documents', async () => {
    const elsewhere = new LabMember({
      name: 'elsewhere',
      store: join(lab.folder, 'elsewhere'),
      address: '127.0.0.1',
      namespace: null,
    })
    await elsewhere.json(['init', '--network', 'other', '--listen', '/ip4/127.0.0.1/tcp/0'])
    lab.members.push(elsewhere)
    await elsewhere.start()
    const vectors = new URL('../vectors/merkle.json', import.meta.url)
    const { empty } = JSON.parse(readFileSync(vectors, 'utf8')) as { empty: string }
    expect(documented).toContain(`\`${empty}\``)
    for (const member of [a, b, elsewhere]) {
      const { hash, items } = await member.json<{ hash: string; items: number }>(['status'])
      expect([hash, items]).toEqual([empty, 0])
    }
    expect((await b.run(['status'])).stdout).toContain(empty.slice(0, 8))
    await a.call('put', { id: 'first', text: 'no more empty' })
    await lab.allSource([a, b])
    expect((await status(b)).hash).not.toBe(empty)
    expect((await status(elsewhere)).hash).toBe(empty)
    lab.members.pop()
    await elsewhere.kill()
  })

  it('S003-21: a write on a member that is no Source is pending, and is everywhere after kill -9', async () => {
    await a.kill()
    await b.kill()
    // Alone and not empty it looks for others for three seconds; a busy machine may take longer.
    const queued = await putAsNoSource()
    await b.kill('SIGKILL')
    await a.start()
    await until('a is Source', async () => (await status(a)).status === 'source')
    expect((await a.call<Page>('list', { prefix: queued })).items).toEqual([])
    await b.start()
    await lab.allSource()
    for (const member of [a, b]) {
      expect(await member.call('get', { id: queued })).toMatchObject({ text: 'before the kill' })
      expect((await status(member)).pending).toBe(0)
    }
  })
})
