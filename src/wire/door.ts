/**
 * What is said at the door, where a peer stands that is no member, or not known to be one: it
 * redeems an invitation or asks whether it belongs here. Nothing else is ever answered to it. One
 * request, one answer, each a list that begins with the protocol version. A knock carries no
 * envelope: who knocks has no status in this network; who it is, the connection has proved.
 */
import type { Bytes } from '../base/bytes.ts'
import { type CborValue, type Decoded, decodeWith, encodeCbor } from '../base/cbor.ts'
import { asBytes, asInt, asText, asTuple, refuse } from '../base/cbor-read.ts'
import type { Fact, MemberId } from '../base/fact.ts'
import { unreachable } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { PROTOCOL_VERSION } from '../consensus/messages.ts'
import { factValue, readAddresses, readFactList, readMember, readWord, wordValue } from './parts.ts'

/** Bytes of an invitation's one-time secret. */
export const INVITATION_SECRET_BYTES = 32

export type DoorRequest =
  /** Lets a peer in that holds an invitation. */
  | {
      readonly kind: 'redeem'
      /** Exactly INVITATION_SECRET_BYTES. */
      readonly secret: Bytes
      /**
       * Who is to become a member. The knocker itself, or, when a member passes the request on to
       * the one that issued the invitation, the peer that knocked at that member's door.
       */
      readonly peer: MemberId
      readonly name: string
      /** Where the new member can be dialled. */
      readonly addresses: readonly string[]
    }
  /** "Am I a member here?" */
  | { readonly kind: 'hello' }

const refusalCodes = [
  'UNKNOWN_TOKEN',
  'USED_TOKEN',
  'EXPIRED_TOKEN',
  'NOT_MEMBER',
  /** Not now: the member that issued the invitation is not reached. Try again. */
  'BUSY',
] as const

/** Why the door stays shut; the order of `refusalCodes` is the number on the wire. */
export type DoorRefusalCode = (typeof refusalCodes)[number]

export type DoorAnswer =
  /** The knocker is a member; with the system facts: roster and settings. */
  | { readonly kind: 'welcome'; readonly facts: readonly Fact[] }
  | { readonly kind: 'refused'; readonly code: DoorRefusalCode; readonly sentence: string }
  /** The knocker was a member and was removed; with the system facts that prove it. */
  | { readonly kind: 'removed'; readonly facts: readonly Fact[] }

/** The bytes of a request at the door. */
export function encodeDoorRequest(request: DoorRequest): Bytes {
  return encodeCbor([PROTOCOL_VERSION, ...requestValues(request)])
}

/** The request that a knocker's bytes say, at most `limitBytes` of them, or why they say none. */
export function decodeDoorRequest(bytes: Bytes, limitBytes: number): Decoded<DoorRequest> {
  return decodeWith(bytes, limitBytes, readRequest, limits.frameDepthMax, limits.frameValuesMax)
}

/** The bytes of an answer at the door. */
export function encodeDoorAnswer(answer: DoorAnswer): Bytes {
  return encodeCbor([PROTOCOL_VERSION, ...answerValues(answer)])
}

/** The answer that a door's bytes say, at most `limitBytes` of them, or why they say none. */
export function decodeDoorAnswer(bytes: Bytes, limitBytes: number): Decoded<DoorAnswer> {
  return decodeWith(bytes, limitBytes, readAnswer, limits.frameDepthMax, limits.frameValuesMax)
}

function requestValues(request: DoorRequest): readonly CborValue[] {
  switch (request.kind) {
    case 'redeem':
      return [1, request.secret, request.peer, request.name, request.addresses]
    case 'hello':
      return [2]
    default:
      return unreachable(request)
  }
}

function readRequest(value: unknown): DoorRequest {
  switch (readTag(value)) {
    case 1: {
      const field = asTuple(value, 6, 'a request to redeem')
      return {
        kind: 'redeem',
        secret: asBytes(field[2], INVITATION_SECRET_BYTES, 'the secret'),
        peer: readMember(field[3]),
        name: asText(field[4], limits.nameBytesMax, 'the name'),
        addresses: readAddresses(field[5]),
      }
    }
    case 2:
      asTuple(value, 2, 'a hello')
      return { kind: 'hello' }
    default:
      return refuse('a request of an unknown kind')
  }
}

function answerValues(answer: DoorAnswer): readonly CborValue[] {
  switch (answer.kind) {
    case 'welcome':
      return [1, answer.facts.map(factValue)]
    case 'refused':
      return [2, wordValue(refusalCodes, answer.code), answer.sentence]
    case 'removed':
      return [3, answer.facts.map(factValue)]
    default:
      return unreachable(answer)
  }
}

function readAnswer(value: unknown): DoorAnswer {
  switch (readTag(value)) {
    case 1:
      return { kind: 'welcome', facts: readFactList(asTuple(value, 3, 'a welcome')[2]) }
    case 2: {
      const field = asTuple(value, 4, 'a refusal')
      return {
        kind: 'refused',
        code: readWord(refusalCodes, field[2], 'the code of a refusal'),
        sentence: asText(field[3], limits.sentenceBytesMax, 'the sentence of a refusal'),
      }
    }
    case 3:
      return { kind: 'removed', facts: readFactList(asTuple(value, 3, 'a removal')[2]) }
    default:
      return refuse('an answer of an unknown kind')
  }
}

/** The kind of a request or answer, after its version was found to be ours. */
function readTag(value: unknown): unknown {
  if (!Array.isArray(value)) refuse('what is said at the door is a list')
  asInt(value[0], PROTOCOL_VERSION, PROTOCOL_VERSION, 'the protocol version')
  return value[1]
}
