/**
 * What is damaged beyond use goes to `damaged/records` and out of the database: one line of JSON a
 * record, `{key, record}` in hex, for whoever wants to look at it by hand. Otherwise it would be met
 * and named for ever, since nothing writes it anew: least of all a key that was flipped, which no
 * member ever wrote.
 *
 * Only what is kept here, durably, may be removed. A key that has the form of none is removed at
 * once; one that has may be written at any moment, so its removal goes the way of all writes.
 */
import { appendFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, toHex, utf8, utf8Text } from '../base/bytes.ts'
import { isAbsent, syncFile, syncFolder } from './files.ts'
import { isKey } from './keys.ts'
import type { Database } from './level-table.ts'
import { isSound } from './soundness.ts'
import type { Damage } from './store.ts'
import type { StorePaths } from './store-folder.ts'

/** The file takes no more after so many bytes: a rotting disk must not be filled by its own rot. */
const ASIDE_BYTES_MAX = 64 * 1024 * 1024
const PAGE_KEYS = 1000

/** A record as it lies on the disk, its key in raw bytes. */
interface RawRecord {
  readonly key: Bytes
  readonly record: Bytes
}

/** Keeps records aside, durably. */
async function keepAside({ damaged }: StorePaths, records: readonly RawRecord[]): Promise<void> {
  if (records.length === 0) return
  const path = join(damaged, 'records')
  const size = await sizeOf(path)
  if (size > ASIDE_BYTES_MAX) return
  const lines = records.map(({ key, record }) => {
    return `${JSON.stringify({ key: toHex(key), record: toHex(record) })}\n`
  })
  await appendFile(path, lines.join(''), { mode: 0o600 })
  await syncFile(path)
  if (size === 0) await syncFolder(damaged)
}

/** How records are taken out that may be written at any moment. */
export interface Removing {
  /** From now on it is noticed when the record is written. */
  readonly watch: (key: string) => void
  readonly raw: (key: string) => Promise<Bytes | undefined>
  /** Takes watched records out that were not written meanwhile. */
  readonly remove: (keys: readonly string[]) => Promise<void>
}

/** Sets damaged records aside, those that were not written anew since they were found. */
export async function setRecordsAside(
  paths: StorePaths,
  found: readonly string[],
  { watch, raw, remove }: Removing,
): Promise<void> {
  for (let at = 0; at < found.length; at += PAGE_KEYS) {
    const page = found.slice(at, at + PAGE_KEYS)
    for (const key of page) watch(key)
    const aside: string[] = []
    const records: RawRecord[] = []
    for (const key of page) {
      const record = await raw(key)
      if (record === undefined || isSound(key, record)) continue
      aside.push(key)
      records.push({ key: utf8(key), record })
    }
    await keepAside(paths, records)
    await remove(aside)
  }
}

/** Sets aside every record whose key has the form of none; yields what they were, once. */
export async function* setJunkAside(
  db: Database,
  paths: StorePaths,
): AsyncGenerator<readonly Damage[]> {
  const iterator = db.keys({ keyEncoding: 'view', fillCache: false })
  try {
    for (;;) {
      const page = (await iterator.nextv(PAGE_KEYS)) as unknown as Bytes[]
      if (page.length === 0) return
      const junk = page.filter(key => !isWritten(key))
      if (junk.length === 0) continue
      await removeJunk(db, paths, junk)
      yield junk.map(junkDamage)
    }
  } finally {
    await iterator.close()
  }
}

async function removeJunk(db: Database, paths: StorePaths, junk: readonly Bytes[]): Promise<void> {
  const options = { keyEncoding: 'view', valueEncoding: 'view' } as const
  const found = await db.getMany<Bytes, Bytes>([...junk], options)
  await keepAside(
    paths,
    junk.map((key, at) => ({ key, record: found[at] ?? new Uint8Array() })),
  )
  await db.batch<Bytes, Bytes>(
    junk.map(key => ({ type: 'del', key })),
    { ...options, sync: true },
  )
}

/** Keys are texts; one that is none in UTF-8 cannot even be asked for by its text. */
function isWritten(key: Bytes): boolean {
  const text = utf8Text(key)
  return text !== undefined && isKey(text)
}

function junkDamage(key: Bytes): Damage {
  const text = JSON.stringify(utf8Text(key) ?? toHex(key))
  const sentence =
    `A record had the key ${text.slice(0, 200)}, which nobody wrote: it was set aside, and what ` +
    'it was is looked for.'
  return { what: 'index', sentence }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isAbsent(error)) return 0
    throw error
  }
}
