/**
 * From store format 1 to 2: hashes in keys had 64 hexadecimal digits, and have 43 characters now
 * (hash-text.ts). Each record of the tables that name hashes is written under its new key and taken
 * from under its old one in the same batch. A process that is killed in the middle leaves records of
 * both kinds and the old marker, and the next opening goes on.
 *
 * A record that fails its checksum stays damaged under its new key: it is found, told and mended as
 * any other.
 */
import type { Bytes } from '../base/bytes.ts'
import { keys, type Table, tableRange } from './keys.ts'
import type { Database } from './level-table.ts'
import type { Op, Row } from './overlay.ts'
import { seal, unseal } from './records.ts'

/** Tables whose keys name hashes. */
const TABLES: readonly Table[] = ['f', 'h', 'p', 'w', 'x']
/** Rows moved by one batch; the most that lie in memory are small payloads of 16 KiB. */
const BATCH_ROWS = 500
const OLD_HASH = /^[0-9a-f]{64}$/
const OLD_HASH_LENGTH = 64

/** Records after which it is told how far the move is. */
const TELL_EVERY = 100_000

/**
 * Moves every record of format 1 under its key of format 2; durable when it returns. `tell` hears
 * that it begins, and from time to time how far it is.
 */
export async function upgradeKeys(db: Database, tell: (sentence: string) => void): Promise<void> {
  tell('The store is of format 1: its records get the keys of format 2, once.')
  let count = 0
  for (const table of TABLES) {
    const { from, until } = tableRange(table)
    const iterator = db.iterator({ gte: from, lt: until, fillCache: false })
    try {
      for (;;) {
        const page = (await iterator.nextv(BATCH_ROWS)) as Row[]
        if (page.length === 0) break
        const ops = page.flatMap(moved)
        if (ops.length > 0) await db.batch(ops, { sync: true })
        const before = count
        count += ops.length / 2
        if (Math.floor(count / TELL_EVERY) > Math.floor(before / TELL_EVERY)) {
          tell(`${count} records have keys of format 2 now.`)
        }
      }
    } finally {
      await iterator.close()
    }
  }
}

/** What moves a row, if it is of format 1. */
function moved([key, record]: Row): Op[] {
  const newKey = newKeyOf(key)
  if (newKey === undefined) return []
  return [
    { type: 'put', key: newKey, value: resealed(key, newKey, record) },
    { type: 'del', key },
  ]
}

function resealed(key: string, newKey: string, record: Bytes): Bytes {
  const payload = unseal(key, record)
  return payload === undefined ? record : seal(newKey, payload)
}

/** The key of format 2 for one of format 1; `undefined` for any other. */
function newKeyOf(key: string): string | undefined {
  const hash = key.slice(-OLD_HASH_LENGTH)
  const before = key.slice(0, -OLD_HASH_LENGTH)
  if (!OLD_HASH.test(hash)) return undefined
  switch (before) {
    case 'h':
      return keys.have(hash)
    case 'p':
      return keys.payload(hash)
    case 'w':
      return keys.wanted(hash)
    case 'x':
      return keys.idHash(hash)
  }
  const isFact = before.startsWith('f') && before.indexOf('\u0000') === before.length - 1
  return isFact && before.length > 2
    ? keys.fact({ id: before.slice(1, -1), version: hash })
    : undefined
}
