/**
 * Reads the records of a LevelDB folder whose process is gone, from the format's own description and
 * without LevelDB: the manifest tells which tables and logs count, the newest entry of a key wins. It
 * is the lab's second pair of eyes, so it shares no code with the product and opens nothing for
 * writing. A torn end of a log is where the log ends, as it is for LevelDB; everything else that
 * does not fit is an error, never passed over.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ByteReader } from './byte-reader.ts'
import { logRecords } from './log-file.ts'
import { tableEntries } from './table-file.ts'

/** One change of one key, as tables and logs keep it. */
export interface Entry {
  /** The bytes of the key as Latin-1: equal texts are equal bytes. */
  readonly key: string
  readonly sequence: bigint
  /** null: deleted. */
  readonly value: Buffer | null
}

/** All records of a database, newest values only; keys are the bytes as Latin-1. */
export function readLevelDb(folder: string): Map<string, Buffer> {
  const newest = new Map<string, Entry>()
  for (const entry of entriesOf(folder)) {
    const known = newest.get(entry.key)
    if (known === undefined || known.sequence < entry.sequence) newest.set(entry.key, entry)
  }
  const records = new Map<string, Buffer>()
  for (const [key, { value }] of newest) if (value !== null) records.set(key, value)
  return records
}

function* entriesOf(folder: string): Generator<Entry> {
  const manifest = readFileSync(join(folder, 'CURRENT'), 'utf8').trim()
  const { tables, logNumber, priorLog } = readManifest(readFileSync(join(folder, manifest)))
  const names = new Map<string, string>()
  for (const name of readdirSync(folder)) {
    const found = /^(\d+)\.(ldb|sst|log)$/.exec(name)
    if (found !== null) names.set(`${Number(found[1])}.${found[2] === 'log' ? 'log' : 'ldb'}`, name)
  }
  for (const number of tables) {
    const name = names.get(`${number}.ldb`)
    if (name === undefined) throw new Error(`table ${number} of ${folder} is not there`)
    yield* tableEntries(readFileSync(join(folder, name)))
  }
  for (const [key, name] of names) {
    const number = Number.parseInt(key, 10)
    if (!key.endsWith('.log') || (number < logNumber && number !== priorLog)) continue
    for (const record of logRecords(readFileSync(join(folder, name)))) yield* batchEntries(record)
  }
}

interface Manifest {
  readonly tables: ReadonlySet<number>
  readonly logNumber: number
  readonly priorLog: number
}

/** What the edits of a manifest add up to. */
function readManifest(bytes: Buffer): Manifest {
  const tables = new Set<number>()
  let logNumber = 0
  let priorLog = 0
  for (const record of logRecords(bytes)) {
    const reader = new ByteReader(record)
    while (!reader.isAtEnd) {
      const tag = reader.varint()
      if (tag === 1) reader.prefixed()
      else if (tag === 2) logNumber = reader.varint()
      else if (tag === 3 || tag === 4) reader.varint()
      else if (tag === 5) {
        reader.varint()
        reader.prefixed()
      } else if (tag === 6) {
        reader.varint()
        tables.delete(reader.varint())
      } else if (tag === 7) {
        reader.varint()
        tables.add(reader.varint())
        reader.varint()
        reader.prefixed()
        reader.prefixed()
      } else if (tag === 9) priorLog = reader.varint()
      else throw new Error(`a manifest with an unknown tag ${tag}`)
    }
  }
  return { tables, logNumber, priorLog }
}

function* batchEntries(record: Buffer): Generator<Entry> {
  const first = record.readBigUInt64LE(0)
  const count = record.readUInt32LE(8)
  const reader = new ByteReader(record.subarray(12))
  for (let at = 0; at < count; at++) {
    const kind = reader.byte()
    const key = reader.prefixed().toString('latin1')
    const value = kind === 1 ? reader.prefixed() : null
    yield { key, sequence: first + BigInt(at), value }
  }
}
