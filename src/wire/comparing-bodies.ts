/**
 * Bodies of a comparison: the walk through two trees, then the facts of the items that differ
 * (PROTOCOL 7 to 9).
 */
import { type CborValue, hexBytes } from '../base/cbor.ts'
import {
  asBoolean,
  asHash,
  asList,
  asNullable,
  asStamp,
  asText,
  asTuple,
} from '../base/cbor-read.ts'
import { limits } from '../base/limits.ts'
import { readState, stateValue } from '../base/summary-codec.ts'
import type { AskItems, NamedFact, Scope, ShownItem } from '../consensus/messages.ts'
import type { Codecs } from './body-codec.ts'
import {
  readCount,
  readHashes,
  readId,
  readShown,
  readWord,
  shownValue,
  wordValue,
} from './parts.ts'
import { readWalkAnswer, readWalkRequest, walkAnswerValue, walkRequestValue } from './walk.ts'

/** The order is the number on the wire. */
const scopes: readonly Scope[] = ['settled', 'held']
const wants: readonly AskItems['want'][] = ['names', 'facts']

export const comparingCodecs: Codecs<'askWalk' | 'walked' | 'askItems' | 'items'> = {
  askWalk: {
    tag: 30,
    length: 4,
    write: body => [body.request, wordValue(scopes, body.scope), walkRequestValue(body.walk)],
    read: field => ({
      kind: 'askWalk',
      request: readCount(field[1], 'a request'),
      scope: readWord(scopes, field[2], 'the scope'),
      walk: readWalkRequest(field[3]),
    }),
  },
  walked: {
    tag: 31,
    length: 3,
    write: body => [body.request, body.walk === null ? null : walkAnswerValue(body.walk)],
    read: field => ({
      kind: 'walked',
      request: readCount(field[1], 'a request'),
      walk: asNullable(field[2], readWalkAnswer),
    }),
  },
  askItems: {
    tag: 32,
    length: 5,
    write: body => [
      body.request,
      wordValue(scopes, body.scope),
      wordValue(wants, body.want),
      body.items.map(askedValue),
    ],
    read: field => ({
      kind: 'askItems',
      request: readCount(field[1], 'a request'),
      scope: readWord(scopes, field[2], 'the scope'),
      want: readWord(wants, field[3], 'what is wanted'),
      items: asList(field[4], limits.listMax, readAsked, 'items'),
    }),
  },
  items: {
    tag: 33,
    length: 4,
    write: body => [body.request, body.items.map(itemValue), body.refused],
    read: field => ({
      kind: 'items',
      request: readCount(field[1], 'a request'),
      items: asList(field[2], limits.listMax, readItem, 'items'),
      refused: asBoolean(field[3], 'refused'),
    }),
  },
}

function askedValue(item: AskItems['items'][number]): CborValue {
  return [hexBytes(item.idHash), item.have.map(hexBytes), item.skip]
}

function readAsked(value: unknown): AskItems['items'][number] {
  const field = asTuple(value, 3, 'an asked item')
  return {
    idHash: asHash(field[0], 'an id-hash'),
    have: readHashes(field[1], limits.listMax, 'the versions at hand'),
    skip: readCount(field[2], 'skip'),
  }
}

function itemValue(item: ShownItem): CborValue {
  return [
    hexBytes(item.idHash),
    item.id,
    item.covered.map(entry => [hexBytes(entry.version), hexBytes(entry.digest)]),
    item.names.map(nameValue),
    item.facts.map(shownValue),
    item.more,
  ]
}

function readItem(value: unknown): ShownItem {
  const field = asTuple(value, 6, 'a shown item')
  return {
    idHash: asHash(field[0], 'an id-hash'),
    id: asNullable(field[1], readId),
    covered: asList(field[2], limits.listMax, readCovered, 'covered versions'),
    names: asList(field[3], limits.listMax, readName, 'names'),
    facts: asList(field[4], limits.listMax, readShown, 'facts'),
    more: asBoolean(field[5], 'more'),
  }
}

function readCovered(value: unknown): ShownItem['covered'][number] {
  const field = asTuple(value, 2, 'a covered version')
  return { version: asHash(field[0], 'a version'), digest: asHash(field[1], 'a digest') }
}

function nameValue(name: NamedFact): CborValue {
  return [hexBytes(name.version), stateValue(name.state), hexBytes(name.at), name.by]
}

function readName(value: unknown): NamedFact {
  const field = asTuple(value, 4, 'a named fact')
  return {
    version: asHash(field[0], 'a version'),
    state: readState(field[1]),
    at: asStamp(field[2], 'at'),
    by: asText(field[3], limits.memberIdBytesMax, 'a member id'),
  }
}
