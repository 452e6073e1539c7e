/**
 * Another user of the same machine: cannot open the store, its keys or its socket, also where the
 * folder stood open before; and files that are not what they seem are left alone.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRoot, Lab, LabMember } from '../support/lab.ts'

const NOBODY = 65_534
const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0']
let lab: Lab

beforeAll(() => {
  lab = Lab.create({ members: 0, namespaces: false })
})
afterAll(() => lab.end())

function member(name: string): LabMember {
  const made = new LabMember({
    name,
    store: join(lab.folder, name),
    address: '127.0.0.1',
    namespace: null,
  })
  lab.members.push(made)
  return made
}

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('the folder of a store', () => {
  test('is closed to others when it stood open before, at init and at start', async () => {
    const a = member('open')
    mkdirSync(a.store)
    chmodSync(a.store, 0o777)
    await a.json(['init', ...loopback])
    expect(modeOf(a.store)).toBe(0o700)
    chmodSync(a.store, 0o755)
    await a.start()
    expect(modeOf(a.store)).toBe(0o700)
    expect(modeOf(join(a.store, 'control.sock'))).toBe(0o600)
    await a.kill('SIGINT')
  })

  test('is made for its owner alone when it is absent', async () => {
    const a = member('absent')
    await a.json(['init', ...loopback])
    expect(modeOf(a.store)).toBe(0o700)
  })

  test.skipIf(!isRoot)('of another user is refused, and nothing is written there', async () => {
    const a = member('foreign')
    mkdirSync(a.store)
    chownSync(a.store, NOBODY, NOBODY)
    const ran = await a.run(['init', ...loopback])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('belongs to another user')
    expect(existsSync(join(a.store, 'veche.json'))).toBe(false)
  })

  test.skipIf(!isRoot)(
    'lets another user neither read a file nor speak with the member',
    async () => {
      const a = member('closed')
      chmodSync(lab.folder, 0o755)
      await a.json(['init', ...loopback])
      await a.start()
      const tries = `
      const fs = require('node:fs'), net = require('node:net'), store = ${JSON.stringify(a.store)}
      const told = []
      for (const name of ['', 'veche.json', 'db', 'journal', 'db/CURRENT'])
        try { fs.readdirSync(store + '/' + name); told.push('read') } catch (e) { told.push(e.code) }
      const socket = net.connect(store + '/control.sock')
      socket.on('connect', () => { told.push('connected'); socket.destroy() })
      socket.on('error', e => told.push(e.code))
      socket.on('close', () => process.stdout.write(told.join(' ')))`
      const ran = spawnSync('node', ['-e', tries], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
      expect(ran.stdout).toBe(Array(6).fill('EACCES').join(' '))
      await a.kill('SIGINT')
    },
  )
})

describe('a name in the folder that is not what it seems', () => {
  test('a link in the place of the socket is refused, and what it leads to stays', async () => {
    const a = member('link')
    await a.json(['init', ...loopback])
    const precious = join(lab.folder, 'precious')
    writeFileSync(precious, 'dear')
    symlinkSync(precious, join(a.store, 'control.sock'))
    const ran = await a.run(['start'])
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toContain('is no socket')
    expect(readFileSync(precious, 'utf8')).toBe('dear')
  })
})
