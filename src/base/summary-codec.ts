/**
 * An item's summary and a fact's state as canonical bytes, for the store. Their envelope on disk
 * carries format and checksum; the first value here is the format of the record itself. The number
 * of facts and the XOR of their versions stand before it on disk, for a look at all of them: a
 * summary is read with these.
 */
import type { Bytes } from './bytes.ts'
import { type CborValue, type Decoded, decodeWith, encodeCbor, hexBytes } from './cbor.ts'
import {
  asBoolean,
  asHash,
  asInt,
  asList,
  asNullable,
  asStamp,
  asText,
  asTuple,
  refuse,
} from './cbor-read.ts'
import type { FactState, HeadSummary, ItemSummary, SetSummary } from './fact.ts'
import type { Hash } from './hash.ts'
import { limits } from './limits.ts'

const SUMMARY_FORMAT = 1
/** Nearly all items: whole, agreed, with one head. Says each hash once, and one of a first version never. */
export const USUAL_FORMAT = 2

/** What stands before a summary. */
export type SummaryFold = Pick<ItemSummary, 'facts' | 'factsXor'>

/** The bytes of a summary. */
export function encodeSummary(summary: ItemSummary): Bytes {
  if (isUsual(summary)) return encodeCbor(usualValue(summary))
  return encodeCbor([
    SUMMARY_FORMAT,
    summary.id,
    summary.facts,
    hexBytes(summary.factsXor),
    summary.agreed === null ? null : setValue(summary.agreed),
    summary.pending === null ? null : setValue(summary.pending),
    summary.heads.map(headValue),
    summary.unrooted,
  ])
}

/** A summary that is usual; its agreed set has one newest fact, which is its head. */
export type UsualSummary = ItemSummary & { readonly agreed: SetSummary }

/** Whether a summary has the short form. */
export function isUsual(summary: ItemSummary): summary is UsualSummary {
  const { facts, agreed, pending, heads, unrooted } = summary
  if (agreed === null || heads.length !== 1 || agreed.newest.length !== 1) return false
  if (heads[0]!.version !== agreed.newest[0]!.version) return false
  return agreed.count === facts && pending === null && unrooted === 0
}

function usualValue({ id, factsXor, agreed, heads }: UsualSummary): CborValue {
  const head = heads[0]!
  const newest = agreed.newest[0]!
  return [
    USUAL_FORMAT,
    id,
    head.version === factsXor ? null : hexBytes(head.version),
    hexBytes(newest.digest),
    hexBytes(agreed.addedMax),
    hexBytes(head.dataHash),
    head.deleted,
    head.position,
    hexBytes(head.at),
    head.by,
  ]
}

/** The summary that bytes say, or why they say none. */
export function decodeSummary(bytes: Bytes, fold: SummaryFold): Decoded<ItemSummary> {
  return decodeWith(bytes, limits.summaryBytesMax, value => {
    if (Array.isArray(value) && value[0] === USUAL_FORMAT) return readUsual(value, fold)
    const field = asTuple(value, 8, 'a summary')
    asInt(field[0], SUMMARY_FORMAT, SUMMARY_FORMAT, 'the format of a summary')
    return {
      id: asText(field[1], limits.idBytesMax, 'an id'),
      facts: readCount(field[2]),
      factsXor: asHash(field[3], 'factsXor'),
      agreed: asNullable(field[4], readSet),
      pending: asNullable(field[5], readSet),
      heads: asList(field[6], limits.summaryEntriesMax, readHead, 'heads'),
      unrooted: readCount(field[7]),
    }
  })
}

function readUsual(value: unknown, { facts, factsXor }: SummaryFold): ItemSummary {
  const field = asTuple(value, 10, 'a usual summary')
  const own = asNullable(field[2], hash => asHash(hash, 'a version'))
  if (own === factsXor) refuse('a version that follows is said')
  const version = own ?? factsXor
  const digest = asHash(field[3], 'a digest')
  const addedMax = asStamp(field[4], 'addedMax')
  return {
    id: asText(field[1], limits.idBytesMax, 'an id'),
    facts,
    factsXor,
    agreed: { count: facts, newest: [{ version, digest }], addedMax },
    pending: null,
    heads: [headOf(version, field.slice(5))],
    unrooted: 0,
  }
}

/** A state as a value, for a record that holds it beside other things. */
export function stateValue(state: FactState): CborValue {
  return state.kind === 'agreed' ? [0, hexBytes(state.added)] : [1, state.order, state.fresh]
}

/** The state that a decoded value says; for use inside a `read` function. */
export function readState(value: unknown): FactState {
  if (!Array.isArray(value)) refuse('a state is no list')
  if (value[0] === 0) {
    const field = asTuple(value, 2, 'an agreed state')
    return { kind: 'agreed', added: asStamp(field[1], 'added') }
  }
  const field = asTuple(value, 3, 'a pending state')
  asInt(field[0], 1, 1, 'the kind of a state')
  return { kind: 'pending', order: readCount(field[1]), fresh: asBoolean(field[2], 'fresh') }
}

function readCount(value: unknown): number {
  return asInt(value, 0, Number.MAX_SAFE_INTEGER, 'a count')
}

function setValue(set: SetSummary): CborValue {
  const newest = set.newest.map(entry => [hexBytes(entry.version), hexBytes(entry.digest)])
  return [set.count, newest, hexBytes(set.addedMax)]
}

function readSet(value: unknown): SetSummary {
  const field = asTuple(value, 3, 'a set')
  const newest = asList(field[1], limits.summaryEntriesMax, readNewest, 'the newest facts')
  return { count: readCount(field[0]), newest, addedMax: asStamp(field[2], 'addedMax') }
}

function readNewest(value: unknown): SetSummary['newest'][number] {
  const field = asTuple(value, 2, 'a newest fact')
  return { version: asHash(field[0], 'a version'), digest: asHash(field[1], 'a digest') }
}

function headValue(head: HeadSummary): CborValue {
  const { version, dataHash, deleted, position, at, by } = head
  return [hexBytes(version), hexBytes(dataHash), deleted, position, hexBytes(at), by]
}

function readHead(value: unknown): HeadSummary {
  const [version, ...rest] = asTuple(value, 6, 'a head')
  return headOf(asHash(version, 'a version'), rest)
}

function headOf(
  version: Hash,
  [dataHash, deleted, position, at, by]: readonly unknown[],
): HeadSummary {
  return {
    version,
    dataHash: asHash(dataHash, 'a dataHash'),
    deleted: asBoolean(deleted, 'deleted'),
    position: asInt(position, 1, Number.MAX_SAFE_INTEGER, 'a position'),
    at: asStamp(at, 'at'),
    by: asText(by, limits.memberIdBytesMax, 'a member id'),
  }
}
