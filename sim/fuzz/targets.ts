/**
 * Every place where bytes or texts of others are taken: what feeds it, and what must hold of its
 * answer. A target answers whether the input was accepted; whatever it throws is a finding. What is
 * accepted in a format of ours has one form: it encodes to the very same bytes again.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Bytes, concatBytes, utf8 } from '../../src/base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/base/cbor.ts'
import { decodeFact, encodeFact } from '../../src/base/fact-codec.ts'
import { limits } from '../../src/base/limits.ts'
import { LineReader } from '../../src/base/line-reader.ts'
import { decodeSummary, encodeSummary, type SummaryFold } from '../../src/base/summary-codec.ts'
import { VecheError } from '../../src/base/veche-error.ts'
import { escapeName, parseId, rootOf } from '../../src/consensus/items/id.ts'
import { checkMethod, checkParams } from '../../src/control/check-params.ts'
import { parseRequest } from '../../src/control/request-line.ts'
import { decodeVote, encodeVote } from '../../src/node/driver/roster-record.ts'
import { decodeEvents } from '../../src/node/ledger/event-record.ts'
import { InvalidPackedFrameError, unpack } from '../../src/node/packing.ts'
import { decodeToken, encodeToken } from '../../src/node/token.ts'
import { journalLine, readLines } from '../../src/storage/journal.ts'
import {
  factPayload,
  groupPayload,
  readFactPayload,
  readGroupPayload,
  readItemFold,
  readItemPayload,
  readRefPayload,
  readSizePayload,
  refPayload,
  seal,
  sizePayload,
  unseal,
} from '../../src/storage/records.ts'
import { unsnappy } from '../../src/storage/snappy.ts'
import { readBlock, writeBlock } from '../../src/storage/table-block.ts'
import {
  decodeDoorAnswer,
  decodeDoorRequest,
  encodeDoorAnswer,
  encodeDoorRequest,
} from '../../src/wire/door.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import type { Random } from '../random.ts'
import { below, mutateValue } from './mutate.ts'

export interface Target {
  readonly name: string
  /** Takes the input as a stranger's; true: accepted. Throws when something is wrong. */
  readonly take: (input: Bytes, random: Random) => boolean
  /** Spoils the meaning of a good input; absent: only its bytes are spoilt. */
  readonly spoil?: (input: Bytes, random: Random) => Bytes
}

const cbor = { bytes: true }

/** What stands before a summary that is fuzzed alone. */
const FOLD: SummaryFold = { facts: 1, factsXor: 'ab'.repeat(32) }

function spoilCbor(input: Bytes, random: Random): Bytes {
  let value = decodeCbor(input, input.length, 32) as CborValue
  for (let times = 1 + below(random, 2); times > 0; times--)
    value = mutateValue(value, random, cbor)
  return encodeCbor(value)
}

/** A format of ours: refused with a sentence, or accepted in its one form. */
function format<T>(
  name: string,
  decode: (input: Bytes) => { ok: true; value: T } | { ok: false; sentence: string },
  encode: (value: T) => Bytes,
): Target {
  const take = (input: Bytes) => {
    const decoded = decode(input)
    if (!decoded.ok && decoded.sentence === '') throw new Error('a refusal without a sentence')
    if (decoded.ok) expectSame(encode(decoded.value), input)
    return decoded.ok
  }
  return { name, take, spoil: spoilCbor }
}

/** A record of the store, in its envelope: damage is found, or the payload says what it said. */
function record<T>(
  name: string,
  read: (payload: Bytes) => T | undefined,
  write: (value: T) => Bytes,
  spoil?: Target['spoil'],
): Target {
  const take = (input: Bytes) => {
    const value = read(input)
    if (value !== undefined) expectSame(write(value), input)
    const sealed = seal(name, input)
    const spoilt = sealed.slice()
    spoilt[input.length % sealed.length]! ^= 1 + (input.length % 255)
    if (unseal(name, spoilt) !== undefined) throw new Error('damage was taken for a record')
    expectSame(unseal(name, sealed) ?? new Uint8Array(0), input)
    return value !== undefined
  }
  return spoil === undefined ? { name, take } : { name, take, spoil }
}

