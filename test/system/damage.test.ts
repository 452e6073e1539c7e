/**
 * Files of a real store are flipped, cut or taken away, while its daemon is stopped and while it
 * runs: no wrong byte is ever given out, the damage is named, and what is missing comes back from
 * the others. More rounds with VECHE_DEEP=1.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyOf, cutFile, filesEnding, flipBit, removeFile } from '../support/damage.ts'
import { JsonClient, RpcFailure } from '../support/json-client.ts'
import { Lab, type LabMember, status, until } from '../support/lab.ts'

const isDeep = process.env.VECHE_DEEP === '1'
const rounds = isDeep ? 12 : 1
const deadlineMs = isDeep ? 3_600_000 : 240_000
/** A store is opened within so many starts: LevelDB itself may end the process over a damage. */
const startsMax = 5

interface Verified {
  readonly ok: boolean
  readonly damages: readonly { readonly what: string; readonly sentence: string }[]
}

/** What was written, by id. */
const truth = new Map<string, string>()

function textOf(id: string, size: number): string {
  return `${id} `.repeat(Math.ceil(size / (id.length + 1))).slice(0, size)
}

/** Reads everything; what comes whole is the truth, else there is a refusal that says why. */
async function readAll(member: LabMember): Promise<{ refused: number }> {
  let client = await JsonClient.open(member.socket)
  let refused = 0
  try {
    for (const [id, text] of truth) {
      try {
        const { bytes } = await client.download({ id })
        expect(bytes.toString() === text, `${id} as it was written`).toBe(true)
      } catch (error) {
        if (!isRefusal(error)) throw error
        refused += 1
        if (client.socket.destroyed) client = await JsonClient.open(member.socket)
      }
    }
  } finally {
    client.close()
  }
  return { refused }
}

/** Damage that is met on the way of a payload ends the connection before the last piece. */
function isRefusal(error: unknown): boolean {
  if (error instanceof RpcFailure) return ['DAMAGED', 'UNAVAILABLE'].includes(error.code)
  return error instanceof Error && error.message === 'the socket closed inside a payload'
}

/** Starts a daemon, again where it ended over a damage; false when it says that it never will. */
async function startAgain(member: LabMember): Promise<boolean> {
  for (let starts = 1; ; starts++) {
    try {
      await member.start()
      return true
    } catch (error) {
      if (/was lost with damaged parts of (?:its|this) store/.test(member.log)) return false
      if (starts === startsMax) throw error
    }
  }
}

const database = (member: LabMember) => join(member.store, 'db')

async function ending(member: LabMember, end: string): Promise<string> {
  const [file] = await filesEnding(database(member), end)
  if (file === undefined) throw new Error(`no file ${end}`)
  return file
}

/** The table that was written last: the first one also holds the member's identity. */
async function newestTable(member: LabMember): Promise<string> {
  const tables = await filesEnding(database(member), '.ldb')
  return tables.sort().at(-1)!
}

async function largeFile(member: LabMember): Promise<string> {
  const folder = join(member.store, 'blobs')
  const names = readdirSync(folder, { recursive: true }).map(String)
  return join(folder, names.find(name => name.length > 60)!)
}

/**
 * What is done to the files of a stopped store; `part` is a place in a file, 0 to 1. LevelDB turns
 * its log into tables at every opening, so what comes later finds tables.
 */
const damages: readonly [string, (member: LabMember, part: number) => Promise<void>][] = [
  ['a flipped bit in the log', async (m, part) => flipBit(await ending(m, '.log'), part)],
  ['a cut log', async (m, part) => cutFile(await ending(m, '.log'), part)],
  ['a flipped bit in a table', async (m, part) => flipBit(await ending(m, '.ldb'), part)],
  ['a lost table', async m => removeFile(await newestTable(m))],
  ['a lost CURRENT', async m => removeFile(join(database(m), 'CURRENT'))],
  ['a flipped bit in a large payload', async (m, part) => flipBit(await largeFile(m), part)],
  [
    'a lost large payload, and a flipped bit in the journal',
    async (m, part) => {
      await removeFile(await largeFile(m))
      await flipBit(join(m.store, 'journal'), part)
    },
  ],
  ['a cut journal', async (m, part) => cutFile(join(m.store, 'journal'), part)],
]

