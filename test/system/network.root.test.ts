/**
 * The scenario that a new user would try: three stores made by `init`, `invite` and `join`, in
 * three network namespaces with an address each, with default settings; files in, files out; kills,
 * a member cut off while the same item changes on both sides; one hash in the end.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRoot, Lab, type LabMember, status, until } from '../support/lab.ts'

interface Got {
  readonly text: string
  readonly version: string
}

interface Put {
  readonly version: string
  readonly level: string
  readonly heldBy: readonly string[]
}

describe.skipIf(!isRoot)('three members in three network namespaces', () => {
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

  test('members joined by token alone hold the same items', async () => {
    const put = await a.json<Put>(['put', 'notes/today', '-'], 'milk and bread')
    expect(put.level).toBe('majority')
    expect(put.heldBy.length).toBeGreaterThanOrEqual(2)
    for (const member of [b, c]) {
      await until(
        `${member.name} has it`,
        async () => (await member.run(['get', 'notes/today'])).stdout === 'milk and bread',
      )
    }
  })

  test('a member that was killed catches up with what was written while it was away', async () => {
    await c.kill('SIGKILL')
    const put = await a.json<Put>(['put', 'while-away', '-'], 'written while c was away')
    expect(put.level).toBe('majority')
    await c.start()
    await until(
      'c caught up',
      async () => (await c.run(['get', 'while-away'])).stdout === 'written while c was away',
    )
    await lab.allSource()
  })

  test('S003-32: a member cut off, the same item changed on both sides, heals into two items', async () => {
    await a.json(['put', 'report', '-'], 'first')
    await until('c has the report', async () => (await c.run(['get', 'report'])).stdout === 'first')
    lab.link(c, 'down')
    await until(
      'the cut is noticed',
      async () => !(await status(a)).members.some(m => m.name === 'm3' && m.reached),
    )
    await a.json(['put', 'report', '-', '--wait', 'agreed'], 'of the majority')
    await c.json(['put', 'report', '-', '--wait', 'pending'], 'of the lonely one')
    lab.link(c, 'up')
    await lab.allSource(lab.members, 60_000)
    const contents: string[][] = []
    for (const member of lab.members) {
      const { collisions } = await member.json<{
        collisions: { id: string; branches: { id: string }[] }[]
      }>(['collisions'])
      expect(collisions.map(entry => entry.id)).toEqual(['report'])
      const ids = collisions[0]!.branches.map(branch => branch.id).sort()
      const texts = await Promise.all(
        ids.map(async id => (await member.json<Got>(['get', id])).text),
      )
      contents.push([...ids, ...texts])
    }
    expect(contents[0]!.slice(2).sort()).toEqual(['of the lonely one', 'of the majority'])
    expect(contents[1]).toEqual(contents[0])
    expect(contents[2]).toEqual(contents[0])
    const all = await Promise.all(lab.members.map(status))
    expect(new Set(all.map(s => s.hash)).size).toBe(1)
  }, 120_000)
})
