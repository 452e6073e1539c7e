/**
 * The events of one batch as bytes, one record of the store (docs/disk.md): what facts did, which is
 * nearly all, in few bytes; everything else as the JSON that a watcher gets. Versions are raw hashes,
 * members are named once, and a fact that was agreed as it came (each write of a Source) is one row.
 *
 *   [1, [member …], [row …]]     row: [kind, id, version, at, member, size]   a fact that came
 *                                     [kind, id, version]                     agreed, resolved
 *                                     text                                    JSON of any other event
 */
import { type Bytes, utf8Text } from '../../base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor, hexBytes } from '../../base/cbor.ts'
import { asHash, asInt, asList, asText, asTuple, refuse } from '../../base/cbor-read.ts'
import { limits } from '../../base/limits.ts'
import type { EventBody } from '../../control/protocol-network.ts'

const FORMAT = 1

/** Records of before began as a JSON list does, which no CBOR list does. */
const JSON_BEGINS = '['.charCodeAt(0)

/** The order is the number on disk; a name with a plus is two events. */
const kinds = ['added', 'deleted', 'agreed', 'resolved', 'added+agreed', 'deleted+agreed'] as const
type Kind = (typeof kinds)[number]
type Came = Extract<EventBody, { readonly kind: 'added' | 'deleted' }>

/** The bytes of a record. */
export function encodeEvents(events: readonly EventBody[]): Bytes {
  const members = new Map<string, number>()
  const rows: CborValue[] = []
  for (let at = 0; at < events.length; at++) {
    const event = events[at]!
    if (event.kind === 'added' || event.kind === 'deleted') {
      const isAgreed = saysAgreed(event, events[at + 1])
      if (isAgreed) at += 1
      rows.push(cameValue(event, isAgreed ? `${event.kind}+agreed` : event.kind, members))
    } else if (event.kind === 'agreed' || event.kind === 'resolved') {
      rows.push([kinds.indexOf(event.kind), event.id, hexBytes(event.version)])
    } else rows.push(JSON.stringify(event))
  }
  return encodeCbor([FORMAT, [...members.keys()], rows])
}

/** The events of a record; throws when it is none: its checksum was right, so we wrote it wrongly. */
export function decodeEvents(bytes: Bytes): EventBody[] {
  try {
    if (bytes[0] === JSON_BEGINS) return JSON.parse(utf8Text(bytes) ?? '') as EventBody[]
    return readRecord(decodeCbor(bytes, bytes.length, limits.frameDepthMax))
  } catch (error) {
    throw new Error('A record of events cannot be read.', { cause: error })
  }
}

function saysAgreed({ id, version }: Came, next: EventBody | undefined): boolean {
  return next?.kind === 'agreed' && next.id === id && next.version === version
}

function cameValue(event: Came, kind: Kind, members: Map<string, number>): CborValue {
  const { id, version, at, by, size } = event
  const place = members.get(by) ?? members.size
  members.set(by, place)
  return [kinds.indexOf(kind), id, hexBytes(version), at, place, size]
}

function readRecord(value: unknown): EventBody[] {
  const field = asTuple(value, 3, 'a record of events')
  asInt(field[0], FORMAT, FORMAT, 'the format of events')
  const readMember = (member: unknown) => asText(member, limits.memberIdBytesMax, 'a member')
  const members = asList(field[1], Number.POSITIVE_INFINITY, readMember, 'members')
  const read = (row: unknown) => readRow(row, members)
  return asList(field[2], Number.POSITIVE_INFINITY, read, 'events').flat()
}

function readRow(row: unknown, members: readonly string[]): EventBody[] {
  if (typeof row === 'string') return [JSON.parse(row) as EventBody]
  if (!Array.isArray(row)) refuse('an event is neither a list nor a text')
  const kind = kinds[asInt(row[0], 0, kinds.length - 1, 'the kind of an event')]!
  const id = asText(row[1], limits.idBytesMax, 'an id')
  const version = asHash(row[2], 'a version')
  if (kind === 'agreed' || kind === 'resolved') return [{ kind, id, version }]
  const field = asTuple(row, 6, 'a fact that came')
  const came = {
    id,
    version,
    at: asInt(field[3], 0, Number.MAX_SAFE_INTEGER, 'at'),
    by: members[asInt(field[4], 0, members.length - 1, 'a member')]!,
    size: asInt(field[5], 0, limits.payloadBytesMax, 'a size'),
  }
  switch (kind) {
    case 'added':
    case 'deleted':
      return [{ kind, ...came }]
    case 'added+agreed':
      return [
        { kind: 'added', ...came },
        { kind: 'agreed', id, version },
      ]
    case 'deleted+agreed':
      return [
        { kind: 'deleted', ...came },
        { kind: 'agreed', id, version },
      ]
  }
}
