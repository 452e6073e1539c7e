/**
 * Bodies by which facts become agreed: adds and their acknowledgments, the numbers behind a gap,
 * and the offer of pending facts with its adoption (PROTOCOL 6 and 8).
 */
import { type CborValue, hexBytes } from '../base/cbor.ts'
import { asList, asStamp, asTuple } from '../base/cbor-read.ts'
import { limits } from '../base/limits.ts'
import type {
  AckVector,
  Add,
  Adopt,
  Offer,
  Offered,
  Relay,
  Sequences,
} from '../consensus/messages.ts'
import type { Codecs } from './body-codec.ts'
import {
  factValue,
  rangesValue,
  readCount,
  readFactBytes,
  readMember,
  readPayload,
  readRanges,
  readRef,
  readSequence,
  refValue,
} from './parts.ts'

type AddingKind =
  | 'adds'
  | 'relay'
  | 'ack'
  | 'askSequences'
  | 'sequences'
  | 'offer'
  | 'offered'
  | 'adopt'

export const addingCodecs: Codecs<AddingKind> = {
  adds: {
    tag: 10,
    length: 2,
    write: body => [body.adds.map(addValue)],
    read: field => ({ kind: 'adds', adds: asList(field[1], limits.listMax, readAdd, 'adds') }),
  },
  ack: {
    tag: 11,
    length: 5,
    write: ({ vector }) => [
      vector.adder,
      hexBytes(vector.incarnation),
      vector.upTo,
      rangesValue(vector.ranges),
    ],
    read: field => ({ kind: 'ack', vector: readVector(field) }),
  },
  askSequences: {
    tag: 12,
    length: 4,
    write: body => [body.request, hexBytes(body.incarnation), rangesValue(body.ranges)],
    read: field => ({
      kind: 'askSequences',
      request: readCount(field[1], 'a request'),
      incarnation: asStamp(field[2], 'an incarnation'),
      ranges: readRanges(field[3], 0),
    }),
  },
  sequences: {
    tag: 13,
    length: 3,
    write: body => [body.request, body.entries.map(entryValue)],
    read: field => ({
      kind: 'sequences',
      request: readCount(field[1], 'a request'),
      entries: asList(field[2], limits.listMax, readEntry, 'entries'),
    }),
  },
  offer: {
    tag: 14,
    length: 3,
    write: body => [body.request, body.facts.map(offerValue)],
    read: field => ({
      kind: 'offer',
      request: readCount(field[1], 'a request'),
      facts: asList(field[2], limits.listMax, readOffer, 'offered facts'),
    }),
  },
  offered: {
    tag: 15,
    length: 3,
    write: body => [body.request, body.agreed.map(agreedValue)],
    read: field => ({
      kind: 'offered',
      request: readCount(field[1], 'a request'),
      agreed: asList(field[2], limits.listMax, readAgreed, 'agreed facts'),
    }),
  },
  adopt: {
    tag: 16,
    length: 2,
    write: body => [body.adds.map(adoptValue)],
    read: field => ({ kind: 'adopt', adds: asList(field[1], limits.listMax, readAdopt, 'adds') }),
  },
  relay: {
    tag: 17,
    length: 3,
    write: body => [body.adder, body.adds.map(relayedValue)],
    read: field => ({
      kind: 'relay',
      adder: readMember(field[1]),
      adds: asList(field[2], limits.listMax, readRelayed, 'adds'),
    }),
  },
}

function addValue(add: Add): CborValue {
  return [add.sequence, hexBytes(add.added), factValue(add.fact), add.payload]
}

function readAdd(value: unknown): Add {
  const field = asTuple(value, 4, 'an add')
  return {
    sequence: readSequence(field[0]),
    added: asStamp(field[1], 'added'),
    fact: readFactBytes(field[2]),
    payload: readPayload(field[3]),
  }
}

function relayedValue({ added, fact, payload }: Relay['adds'][number]): CborValue {
  return [hexBytes(added), factValue(fact), payload]
}

function readRelayed(value: unknown): Relay['adds'][number] {
  const field = asTuple(value, 3, 'an add that is passed on')
  return {
    added: asStamp(field[0], 'added'),
    fact: readFactBytes(field[1]),
    payload: readPayload(field[2]),
  }
}

function readVector(field: readonly unknown[]): AckVector {
  const upTo = readCount(field[3], 'the acknowledged sequence')
  return {
    adder: readMember(field[1]),
    incarnation: asStamp(field[2], 'an incarnation'),
    upTo,
    ranges: readRanges(field[4], upTo),
  }
}

function entryValue(entry: Sequences['entries'][number]): CborValue {
  return [entry.sequence, refValue(entry.ref)]
}

function readEntry(value: unknown): Sequences['entries'][number] {
  const field = asTuple(value, 2, 'an entry')
  return { sequence: readSequence(field[0]), ref: readRef(field[1]) }
}

function offerValue(offer: Offer['facts'][number]): CborValue {
  return [factValue(offer.fact), offer.payload]
}

function readOffer(value: unknown): Offer['facts'][number] {
  const field = asTuple(value, 2, 'an offered fact')
  return { fact: readFactBytes(field[0]), payload: readPayload(field[1]) }
}

function agreedValue(entry: Offered['agreed'][number]): CborValue {
  return [refValue(entry.ref), hexBytes(entry.added)]
}

function readAgreed(value: unknown): Offered['agreed'][number] {
  const field = asTuple(value, 2, 'an agreed fact')
  return { ref: readRef(field[0]), added: asStamp(field[1], 'added') }
}

function adoptValue(add: Adopt['adds'][number]): CborValue {
  return [add.sequence, hexBytes(add.added), refValue(add.ref)]
}

function readAdopt(value: unknown): Adopt['adds'][number] {
  const field = asTuple(value, 3, 'an adopted fact')
  return {
    sequence: readSequence(field[0]),
    added: asStamp(field[1], 'added'),
    ref: readRef(field[2]),
  }
}
