/**
 * The records that several bodies share: facts with their payloads, references, ranges, counts.
 * Each has a `…Value` that writes it and a `read…` that checks it; both stand side by side so that
 * a change of one is seen in the other. Facts travel as byte strings of their canonical encoding,
 * the same bytes that are on disk. Nothing here judges a fact: `checkFact` does that.
 */
import type { Bytes } from '../base/bytes.ts'
import { type CborValue, decodeCbor, hexBytes } from '../base/cbor.ts'
import {
  asBytesUpTo,
  asHash,
  asInt,
  asList,
  asNullable,
  asText,
  asTuple,
  refuse,
} from '../base/cbor-read.ts'
import type { Fact, FactRef, MemberId } from '../base/fact.ts'
import { encodeFact, readFact } from '../base/fact-codec.ts'
import type { Hash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { readState, stateValue } from '../base/summary-codec.ts'
import type { ShownFact } from '../consensus/messages.ts'

/** A whole number from 0 on: request numbers, sequences, counts. */
export function readCount(value: unknown, what: string): number {
  return asInt(value, 0, Number.MAX_SAFE_INTEGER, what)
}

/** A place in an adder's incarnation: 1, 2, 3, … */
export function readSequence(value: unknown): number {
  return asInt(value, 1, Number.MAX_SAFE_INTEGER, 'a sequence')
}

/** The place of a word in a closed list, for writing. */
export function wordValue<T extends string>(words: readonly T[], word: T): number {
  return words.indexOf(word)
}

/** The word at a place of a closed list. */
export function readWord<T extends string>(words: readonly T[], value: unknown, what: string): T {
  return words[asInt(value, 0, words.length - 1, what)]!
}

/** A member's id, never empty. */
export function readMember(value: unknown): MemberId {
  const member = asText(value, limits.memberIdBytesMax, 'a member id')
  if (member === '') refuse('a member id is empty')
  return member
}

/** Dialling addresses of one member. */
export function readAddresses(value: unknown): string[] {
  const read = (entry: unknown) => asText(entry, limits.addressBytesMax, 'an address')
  return asList(value, limits.addressesMax, read, 'the addresses')
}

/** A fact as a byte string. */
export function factValue(fact: Fact): CborValue {
  return encodeFact(fact)
}

/** The fact of a byte string; bounded on its own before anything of it is decoded. */
export function readFactBytes(value: unknown): Fact {
  const bytes = asBytesUpTo(value, limits.factBytesMax, 'a fact')
  const { factBytesMax, frameDepthMax, factValuesMax } = limits
  return readFact(decodeCbor(bytes, factBytesMax, frameDepthMax, factValuesMax))
}

/** Facts without payloads. */
export function readFactList(value: unknown): Fact[] {
  return asList(value, limits.listMax, readFactBytes, 'facts')
}

/** A small payload that travels with its fact, or null. */
export function readPayload(value: unknown): Bytes | null {
  return asNullable(value, bytes => asBytesUpTo(bytes, limits.inlinePayloadBytesMax, 'a payload'))
}

/** A fact's name: the id, then the version. */
export function refValue(ref: FactRef): CborValue {
  return [ref.id, hexBytes(ref.version)]
}

/** A fact's name. */
export function readRef(value: unknown): FactRef {
  const field = asTuple(value, 2, 'a fact name')
  return { id: readId(field[0]), version: asHash(field[1], 'a version') }
}

/** An item's id: its length and UTF-8 only, the rules of items check the rest. */
export function readId(value: unknown): string {
  return asText(value, limits.idBytesMax, 'an id')
}

/** A fact as the answerer holds it. */
export function shownValue(shown: ShownFact): CborValue {
  return [factValue(shown.fact), stateValue(shown.state), shown.payload]
}

/** A fact as the answerer holds it. */
export function readShown(value: unknown): ShownFact {
  const field = asTuple(value, 3, 'a shown fact')
  return {
    fact: readFactBytes(field[0]),
    state: readState(field[1]),
    payload: readPayload(field[2]),
  }
}

/** A list of hashes of at most `limit`. */
export function readHashes(value: unknown, limit: number, what: string): Hash[] {
  return asList(value, limit, hash => asHash(hash, what), what)
}

type Range = readonly [number, number]

/** Inclusive ranges. */
export function rangesValue(ranges: readonly Range[]): CborValue {
  return ranges.map(([first, last]) => [first, last])
}

/** Inclusive ranges above `above`, ascending and apart, at most `limits.ackRangesMax`. */
export function readRanges(value: unknown, above: number): Range[] {
  let last = above
  const read = (entry: unknown): Range => {
    const field = asTuple(entry, 2, 'a range')
    const from = readSequence(field[0])
    const to = readSequence(field[1])
    if (from <= last || to < from) refuse('ranges are not ascending')
    last = to
    return [from, to]
  }
  return asList(value, limits.ackRangesMax, read, 'ranges')
}
