/**
 * A fact as canonical bytes, the same on disk and wire: one CBOR list, hashes as 32 raw bytes,
 * stamps as 8. The list begins with the format's number, so that a later format is told apart.
 *
 * Decoding checks the shape and every limit; it does not judge the fact (whether ids are allowed,
 * hashes fit or lists are sorted is `checkFact` in consensus/items). Metadata is wrapped as bytes
 * of deterministic CBOR: bounded on its own, and refused unless canonical, so that one fact has
 * one encoding and its metadata one order of keys everywhere.
 */
import { type Bytes, compareBytes } from './bytes.ts'
import {
  type CborValue,
  type Decoded,
  decodeCbor,
  decodeWith,
  encodeCbor,
  hexBytes,
} from './cbor.ts'
import {
  asBytesUpTo,
  asHash,
  asInt,
  asList,
  asNullable,
  asStamp,
  asText,
  asTuple,
  refuse,
} from './cbor-read.ts'
import type { BaseHeads, Fact, Json } from './fact.ts'
import type { Hash } from './hash.ts'
import { limits } from './limits.ts'

const FACT_FORMAT = 1

/** The bytes of a fact. Its texts are well-formed and its hashes hex: `checkFact` saw it. */
export function encodeFact(fact: Fact): Bytes {
  return encodeCbor([
    FACT_FORMAT,
    fact.id,
    hexBytes(fact.version),
    fact.parents.map(hexBytes),
    hexBytes(fact.dataHash),
    fact.blob === null ? null : hexBytes(fact.blob),
    fact.size,
    fact.type,
    fact.tags,
    fact.description,
    fact.meta === null ? null : encodeCbor(fact.meta),
    fact.dependsOn,
    hexBytes(fact.at),
    fact.by,
    fact.base === null ? null : fact.base.map(base => [base.id, base.heads.map(hexBytes)]),
  ] satisfies CborValue)
}

/** The fact that bytes say, or why they say none. */
export function decodeFact(bytes: Bytes): Decoded<Fact> {
  return decodeWith(bytes, limits.factBytesMax, readFact)
}

/** Reads a fact out of a decoded value; for use inside another `read` function. */
export function readFact(value: unknown): Fact {
  const field = asTuple(value, 15, 'a fact')
  asInt(field[0], FACT_FORMAT, FACT_FORMAT, 'the format of a fact')
  return {
    id: asText(field[1], limits.idBytesMax, 'an id'),
    version: asHash(field[2], 'a version'),
    parents: readHashes(field[3], 'the parents'),
    dataHash: asHash(field[4], 'a dataHash'),
    blob: asNullable(field[5], blob => asHash(blob, 'a blob')),
    size: asInt(field[6], 0, limits.payloadBytesMax, 'a size'),
    type: asText(field[7], limits.typeBytesMax, 'a media type'),
    tags: asList(field[8], limits.tagsMax, tag => asText(tag, limits.tagBytesMax, 'a tag'), 'tags'),
    description: asText(field[9], limits.descriptionBytesMax, 'a description'),
    meta: asNullable(field[10], readMeta),
    dependsOn: asList(field[11], limits.dependsOnMax, readId, 'dependsOn'),
    at: asStamp(field[12], 'a stamp'),
    by: asText(field[13], limits.memberIdBytesMax, 'a member id'),
    base: asNullable(field[14], list => asList(list, limits.splitStepsMax, readBase, 'a base')),
  }
}

function readId(value: unknown): string {
  return asText(value, limits.idBytesMax, 'an id')
}

function readHashes(value: unknown, what: string): Hash[] {
  return asList(value, limits.parentsMax, hash => asHash(hash, what), what)
}

function readBase(value: unknown): BaseHeads {
  const field = asTuple(value, 2, 'a base entry')
  return { id: readId(field[0]), heads: readHashes(field[1], 'base heads') }
}

function readMeta(value: unknown): Json {
  const bytes = asBytesUpTo(value, limits.metaBytesMax, 'metadata')
  const meta = readJson(decodeCbor(bytes, limits.metaBytesMax, limits.metaDepthMax))
  if (meta === null) refuse('metadata of null is written as null')
  if (compareBytes(encodeCbor(meta), bytes) !== 0) refuse('metadata is not in canonical form')
  return meta
}

/** What JSON can say; a byte string is the one thing that strict CBOR adds to it. */
function readJson(value: unknown): Json {
  if (value instanceof Uint8Array) refuse('metadata holds a byte string')
  if (Array.isArray(value)) for (const entry of value) readJson(entry)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(readJson)
  return value as Json
}
