/**
 * Bodies by which a member gets what it lacks: facts by name, what another holds durably, and
 * pieces of large payloads (PROTOCOL 6).
 */
import type { Bytes } from '../base/bytes.ts'
import { hexBytes } from '../base/cbor.ts'
import {
  asBytes,
  asBytesUpTo,
  asHash,
  asInt,
  asList,
  asNullable,
  refuse,
} from '../base/cbor-read.ts'
import { limits } from '../base/limits.ts'
import type { Codecs } from './body-codec.ts'
import { readCount, readRef, readShown, refValue, shownValue } from './parts.ts'

type FetchingKind = 'askFacts' | 'facts' | 'askHolds' | 'holds' | 'askChunk' | 'chunk'

export const fetchingCodecs: Codecs<FetchingKind> = {
  askFacts: {
    tag: 20,
    length: 3,
    write: body => [body.request, body.refs.map(refValue)],
    read: field => ({
      kind: 'askFacts',
      request: readCount(field[1], 'a request'),
      refs: asList(field[2], limits.listMax, readRef, 'fact names'),
    }),
  },
  facts: {
    tag: 21,
    length: 4,
    write: body => [body.request, body.facts.map(shownValue), body.answered],
    read: field => ({
      kind: 'facts',
      request: readCount(field[1], 'a request'),
      facts: asList(field[2], limits.listMax, readShown, 'facts'),
      answered: asInt(field[3], 0, limits.listMax, 'the number of answered names'),
    }),
  },
  askHolds: {
    tag: 22,
    length: 3,
    write: body => [body.request, body.refs.map(refValue)],
    read: field => ({
      kind: 'askHolds',
      request: readCount(field[1], 'a request'),
      refs: asList(field[2], limits.holdsMax, readRef, 'fact names'),
    }),
  },
  holds: {
    tag: 23,
    length: 4,
    write: body => [body.request, body.held.length, bitString(body.held)],
    read: field => ({
      kind: 'holds',
      request: readCount(field[1], 'a request'),
      held: readBits(field[2], field[3]),
    }),
  },
  askChunk: {
    tag: 24,
    length: 5,
    write: body => [body.request, hexBytes(body.blob), body.offset, body.length],
    read: field => ({
      kind: 'askChunk',
      request: readCount(field[1], 'a request'),
      blob: asHash(field[2], 'a blob'),
      offset: asInt(field[3], 0, limits.payloadBytesMax, 'an offset'),
      length: asInt(field[4], 1, limits.chunkBytes, 'the length of a piece'),
    }),
  },
  chunk: {
    tag: 25,
    length: 3,
    write: body => [body.request, body.bytes],
    read: field => ({
      kind: 'chunk',
      request: readCount(field[1], 'a request'),
      bytes: asNullable(field[2], bytes => asBytesUpTo(bytes, limits.chunkBytes, 'a piece')),
    }),
  },
}

/** Eight to a byte, the first in the lowest bit; bits beyond the last are zero. */
function bitString(values: readonly boolean[]): Bytes {
  const bytes = new Uint8Array(Math.ceil(values.length / 8))
  for (const [i, value] of values.entries()) if (value) bytes[i >> 3]! |= 1 << (i & 7)
  return bytes
}

function readBits(countValue: unknown, bitsValue: unknown): boolean[] {
  const count = asInt(countValue, 0, limits.holdsMax, 'the number of answers')
  const bytes = asBytes(bitsValue, Math.ceil(count / 8), 'the bit string')
  if (count % 8 !== 0 && bytes[bytes.length - 1]! >> (count % 8) !== 0) {
    refuse('the bit string has bits beyond its end')
  }
  return Array.from({ length: count }, (_, i) => ((bytes[i >> 3]! >> (i & 7)) & 1) === 1)
}
