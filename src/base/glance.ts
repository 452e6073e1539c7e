/**
 * What a start needs of an item, without the decoding of its summary: a million items are looked at
 * before a member is ready. Nearly all of them are usual (summary-codec.ts) and are read where their
 * fields stand; of any other its summary is what is needed.
 */
import { type Bytes, compareBytes, concatBytes, toHex, utf8, utf8Text } from './bytes.ts'
import { rawOf } from './cbor-read.ts'
import type { ItemId, ItemSummary } from './fact.ts'
import { limits } from './limits.ts'
import type { Stamp } from './stamp.ts'
import { isUsual, USUAL_FORMAT } from './summary-codec.ts'

/** An item at a glance. The bytes may be views of what was read: nobody changes them. */
export type Glance = UsualGlance | OtherGlance

interface Seen {
  readonly id: ItemId
  /** The id in UTF-8. */
  readonly idBytes: Bytes
  /** Facts held, and those of them that are agreed. */
  readonly facts: number
  readonly agreed: number
  /** The largest `added`; `null` where nothing is agreed. */
  readonly addedMax: Stamp | null
  /** Version and digest of each newest agreed fact, 32 bytes each: the leaf is the hash of them. */
  readonly newest: Bytes
}

/** A whole, agreed item with one head. */
export interface UsualGlance extends Seen {
  readonly kind: 'usual'
  readonly addedMax: Stamp
  /** The head ends the item. */
  readonly deleted: boolean
}

/** Any other item. */
export interface OtherGlance extends Seen {
  readonly kind: 'other'
  readonly summary: ItemSummary
}

const HASH_BYTES = 32
const STAMP_BYTES = 8
/** A list of the ten values of a usual summary, and the first of them. */
const LIST_OF_TEN = 0x8a
const NULL = 0xf6
const FALSE = 0xf4
const TRUE = 0xf5
/** Heads of byte strings of 32 bytes (two bytes of head) and of 8. */
const BYTES_ONE_MORE = 0x58
const BYTES_OF_8 = 0x48
const TEXT = 3
const ASCII_MAX = 0x7f

/** The glance at a summary. */
export function glanceOf(summary: ItemSummary): Glance {
  const { id, facts, agreed } = summary
  const newest = agreed?.newest.flatMap(({ version, digest }) => [rawOf(version), rawOf(digest)])
  const seen = {
    id,
    idBytes: utf8(id),
    facts,
    agreed: agreed?.count ?? 0,
    newest: concatBytes(newest ?? []),
  }
  if (!isUsual(summary)) {
    return { ...seen, kind: 'other', addedMax: agreed?.addedMax ?? null, summary }
  }
  const [head] = summary.heads
  return {
    ...seen,
    kind: 'usual',
    addedMax: summary.agreed.addedMax,
    deleted: head!.deleted,
  }
}

/**
 * The glance at the bytes of a usual summary; `undefined` for those of another one, or of none: they
 * are to be decoded. `factsXor` are the 32 bytes that stand before a summary on disk.
 */
export function glanceAt(
  bytes: Bytes,
  from: { readonly id: ItemId; readonly facts: number; readonly factsXor: Bytes },
): UsualGlance | undefined {
  if (bytes[0] !== LIST_OF_TEN || bytes[1] !== USUAL_FORMAT) return undefined
  const id = textAt(bytes, 2)
  if (id === undefined || !saysId(bytes, id, from.id)) return undefined
  const newest = new Uint8Array(2 * HASH_BYTES)
  let at = id.end
  if (bytes[at] === NULL) {
    newest.set(from.factsXor)
    at += 1
  } else {
    if (!isHashAt(bytes, at)) return undefined
    copyHash(bytes, at, newest, 0)
    if (compareBytes(newest.subarray(0, HASH_BYTES), from.factsXor) === 0) return undefined
    at += 2 + HASH_BYTES
  }
  const addedAt = at + 2 + HASH_BYTES
  const dataAt = addedAt + 1 + STAMP_BYTES
  const deletedAt = dataAt + 2 + HASH_BYTES
  if (!isHashAt(bytes, at) || bytes[addedAt] !== BYTES_OF_8 || !isHashAt(bytes, dataAt))
    return undefined
  copyHash(bytes, at, newest, HASH_BYTES)
  const deleted = bytes[deletedAt]
  if ((deleted !== TRUE && deleted !== FALSE) || !endsAsHead(bytes, deletedAt + 1)) return undefined
  return {
    kind: 'usual',
    id: from.id,
    idBytes: bytes.subarray(id.start, id.end),
    facts: from.facts,
    agreed: from.facts,
    newest,
    addedMax: toHex(bytes.subarray(addedAt + 1, dataAt)),
    deleted: deleted === TRUE,
  }
}

/** After what is needed: position, stamp and author of the head, and nothing else. */
function endsAsHead(bytes: Bytes, at: number): boolean {
  const position = headAt(bytes, at)
  if (position === undefined || position.type !== 0 || position.value === 0) return false
  const stampAt = at + position.headBytes
  if (bytes[stampAt] !== BYTES_OF_8) return false
  const author = textAt(bytes, stampAt + 1 + STAMP_BYTES)
  if (author === undefined || author.end !== bytes.length) return false
  const length = author.end - author.start
  return length <= limits.memberIdBytesMax && isAscii(bytes, author.start, author.end)
}

interface Text {
  readonly start: number
  readonly end: number
}

/** Where a text begins and ends. */
function textAt(bytes: Bytes, at: number): Text | undefined {
  const head = headAt(bytes, at)
  if (head === undefined || head.type !== TEXT) return undefined
  const start = at + head.headBytes
  const end = start + head.value
  return end > bytes.length ? undefined : { start, end }
}

/** Whether a record names the item under whose key it lies. */
function saysId(bytes: Bytes, { start, end }: Text, id: ItemId): boolean {
  if (end - start > limits.idBytesMax) return false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte > ASCII_MAX) return utf8Text(bytes.subarray(start, end)) === id
    if (byte !== id.charCodeAt(at - start)) return false
  }
  return end - start === id.length
}

function isAscii(bytes: Bytes, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > ASCII_MAX) return false
  return true
}

/** A head of one to three bytes in its shortest form; the others are left to the decoder. */
function headAt(
  bytes: Bytes,
  at: number,
): { type: number; value: number; headBytes: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const type = first >> 5
  const minor = first & 31
  if (minor < 24) return { type, value: minor, headBytes: 1 }
  const one = bytes[at + 1] ?? 0
  if (minor === 24) return one < 24 ? undefined : { type, value: one, headBytes: 2 }
  if (minor === 25 && one > 0) {
    return { type, value: (one << 8) | (bytes[at + 2] ?? 0), headBytes: 3 }
  }
  return undefined
}

function isHashAt(bytes: Bytes, at: number): boolean {
  return bytes[at] === BYTES_ONE_MORE && bytes[at + 1] === HASH_BYTES
}

function copyHash(from: Bytes, at: number, to: Bytes, toAt: number): void {
  for (let i = 0; i < HASH_BYTES; i++) to[toAt + i] = from[at + 2 + i]!
}
