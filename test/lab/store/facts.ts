/**
 * The facts of a store whose process is gone, read from its files alone (docs/disk.md): each record
 * against its checksum, each payload found and hashed. Dumps of the lab are made of this. It changes
 * nothing, and shares no code with the product.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { DumpFact, FoundPayload, Json } from '../../../sim/checker/format.ts'
import { type CborRead, readCbor } from './cbor-value.ts'
import { readLevelDb } from './leveldb.ts'

/** What a store holds, as its files tell. */
export interface StoreContent {
  /** User facts; those of the system are left out. */
  readonly facts: readonly DumpFact[]
  /** Records whose checksum fails, by key. */
  readonly damaged: readonly string[]
}

/** Reads a store; throws where the files themselves cannot be read. */
export function readStore(folder: string): StoreContent {
  const records = readLevelDb(join(folder, 'db'))
  const facts: DumpFact[] = []
  const damaged: string[] = []
  const payloads = new Map<string, FoundPayload | null>()
  for (const [key, record] of records) {
    const payload = unsealed(key, record)
    if (payload === null) damaged.push(key)
    if (payload === null || !key.startsWith('f') || key.startsWith('f\u0001')) continue
    const fact = factOf(payload)
    const { blob } = fact
    if (blob !== null && !payloads.has(blob)) payloads.set(blob, payloadOf(folder, records, blob))
    facts.push({ ...fact, payload: blob === null ? null : payloads.get(blob)! })
  }
  return { facts, damaged }
}

function unsealed(key: string, record: Buffer): Buffer | null {
  if (record.length < 5 || record[0] !== 1) return null
  const payload = record.subarray(5)
  const crc = crc32(payload, crc32(Buffer.from(key, 'latin1')))
  return crc === record.readUInt32BE(1) ? payload : null
}

function factOf(record: Buffer): DumpFact {
  const [state, bytes] = readCbor(record) as [CborRead[], Buffer]
  const field = readCbor(bytes) as CborRead[]
  if (field[0] !== 1 || field.length !== 15) throw new Error('a fact of another format')
  const base = field[14] as [string, Buffer[]][] | null
  return {
    id: field[1] as string,
    version: hex(field[2]),
    parents: (field[3] as Buffer[]).map(hex),
    dataHash: hex(field[4]),
    blob: field[5] === null ? null : hex(field[5]),
    size: field[6] as number,
    type: field[7] as string,
    tags: field[8] as string[],
    description: field[9] as string,
    meta: field[10] === null ? null : (readCbor(field[10] as Buffer) as Json),
    dependsOn: field[11] as string[],
    at: hex(field[12]),
    by: field[13] as string,
    base: base === null ? null : base.map(([id, heads]) => ({ id, heads: heads.map(hex) })),
    added: state[0] === 0 ? hex(state[1]) : null,
    payload: null,
  }
}

function hex(bytes: CborRead | undefined): string {
  return (bytes as Buffer).toString('hex')
}

const SIX_BITS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'

/** A hash as keys name it: its bits in sixes, from the front, the last two of them 0. */
function textOf(hash: string): string {
  const bits = `${[...hash].map(digit => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('')}00`
  return bits.replace(/.{6}/g, six => SIX_BITS[Number.parseInt(six, 2)] as string)
}

/** A small payload's record, or a payload's file; null when neither is whole. */
function payloadOf(
  folder: string,
  records: ReadonlyMap<string, Buffer>,
  blob: string,
): FoundPayload | null {
  const key = `p${textOf(blob)}`
  const record = records.get(key)
  const small = record === undefined ? null : unsealed(key, record)
  const bytes = small ?? fileOf(join(folder, 'blobs', blob.slice(0, 2), blob.slice(2)))
  if (bytes === null) return null
  const hash = createHash('sha256').update(bytes).digest('hex')
  return hash === blob ? { kind: 'hash', hash, size: bytes.length } : null
}

function fileOf(path: string): Buffer | null {
  return existsSync(path) ? readFileSync(path) : null
}
