/**
 * What can be wrong with a store's folder, a port or a token: each is told in a sentence that names
 * the cause, and changes nothing.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRoot, Lab, LabMember, type Ran, status, until } from '../support/lab.ts'

let lab: Lab
let a: LabMember
let b: LabMember

const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0']

beforeAll(async () => {
  lab = Lab.create({ members: 2, namespaces: false })
  ;[a, b] = lab.members as [LabMember, LabMember]
  await lab.form()
  await a.json(['put', 'kept', '-'], 'kept')
  await lab.allSource()
})

afterAll(async () => {
  await lab?.end()
})

function expectTold(ran: Ran, ...parts: readonly string[]): void {
  expect([1, 2]).toContain(ran.code)
  for (const part of parts) expect(ran.stderr).toContain(part)
  expect(ran.stderr).not.toMatch(/\n\s+at /) // a sentence, and no trace of our code
}

/** A member that is made and never starts by itself. */
function other(name: string): LabMember {
  const member = new LabMember({
    name,
    store: join(lab.folder, name),
    address: '127.0.0.1',
    namespace: null,
  })
  lab.members.push(member)
  return member
}

describe('a store', () => {
  test('that is in use names the process that has it', async () => {
    expectTold(await a.run(['start']), 'in use', String(a.pid))
    expect((await a.run(['get', 'kept'])).stdout).toBe('kept')
  })

  test('that is held by a dead process starts', async () => {
    await b.kill('SIGKILL')
    expect(readFileSync(join(b.store, 'lock'), 'utf8')).toMatch(/^\d+/)
    await b.start()
    await lab.allSource([a, b])
  })

  test('that is none is told, and the folder is left as it was', async () => {
    const none = other('none')
    expectTold(await none.run(['start']), 'no Veche store', 'veche init')
    mkdirSync(none.store)
    writeFileSync(join(none.store, 'letter.txt'), 'dear')
    expectTold(await none.run(['start']), 'no Veche store')
    expectTold(await none.run(['init', ...loopback]), 'not empty')
    expectTold(await none.run(['join', await tokenOf(a), ...loopback]), 'not empty')
    expect(readdirSync(none.store)).toEqual(['letter.txt'])
  })

  test('that exists is not made again', async () => {
    expectTold(await a.run(['init', ...loopback]), 'holds a store already')
    expect((await a.run(['get', 'kept'])).stdout).toBe('kept')
  })

  test('of a newer format is not opened, and says so', async () => {
    const newer = other('newer')
    await newer.json(['init', ...loopback])
    const marker = join(newer.store, 'veche.json')
    const text = readFileSync(marker, 'utf8')
    writeFileSync(marker, text.replace(/"format":\d+/, '"format":99'))
    expectTold(await newer.run(['start']), 'newer version', '99')
    writeFileSync(marker, text)
    await newer.start()
    await newer.kill('SIGINT')
  })

  test('whose marker is garbage, or whose database is gone, is told and not made anew', async () => {
    const broken = other('broken')
    await broken.json(['init', ...loopback])
    const marker = join(broken.store, 'veche.json')
    const text = readFileSync(marker, 'utf8')
    writeFileSync(marker, 'what?')
    expectTold(await broken.run(['start']), 'veche.json')
    writeFileSync(marker, text)
    cpSync(join(broken.store, 'db'), join(broken.store, 'db.away'), { recursive: true })
    spawnSync('rm', ['-r', join(broken.store, 'db')])
    const ran = await broken.run(['start'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(broken.store)
  })

  test('without permission is told', async () => {
    const closed = other('closed')
    await closed.json(['init', ...loopback])
    chmodSync(closed.store, 0o500)
    chmodSync(lab.folder, 0o755)
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    const asNobody = isRoot ? { uid: 65534, gid: 65534 } : {}
    if (isRoot) chmodSync(closed.store, 0o700)
    else chmodSync(closed.store, 0o000)
    const ran = spawnSync(process.execPath, [main, 'start', '--store', closed.store], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', NODE_NO_WARNINGS: '1' },
      ...asNobody,
    })
    chmodSync(closed.store, 0o700)
    expectTold({ ...ran, code: ran.status ?? -1 }, closed.store, 'refuses access')
  })
})

describe('a port', () => {
  test('that another program has is told; free again, the store starts', async () => {
    const busy = createServer()
    await new Promise<void>(resolve => busy.listen(0, '127.0.0.1', resolve))
    const { port } = busy.address() as { port: number }
    const member = other('port')
    await member.json(['init', '--listen', `/ip4/127.0.0.1/tcp/${port}`])
    const ran = await member.run(['start', '--no-mdns'])
    expectTold(ran, 'port', 'in use', String(port))
    await new Promise(resolve => busy.close(resolve))
    await member.start()
    await member.kill('SIGINT')
  })
})

async function tokenOf(member: LabMember): Promise<string> {
  return (await member.json<{ token: string }>(['invite'])).token
}

describe('a token', () => {
  test('that is none, or damaged, is told and leaves nothing behind', async () => {
    const member = other('bad-token')
    const token = await tokenOf(a)
    const middle = Math.floor(token.length / 2)
    const flipped =
      token.slice(0, middle) + (token[middle] === 'x' ? 'y' : 'x') + token.slice(middle + 1)
    for (const wrong of ['hello', '', token.slice(0, -5), flipped]) {
      const ran = await member.run(['join', wrong, ...loopback])
      expect(ran.code).toBeGreaterThan(0)
      expect(ran.stderr).toContain('oken')
    }
    expect((await member.run(['start'])).stderr).toContain('no Veche store')
    expect((await status(a)).members).toHaveLength(2)
  })

  test('that was used is told', async () => {
    const token = await tokenOf(a)
    await other('first-use').json(['join', token, '--name', 'first-use', ...loopback])
    expectTold(await other('second-use').run(['join', token, ...loopback]), 'used already')
    expect((await status(a)).members).toHaveLength(3)
    await a.json(['remove', 'first-use'])
  })

  test('that has expired is told', async () => {
    const { token } = await a.call<{ token: string }>('invite', { expiresInMs: 1 })
    expectTold(await other('late').run(['join', token, ...loopback]), 'expired')
  })

  test('works once for each machine: one that has joined is told to choose another folder', async () => {
    const token = await tokenOf(b)
    const twice = other('twice')
    const joined = await twice.json<{ network: string }>(['join', token, ...loopback])
    expect(joined.network).toBe('lab')
    expectTold(await twice.run(['join', await tokenOf(a), ...loopback]), 'holds a store')
    await twice.start()
    await until('it is Source', async () => (await status(twice)).status === 'source')
    expect((await twice.run(['get', 'kept'])).stdout).toBe('kept')
    await twice.kill('SIGINT')
  })

  test('of another network brings nobody into this one', async () => {
    const stranger = other('stranger')
    await stranger.json(['init', '--network', 'elsewhere', ...loopback])
    await stranger.start()
    await stranger.json(['put', 'kept', '-'], 'of the stranger')
    const before = (await status(a)).members.length
    const own = await tokenOf(stranger)
    const guest = other('guest')
    expect((await guest.json<{ network: string }>(['join', own, ...loopback])).network).toBe(
      'elsewhere',
    )
    expect((await status(a)).members).toHaveLength(before)
    expect((await a.run(['get', 'kept'])).stdout).toBe('kept')
  })
})