function expectSame(again: Bytes, input: Bytes): void {
  if (Buffer.compare(again, input) !== 0) throw new Error('accepted in a second form')
}

function frameOf(limitBytes: number) {
  return (input: Bytes) => {
    const decoded = decodeFrame(input, limitBytes)
    return decoded.ok ? { ok: true as const, value: decoded.frame } : decoded
  }
}

/** What a user's mistake may throw, and nothing else. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof VecheError) || error.message === '') throw error
  if (error.code !== 'BAD_REQUEST' && error.code !== 'UNKNOWN_METHOD') throw error
  return true
}

function textOf(input: Bytes): string {
  // Latin-1 would make every byte a character; this keeps what is broken broken in other ways, too
  return Buffer.from(input).toString(input.length % 2 === 0 ? 'utf8' : 'latin1')
}

function takeToken(input: Bytes): boolean {
  try {
    const token = decodeToken(Buffer.from(input).toString('latin1'))
    const again = decodeToken(encodeToken(token))
    if (encodeToken(again) !== encodeToken(token)) throw new Error('a token changed')
    return true
  } catch (error) {
    return !isRefused(error)
  }
}

function spoilToken(input: Bytes, random: Random): Bytes {
  const word = Buffer.from(input).toString('latin1')
  const inside = Buffer.from(word.slice('veche1-'.length), 'base64url')
  const spoilt = Buffer.from(spoilCbor(inside, random)).toString('base64url')
  return utf8(`veche1-${spoilt}`)
}

/** Lines that come in pieces of any size; small limit, so that both sides of it are met. */
function takeLines(input: Bytes, random: Random): boolean {
  const lineBytesMax = 2048
  let held = 0
  let accepted = false
  let dead = false
  const owner = {
    line: (bytes: Bytes) => {
      if (bytes.length > lineBytesMax) throw new Error('a line above the limit')
      if (takeLine(bytes)) accepted = true
      if (below(random, 8) === 0) reader.expectRaw(below(random, 100))
      return below(random, 4) > 0
    },
    raw: (bytes: Bytes) => {
      held += bytes.length
      return below(random, 4) > 0
    },
    lineTooLong: () => {
      dead = true
    },
  }
  const reader = new LineReader(owner, lineBytesMax)
  for (let at = 0; at < input.length && !dead; ) {
    const size = 1 + below(random, 200)
    reader.push(input.subarray(at, at + size))
    while (reader.isStopped) reader.resume()
    at += size
  }
  if (held > input.length) throw new Error('more raw bytes than came')
  return accepted
}

function takeLine(line: Bytes): boolean {
  const request = parseRequest(line)
  if (!request.ok) {
    if (request.sentence === '') throw new Error('a refusal without a sentence')
    return false
  }
  try {
    checkParams(checkMethod(request.method), request.params)
    return true
  } catch (error) {
    return !isRefused(error)
  }
}

function spoilLine(input: Bytes, random: Random): Bytes {
  const value = JSON.parse(Buffer.from(input).toString()) as CborValue
  const spoilt = mutateValue(mutateValue(value, random, { bytes: false }), random, { bytes: false })
  return concatBytes([utf8(JSON.stringify(spoilt)), Uint8Array.of(10)])
}

function takeId(input: Bytes): boolean {
  const text = textOf(input)
  const parsed = parseId(text)
  if (!parsed.ok) {
    if (parsed.sentence === '') throw new Error('a refusal without a sentence')
    return false
  }
  const rebuilt = parsed.root + parsed.steps.map(step => `~${step}`).join('')
  if (rebuilt !== text || rootOf(text) !== parsed.root) throw new Error('an id came apart')
  const name = parseId(escapeName(text))
  if (name.ok && name.steps.length > 0) throw new Error('an escaped name has split steps')
  return true
}

