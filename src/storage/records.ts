/**
 * Records on disk: what each holds, as bytes, and the envelope that all share:
 * `[format, 1 byte][CRC-32 of key and payload, 4 bytes][payload]`.
 *
 * LevelDB gives a flipped bit back as a good value, so each record carries its own checksum. CRC-32
 * finds every flip of up to 32 neighbouring bits and misses other damage once in 4 billion; it
 * guards against rot, not against people, and costs a third of a short SHA-256. The key is under it,
 * so a value that turns up under another key is damaged too. Payloads are held against their
 * SHA-256 besides. The format is the record's; the store's own is in its marker file.
 */
import { crc32 } from 'node:zlib'
import { type Bytes, concatBytes, newBytes, toHex, utf8, utf8Text } from '../base/bytes.ts'
import { decodeWith, encodeCbor, hexBytes } from '../base/cbor.ts'
import { asBytesUpTo, asHash, asInt, asTuple, rawOf, refuse } from '../base/cbor-read.ts'
import type { FactRef, HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import { decodeFact, encodeFact } from '../base/fact-codec.ts'
import { type Glance, glanceAt, glanceOf } from '../base/glance.ts'
import type { Hash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { decodeSummary, encodeSummary, readState, stateValue } from '../base/summary-codec.ts'
import type { HashXor } from './hash-xor.ts'
import type { TallyRecord } from './tally.ts'

/** The format of the envelope and of all that is described in this file. */
export const RECORD_FORMAT = 1
const HEAD_BYTES = 5
const SIZE_BYTES = 8
const FOLD_BYTES = SIZE_BYTES + 32
const UINT32 = 2 ** 32

/** A payload in its envelope, for one key. */
export function seal(key: string, payload: Bytes): Bytes {
  const record = newBytes(HEAD_BYTES + payload.length)
  record[0] = RECORD_FORMAT
  putUint32(record, 1, crc32(payload, crc32(key)))
  record.set(payload, HEAD_BYTES)
  return record
}

/** The payload of a record, or `undefined` when it is damaged or of another format. */
export function unseal(key: string, record: Bytes): Bytes | undefined {
  if (record.length < HEAD_BYTES || record[0] !== RECORD_FORMAT) return undefined
  // LevelDB hands out Buffers, whose `slice` is another than that of the Uint8Array we promise
  const start = record.byteOffset + HEAD_BYTES
  const payload = new Uint8Array(record.buffer, start, record.length - HEAD_BYTES)
  return crc32(payload, crc32(key)) === uint32At(record, 1) ? payload : undefined
}

/** A fact with its state. */
export function factPayload({ fact, state }: HeldFact): Bytes {
  return encodeCbor([stateValue(state), encodeFact(fact)])
}

/** The fact with its state that bytes say; `undefined` when they say none. */
export function readFactPayload(payload: Bytes): HeldFact | undefined {
  const parts = decodeWith(payload, limits.factBytesMax, value => {
    const field = asTuple(value, 2, 'a held fact')
    return {
      state: readState(field[0]),
      bytes: asBytesUpTo(field[1], limits.factBytesMax, 'a fact'),
    }
  })
  if (!parts.ok) return undefined
  const fact = decodeFact(parts.value.bytes)
  return fact.ok ? { fact: fact.value, state: parts.value.state } : undefined
}

/** What an opening folds over all items, without decoding their summaries. */
export interface ItemFold {
  readonly facts: number
  readonly factsXor: Hash
}

/** A summary; its count and digest stand in front, for the fold. */
export function itemPayload(summary: ItemSummary): Bytes {
  return concatBytes([sizePayload(summary.facts), rawOf(summary.factsXor), encodeSummary(summary)])
}

/** The summary that bytes say; `undefined` when they say none. */
export function readItemPayload(payload: Bytes): ItemSummary | undefined {
  const fold = readItemFold(payload)
  if (fold === undefined) return undefined
  const summary = decodeSummary(payload.subarray(FOLD_BYTES), fold)
  return summary.ok ? summary.value : undefined
}

/** What a start needs of an item; `undefined` when the bytes say no summary. */
export function readGlancePayload(id: ItemId, payload: Bytes): Glance | undefined {
  const facts = payload.length < FOLD_BYTES ? undefined : sizeAt(payload)
  if (facts === undefined) return undefined
  const factsXor = payload.subarray(SIZE_BYTES, FOLD_BYTES)
  const usual = glanceAt(payload.subarray(FOLD_BYTES), { id, facts, factsXor })
  if (usual !== undefined) return usual
  const summary = readItemPayload(payload)
  return summary && glanceOf(summary)
}

/** What an opening needs of a summary; `undefined` when the bytes are too short. */
export function readItemFold(payload: Bytes): ItemFold | undefined {
  const facts = payload.length < FOLD_BYTES ? undefined : sizeAt(payload)
  if (facts === undefined) return undefined
  return { facts, factsXor: toHex(payload.subarray(SIZE_BYTES, FOLD_BYTES)) }
}

/** The same for a sum over very many: answers the count of facts, and takes the hash into `xor`. */
export function addItemFold(payload: Bytes, xor: HashXor): number | undefined {
  const facts = payload.length < FOLD_BYTES ? undefined : sizeAt(payload)
  if (facts !== undefined) xor.toggleRaw(payload, SIZE_BYTES)
  return facts
}

/** A size or count of up to 2^53 − 1 in 8 bytes, big end first. */
export function sizePayload(size: number): Bytes {
  const payload = new Uint8Array(SIZE_BYTES)
  putUint32(payload, 0, Math.floor(size / UINT32))
  putUint32(payload, 4, size % UINT32)
  return payload
}

/** The number in 8 bytes; `undefined` when it is none that can be exact. */
export function readSizePayload(payload: Bytes): number | undefined {
  return payload.length === SIZE_BYTES ? sizeAt(payload) : undefined
}

function sizeAt(payload: Bytes): number | undefined {
  const size = uint32At(payload, 0) * UINT32 + uint32At(payload, 4)
  return Number.isSafeInteger(size) ? size : undefined
}

/** A fact's name in the pending queue. */
export function refPayload({ id, version }: FactRef): Bytes {
  return concatBytes([rawOf(version), utf8(id)])
}

/** The name in the queue; `undefined` when the bytes say none. */
export function readRefPayload(payload: Bytes): FactRef | undefined {
  const id = utf8Text(payload.subarray(32))
  if (payload.length < 32 || id === undefined) return undefined
  return { id, version: toHex(payload.subarray(0, 32)) }
}

/** What a group of batches promised, and the oldest group whose record is still kept. */
export interface GroupRecord {
  readonly tally: TallyRecord
  readonly oldest: number
}

/** The bytes of a group. */
export function groupPayload({ tally, oldest }: GroupRecord): Bytes {
  return encodeCbor([
    tally.group,
    oldest,
    tally.facts,
    hexBytes(tally.factsXor),
    tally.pending,
    hexBytes(tally.pendingXor),
    tally.lastOrder,
    tally.firstEvent,
    tally.lastEvent,
  ])
}

/** The group that bytes say; `undefined` when they say none. */
export function readGroupPayload(payload: Bytes): GroupRecord | undefined {
  const read = decodeWith(payload, limits.factBytesMax, value => {
    const field = asTuple(value, 9, 'a group')
    const count = (at: number): number => {
      const min = at === 6 ? -1 : 0
      return asInt(field[at], min, Number.MAX_SAFE_INTEGER, 'a count of a group')
    }
    if (count(1) > count(0)) refuse('a group keeps records of later groups')
    const tally = {
      group: count(0),
      facts: count(2),
      factsXor: asHash(field[3], 'factsXor'),
      pending: count(4),
      pendingXor: asHash(field[5], 'pendingXor'),
      lastOrder: count(6),
      firstEvent: count(7),
      lastEvent: count(8),
    }
    return { tally, oldest: count(1) }
  })
  return read.ok ? read.value : undefined
}

function putUint32(bytes: Bytes, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function uint32At(bytes: Bytes, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  )
}
