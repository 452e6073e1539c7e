/** The command line over a served twin: what it prints where, and how it ends. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../src/cli/program.ts'
import { type ControlFixture, startFixture } from '../support/control.ts'
import type { MemoryMember } from '../support/memory-member.ts'

let fixture: ControlFixture
let member: MemoryMember
let files: string

beforeEach(async () => {
  fixture = await startFixture()
  member = fixture.member
  files = join(fixture.folder, 'files')
  await mkdir(files)
})

afterEach(() => fixture.stop())

interface Outcome {
  readonly code: number
  readonly bytes: Buffer
  readonly out: string
  readonly err: string
}

class Sink extends Writable {
  readonly pieces: Buffer[] = []
  readonly isTTY: boolean

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(piece: Buffer, _: string, done: () => void): void {
    this.pieces.push(Buffer.from(piece))
    done()
  }
}

interface Setting {
  readonly stdin?: Iterable<Uint8Array | string>
  readonly isTTY?: boolean
  readonly env?: Readonly<Record<string, string>>
}

async function veche(args: readonly string[], setting: Setting = {}): Promise<Outcome> {
  const stdout = new Sink(setting.isTTY ?? false)
  const stderr = new Sink(false)
  const code = await run(args, {
    stdin: Readable.from(setting.stdin ?? []),
    stdout,
    stderr,
    env: setting.env ?? { VECHE_STORE: fixture.folder },
  })
  const bytes = Buffer.concat(stdout.pieces)
  return { code, bytes, out: bytes.toString(), err: Buffer.concat(stderr.pieces).toString() }
}

describe('files', () => {
  test('go in and come out byte for byte, into a file and through a pipe', async () => {
    const payload = randomBytes(3_000_000)
    const file = join(files, 'cat.jpg')
    await writeFile(file, payload)
    const put = await veche(['put', 'photos/cat', file, '--tag', 'a', '--tag', 'b'])
    expect(put).toMatchObject({ code: 0, err: '' })
    expect(put.out).toContain('photos/cat')
    const back = join(files, 'back.jpg')
    expect((await veche(['get', 'photos/cat', '-o', back])).code).toBe(0)
    expect((await readFile(back)).equals(payload)).toBe(true)
    expect((await veche(['get', 'photos/cat'])).bytes.equals(payload)).toBe(true)
    const { header } = await member.get({ id: 'photos/cat' }, 1e9)
    expect(header).toMatchObject({ type: 'image/jpeg', tags: ['a', 'b'] })
    expect(await readdir(files)).toEqual(['back.jpg', 'cat.jpg'])
  })

  test('standard input of any size is an item', async () => {
    const big = Array.from({ length: 20 }, () => randomBytes(1024 * 1024))
    expect((await veche(['put', 'big', '-'], { stdin: big })).code).toBe(0)
    expect((await veche(['get', 'big'])).bytes.equals(Buffer.concat(big))).toBe(true)
    await veche(['put', 'greeting', '-'], { stdin: ['hel', 'lo'] })
    expect((await member.get({ id: 'greeting' }, 10)).header.type).toBe('text/plain')
    expect((await veche(['get', 'greeting'])).out).toBe('hello')
  })

  test('a file that could not be read whole leaves the one before and no partial file', async () => {
    const file = join(files, 'a')
    await writeFile(file, 'before')
    await veche(['put', 'a', '-'], { stdin: ['0123456789'] })
    const { header } = await member.get({ id: 'a' }, 100)
    member.download = async () => ({
      header,
      stream: (async function* () {
        yield new Uint8Array(5)
        throw new Error('gone')
      })(),
    })
    expect((await veche(['get', 'a', '-o', file])).code).toBe(1)
    expect(await readFile(file, 'utf8')).toBe('before')
    expect(await readdir(files)).toEqual(['a'])
  })

  test('bytes that are no text are not printed to a terminal', async () => {
    await veche(['put', 'x', '-'], { stdin: [Uint8Array.of(27, 0, 255)] })
    const { code, out, err } = await veche(['get', 'x'], { isTTY: true })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('-o FILE')
  })

  test.each([
    ['a file that is not there', ['put', 'a', '/nonexistent/file']],
    ['a folder', ['put', 'a', '/']],
    ['an id that is none', ['put', '../a', '/etc/hostname']],
    ['a time that is none', ['get', 'a', '--at', 'lunch']],
    ['a level that is none', ['put', 'a', '-', '--wait', 'forever']],
    ['a duration that is none', ['put', 'a', '-', '--timeout', '5']],
    ['metadata that is no JSON', ['put', 'a', '-', '--meta', '{']],
    ['a missing argument', ['get']],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['ls', '--frobnicate']],
    ['an empty store', ['ls', '--store', '']],
    ['nothing to resolve with', ['resolve', 'a']],
  ])('%s ends with 2, a sentence on stderr, and nothing on stdout', async (_, args) => {
    const { code, out, err } = await veche(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^error: /)
    expect((await member.status({})).facts).toBe(0)
  })

  test('a write with --if-version of an old head fails with 1', async () => {
    const first = JSON.parse((await veche(['put', 'a', '-', '--json'])).out)
    await veche(['put', 'a', '-'])
    const { code, err } = await veche(['put', 'a', '-', '--if-version', first.version])
    expect(code).toBe(1)
    expect(err).toContain('veche log')
  })

  test('a write with --if-absent is done once, and is no write beside --if-version', async () => {
    expect((await veche(['put', 'a', '-', '--if-absent'])).code).toBe(0)
    expect((await veche(['put', 'a', '-', '--if-absent'])).code).toBe(1)
    const both = ['--if-absent', '--if-version', '0'.repeat(64)]
    expect((await veche(['put', 'a', '-', ...both])).code).toBe(2)
  })
})

describe('tildes', () => {
  test.each([
    ['x~y', 'x~~y'],
    ['x~~y', 'x~~y'],
    ['backup~', 'backup~~'],
    ['~user/file', '~~user/file'],
    ['file.~1~', 'file.~~1~~'],
  ])('the name %s is the id %s', async (name, id) => {
    await veche(['put', name, '-'])
    expect((await veche(['ls', '--ids'])).out).toBe(`${id}\n`)
    expect((await veche(['get', name])).code).toBe(0)
    expect((await veche(['get', id])).code).toBe(0)
  })

  test('a split step at the end names the item of a split', async () => {
    member.collide('report', { 'report~3': 'left', 'report~a': 'right' })
    expect((await veche(['get', 'report~3'])).out).toBe('left')
  })
})

describe('listings', () => {
  test('ls prints columns, ids alone, or JSON, in the order of ids', async () => {
    for (const id of ['b', 'a/2', 'a/1']) await veche(['put', id, '-'])
    await veche(['rm', 'b'])
    expect((await veche(['ls', '--ids'])).out).toBe('a/1\na/2\n')
    expect((await veche(['ls', 'a/1', '--ids'])).out).toBe('a/1\n')
    expect((await veche(['ls', '--prefix', 'a/2', '--ids'])).out).toBe('a/2\n')
    expect((await veche(['ls', '--deleted'])).out).toContain('deleted')
    const { out } = await veche(['ls', '--json', '--limit', '1'])
    expect(out).toMatch(/^[^\n]*\n$/)
    expect(JSON.parse(out)).toMatchObject({ items: [{ id: 'a/1' }], next: 'a/1' })
  })

  test('ls walks all pages', async () => {
    for (let n = 0; n < 1500; n++)
      await member.put({ id: `k${n}`, payload: new Uint8Array(), type: 'x/y' })
    expect((await veche(['ls', '--ids'])).out.split('\n')).toHaveLength(1501)
    const { items, next } = JSON.parse((await veche(['ls', '--json'])).out)
    expect(items).toHaveLength(1500)
    expect(next).toBeUndefined()
  })

  test('log prints versions youngest first, and --version reads one of them', async () => {
    await veche(['put', 'a', '-'], { stdin: ['one'] })
    await veche(['put', 'a', '-'], { stdin: ['two'] })
    const { facts } = JSON.parse((await veche(['log', 'a', '--json'])).out)
    expect((await veche(['log', 'a'])).out.split('\n')[0]).toContain(facts[0].version.slice(0, 10))
    expect((await veche(['get', 'a', '--version', facts[1].version])).out).toBe('one')
  })

  test('links prints both directions', async () => {
    await veche(['put', 'a', '-', '--depends-on', 'b', '--depends-on', 'c'])
    await veche(['put', 'b', '-'])
    expect((await veche(['links', 'a'])).out).toMatch(/→ b\n.*→ c {2}missing/)
    expect((await veche(['links', 'b'])).out).toContain('← a')
  })
})

describe('collisions', () => {
  test('are listed with what to do, and resolved by keeping one', async () => {
    member.collide('report', { 'report~3': 'left', 'report~a': 'right' })
    const read = await veche(['get', 'report'])
    expect(read.code).toBe(1)
    expect(read.err).toContain('veche resolve')
    const { out } = await veche(['collisions'])
    expect(out).toContain('veche resolve report --keep report~3')
    expect((await veche(['resolve', 'report', '--keep', 'report~a'])).code).toBe(0)
    expect((await veche(['get', 'report'])).out).toBe('right')
    expect((await veche(['collisions'])).out).toContain('No collisions')
  })

  test('are resolved by a merge from a file or standard input', async () => {
    member.collide('report', { 'report~3': 'left', 'report~a': 'right' })
    const result = await veche(['resolve', 'report', '-', '--json'], { stdin: ['both'] })
    expect(JSON.parse(result.out).id).toBe('report')
    expect((await veche(['get', 'report'])).out).toBe('both')
  })
})

describe('the network', () => {
  test('status, members, why and verify print sentences or JSON of one line', async () => {
    await veche(['put', 'a', '-'])
    expect((await veche(['status'])).out).toContain('synchronized')
    expect((await veche(['members'])).out).toContain('twin')
    expect((await veche(['why'])).out).toContain('in sync')
    expect((await veche(['verify'])).out).toContain('All is well')
    for (const command of ['status', 'members', 'why', 'verify', 'collisions', 'leave']) {
      const { code, out, err } = await veche([command, '--json'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/^\{[^\n]*\}\n$/)
    }
  })

  test('verify ends with 1 when something is damaged', async () => {
    const verify = member.verify.bind(member)
    member.verify = async options => ({
      ...(await verify(options)),
      ok: false,
      damages: [{ what: 'payload', id: 'a', sentence: 'does not match its hash\u001b[31m' }],
    })
    const { code, out } = await veche(['verify'])
    expect(code).toBe(1)
    expect(out).toContain('does not match')
    expect(out).not.toContain('\u001b[31m')
  })

  test('invite prints the token alone on stdout', async () => {
    const { out, err } = await veche(['invite', '--expires', '1h', '--uses', '2'])
    expect(out).toBe('veche1-twin\n')
    expect(err).toContain('2 machines')
    expect(JSON.parse((await veche(['invite', '--json'])).out)).toMatchObject({
      token: 'veche1-twin',
      addresses: [],
    })
  })

  test('a member that is not running is told how to start', async () => {
    const { code, err } = await veche(['status', '--store', files])
    expect(code).toBe(1)
    expect(err).toContain(`veche start --store ${files}`)
  })

  test('an error with --json is one line of JSON on stderr', async () => {
    const { code, out, err } = await veche(['get', 'none', '--json'])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(JSON.parse(err).error.code).toBe('NOT_FOUND')
  })
})

describe('terminals', () => {
  test('get colours, pipes and NO_COLOR do not', async () => {
    await veche(['put', 'a', '-'])
    const VECHE_STORE = fixture.folder
    expect((await veche(['ls'], { isTTY: true })).out).toContain('\u001b[')
    expect((await veche(['ls'])).out).not.toContain('\u001b[')
    const env = { VECHE_STORE, NO_COLOR: '1' }
    expect((await veche(['ls'], { isTTY: true, env })).out).not.toContain('\u001b[')
  })

  test('--help teaches every command, --version prints the version', async () => {
    const { code, out } = await veche(['--help'])
    expect(code).toBe(0)
    const names = out.matchAll(/^ {2}([a-z]+) (?:\[|<).* {2}/gm)
    const commands = [...names].map(([, name]) => name!).filter(name => name !== 'help')
    expect(commands).toEqual(expect.arrayContaining(['init', 'join', 'start', 'put', 'watch']))
    for (const command of commands)
      expect((await veche([command, '--help'])).out).toContain(`Usage: veche ${command}`)
    expect((await veche(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

test('watch prints each event as a line and goes on where it was', async () => {
  await veche(['put', 'a', '-'])
  await veche(['rm', 'a'])
  const stdout = new Sink(false)
  const write = stdout._write.bind(stdout)
  stdout._write = (piece, encoding, done) => {
    write(piece, encoding, done)
    if (stdout.pieces.length === 2)
      stdout.destroy() // a reader that saw enough
    else member.log.add({ kind: 'status', status: 'source', synchronized: true })
  }
  const env = { VECHE_STORE: fixture.folder }
  const stdin = Readable.from([])
  const args = ['watch', '--json', '--since', '1']
  member.log.add({ kind: 'agreed', id: 'a', version: '0'.repeat(64) })
  expect(await run(args, { stdin, stdout, stderr: new Sink(false), env })).toBe(0)
  const events = Buffer.concat(stdout.pieces)
    .toString()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(events.map(({ kind, cursor }) => `${cursor} ${kind}`)).toEqual(['2 deleted', '3 agreed'])
})
