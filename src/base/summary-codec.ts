/**
 * An item's summary and a fact's state as canonical bytes, for the store. Their envelope on disk
 * carries format and checksum; the first value here is the format of the record itself.
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
import { limits } from './limits.ts'

const SUMMARY_FORMAT = 1

/** The bytes of a summary. */
export function encodeSummary(summary: ItemSummary): Bytes {
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

/** The summary that bytes say, or why they say none. */
export function decodeSummary(bytes: Bytes): Decoded<ItemSummary> {
  return decodeWith(bytes, limits.summaryBytesMax, value => {
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
  const field = asTuple(value, 6, 'a head')
  return {
    version: asHash(field[0], 'a version'),
    dataHash: asHash(field[1], 'a dataHash'),
    deleted: asBoolean(field[2], 'deleted'),
    position: asInt(field[3], 1, Number.MAX_SAFE_INTEGER, 'a position'),
    at: asStamp(field[4], 'at'),
    by: asText(field[5], limits.memberIdBytesMax, 'a member id'),
  }
}