/** A flip in a table may hit a key, which verify names for ever: looked at in the deep run only. */
const deepOnly = new Set(['a cut journal', 'a flipped bit in a table'])

describe('three real daemons, one with a bad disk', () => {
  let lab: Lab
  let bad: LabMember

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    await lab.form()
    bad = lab.members[2]!
    const client = await JsonClient.open(bad.socket)
    for (let at = 0; at < 60; at++) await write(client, `folder ${at % 5}/item ${at}`, at)
    client.close()
    await lab.allSource()
  }, 90_000)

  afterAll(async () => {
    await lab?.end()
  })

  async function write(client: JsonClient, id: string, at: number): Promise<void> {
    const text = textOf(`${id} ${at}`, at % 20 === 0 ? 200_000 : 600)
    await client.call('put', { id, text, wait: 'majority' })
    truth.set(id, text)
  }

  /** Verifies until nothing is wrong; answers what was named on the way. */
  async function verifiedAgain(member: LabMember): Promise<string[]> {
    const named: string[] = []
    let last: Verified | undefined
    await until('verify finds nothing wrong', async () => {
      last = await member.call<Verified>('verify')
      named.push(...last.damages.map(damage => damage.sentence))
      return last.ok
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last?.damages.slice(0, 5))}`)
    })
    return named
  }

  /** LevelDB may end the daemon over a damaged table: whoever watches it starts it again. */
  async function surviving<T>(work: () => Promise<T>): Promise<T> {
    for (let ends = 0; ; ends++) {
      try {
        return await work()
      } catch (error) {
        const daemon = bad.daemon
        const isRunning = daemon?.exitCode === null && daemon.signalCode === null
        if (isRunning || ends === startsMax) throw error
        await startAgain(bad)
      }
    }
  }

  async function round(
    damage: (member: LabMember, part: number) => Promise<void>,
    part: number,
  ): Promise<void> {
    const client = await JsonClient.open(bad.socket)
    for (let at = 0; at < 8; at++) await write(client, `folder ${at % 5}/item ${at}`, at + part)
    client.close()
    await bad.kill('SIGINT')
    const spare = await copyOf(bad.store, join(lab.folder, 'spare'))
    await damage(bad, part)
    bad.log = ''
    if (!(await startAgain(bad))) {
      // It cannot go on without its identity, and says so: what it advises is done.
      rmSync(bad.store, { recursive: true })
      await copyOf(spare, bad.store)
      await bad.start()
    }
    rmSync(spare, { recursive: true })
    await surviving(() => readAll(bad))
    const { problems } = await surviving(() => status(bad))
    await surviving(() => lab.allSource())
    const named = await surviving(() => verifiedAgain(bad))
    if (named.length + problems.length === 0) {
      const { refused } = await readAll(bad)
      expect(refused, 'what is damaged is named').toBe(0)
    }
    for (const member of lab.members)
      expect(await member.call('verify')).toMatchObject({ ok: true })
    await until('everything is shown again', async () => (await readAll(bad)).refused === 0)
    const own = (problem: { reason: string }) => ['gap', 'damage'].includes(problem.reason)
    await until('no problem is left', async () => !(await status(bad)).problems.some(own))
  }

  test.each(damages.filter(([what]) => isDeep || !deepOnly.has(what)))(
    '%s of a stopped store: nothing wrong is given out, and it is refilled from the others',
    async (_, damage) => {
      for (let at = 0; at < rounds; at++) await round(damage, (at + 0.37) / rounds)
    },
    deadlineMs,
  )

  test(
    'a bit flipped in a large payload of a running daemon is found by a get, and mended',
    async () => {
      for (let at = 0; at < rounds; at++) {
        const { blob } = await bad.call<{ blob: string }>('head', { id: 'folder 0/item 20' })
        const file = join(bad.store, 'blobs', blob.slice(0, 2), blob.slice(2))
        await flipBit(file, (at + 0.6) / rounds)
        const { refused } = await readAll(bad)
        expect(refused).toBe(1)
        await until('it is fetched again', async () => (await readAll(bad)).refused === 0)
        expect(await verifiedAgain(bad)).toEqual([])
      }
    },
    deadlineMs,
  )
})
