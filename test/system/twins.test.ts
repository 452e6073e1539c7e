/**
 * A store is copied while it is closed, and both copies are started: the other members notice, and
 * people are told there and at the copies (DESIGN 3).
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { copyOf } from '../support/damage.ts'
import { Lab, LabMember, status, until } from '../support/lab.ts'

/** The copies take turns at one link, and each turn waits for a new connection. */
const noticedMs = 60_000
const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0']

describe('two real daemons with one identity', () => {
  let lab: Lab
  let copy: LabMember | undefined

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    await lab.form(loopback, {}, ['--no-mdns'])
  }, 90_000)

  afterAll(async () => {
    if (copy?.daemon != null) await copy.kill()
    await lab?.end()
  })

  const hasTwin = async (member: LabMember) =>
    (await status(member)).problems.some(({ reason }) => reason === 'twin')

  test('are told of at another member and at a copy, and no more when one ended', async () => {
    const [first, second, third] = lab.members as [LabMember, LabMember, LabMember]
    expect(await hasTwin(first)).toBe(false)
    await second.kill('SIGTERM')
    const store = await copyOf(second.store, join(lab.folder, 'copy'))
    rmSync(join(store, 'control.sock'), { force: true })
    copy = new LabMember({ name: 'copy', store, address: '127.0.0.1', namespace: null })
    await second.start({}, ['--no-mdns'])
    await copy.start({}, ['--no-mdns', ...loopback])
    const twin = copy
    const someHave = async (members: readonly LabMember[]) =>
      (await Promise.all(members.map(hasTwin))).some(Boolean)
    await until('another member says so', () => someHave([first, third]), noticedMs)
    await until('a copy says so', () => someHave([second, twin]), noticedMs)
    await twin.kill()
    const isOver = async () => !(await someHave([first, second, third]))
    await until('it is over', isOver, limits.twinMs + noticedMs)
  }, 240_000)
})