function takeJournal(input: Bytes): boolean {
  const { last, damagedLines } = readLines(textOf(input))
  if (last === null) return false
  const again = readLines(journalLine(last)).last
  if (JSON.stringify(again) !== JSON.stringify(last)) throw new Error('a journal line changed')
  return damagedLines === 0
}

/** A block of one of LevelDB's tables, which mending reads: what it says it says again. */
function takeBlock(input: Bytes): boolean {
  const entries = readBlock(input)
  if (entries === undefined) return false
  const again = readBlock(writeBlock(entries)) ?? []
  if (again.length !== entries.length) throw new Error('a block changed')
  for (const [at, { key, value }] of entries.entries()) {
    expectSame(again[at]!.key, key)
    expectSame(again[at]!.value, value)
  }
  return true
}

function takeVote(input: Bytes): boolean {
  const vote = decodeVote(input)
  if (vote !== undefined) expectSame(encodeVote(vote), input)
  return vote !== undefined
}

/** All of them. */
export const targets: readonly Target[] = [
  format('frame', frameOf(limits.streamFrameBytesMax), encodeFrame),
  format('gossip', frameOf(limits.gossipFrameBytesMax), encodeFrame),
  format(
    'door-request',
    input => decodeDoorRequest(input, limits.doorRequestBytesMax),
    encodeDoorRequest,
  ),
  format(
    'door-answer',
    input => decodeDoorAnswer(input, limits.doorAnswerBytesMax),
    encodeDoorAnswer,
  ),
  format('fact', decodeFact, encodeFact),
  { name: 'summary', take: takeSummary, spoil: spoilCbor },
  record('record-fact', readFactPayload, factPayload, spoilCbor),
  record('record-group', readGroupPayload, groupPayload, spoilCbor),
  record('record-ref', readRefPayload, refPayload),
  record('record-size', readSizePayload, sizePayload),
  {
    name: 'record-item',
    take: input => {
      const fold = readItemFold(input)
      const item = readItemPayload(input)
      if (item !== undefined && fold === undefined) return true // the fold alone is out of range
      if (item !== undefined) takeSummary(input.subarray(40), fold)
      return item !== undefined
    },
  },
  { name: 'token', take: takeToken, spoil: spoilToken },
  { name: 'line', take: takeLines, spoil: spoilLine },
  { name: 'id', take: takeId },
  { name: 'journal', take: takeJournal },
  { name: 'table-block', take: takeBlock },
  { name: 'snappy', take: input => unsnappy(input) !== undefined },
  { name: 'vote', take: takeVote, spoil: spoilCbor },
  { name: 'packed', take: takePacked },
  { name: 'events', take: takeEvents, spoil: spoilCbor },
]

/** A summary: in the one form that it is written in now, or in the longer one of before. */
function takeSummary(input: Bytes, fold: SummaryFold | Random = FOLD): boolean {
  const before = 'facts' in fold ? fold : FOLD
  const decoded = decodeSummary(input, before)
  if (!decoded.ok) {
    if (decoded.sentence === '') throw new Error('a refusal without a sentence')
    return false
  }
  const again = encodeSummary(decoded.value)
  if (Buffer.compare(again, input) === 0) return true
  const { facts, factsXor } = decoded.value
  const reread = decodeSummary(again, { facts, factsXor })
  if (again.length >= input.length || !isDeepStrictEqual(reread, decoded)) {
    throw new Error('accepted in a second form')
  }
  return true
}

/** A record of events: refused in one way only, or read. */
function takeEvents(input: Bytes): boolean {
  try {
    return Array.isArray(decodeEvents(input))
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('A record of events')) return false
    throw error
  }
}

/** A frame as it travels: refused, or unpacked to no more than a frame may have. */
function takePacked(input: Bytes): boolean {
  try {
    const frame = unpack(input)
    if (frame.length > limits.streamFrameBytesMax) throw new Error('unpacked to more than a frame')
    return decodeFrame(frame, limits.streamFrameBytesMax).ok
  } catch (error) {
    if (error instanceof InvalidPackedFrameError) return false
    throw error
  }
}
