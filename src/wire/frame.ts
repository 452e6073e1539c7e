/**
 * Frames as bytes: one CBOR list, [version, uuid, incarnation, status, hash, cut, clock, held,
 * empty, gap, bodies]. The envelope is not optional: a frame without all of it is refused
 * (S003-15). Whatever is accepted here encodes to the very same bytes again, so one frame has one
 * form.
 *
 * What a stranger's bytes can cost is bounded before they are looked at: bytes by the caller's
 * limit, nesting and number of values by base/cbor, every list and text by its own limit. The
 * answer to bytes that fit nowhere is a refusal with a sentence, never an exception (S003-34).
 */
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { decodeWith, encodeCbor, hexBytes } from '../base/cbor.ts'
import { asBoolean, asHash, asList, asNullable, asStamp, refuse } from '../base/cbor-read.ts'
import { limits } from '../base/limits.ts'
import { type Envelope, type Frame, PROTOCOL_VERSION, type Status } from '../consensus/messages.ts'
import { encodeBody, readBody } from './body.ts'
import { readCount, readMember, readWord, wordValue } from './parts.ts'

/** Why a frame was refused; each reason is counted on its own. */
export type FrameRefusal = 'version' | 'malformed' | 'too-large' | 'incomplete-envelope'

/** A frame, or why the bytes are none. */
export type DecodedFrame =
  | { readonly ok: true; readonly frame: Frame }
  | { readonly ok: false; readonly sentence: string; readonly reason: FrameRefusal }

/** The bytes of a frame. The sender keeps it below the limit of its lane: see `sealFrame`. */
export function encodeFrame(frame: Frame): Bytes {
  return sealFrame(frame.envelope, frame.bodies.map(encodeBody))
}

/**
 * The bytes of a frame whose bodies were encoded before with `encodeBody`: a sender that fills a
 * frame up to a limit needs their sizes, and one body may go to many members. At most
 * `limits.listMax` bodies; the envelope and list head add at most `limits.envelopeBytesMax`.
 */
export function sealFrame(envelope: Envelope, bodies: readonly Bytes[]): Bytes {
  const head = encodeEnvelope(envelope)
  return concatBytes([head, listHead(bodies.length), ...bodies])
}

/**
 * The frame that bytes say, or why they say none. `limitBytes` is the bound of the lane it came
 * by (`limits.gossipFrameBytesMax`, `limits.streamFrameBytesMax`). Never throws.
 */
export function decodeFrame(bytes: Bytes, limitBytes: number): DecodedFrame {
  if (bytes.length > limitBytes) {
    const sentence = `a frame of ${bytes.length} bytes where at most ${limitBytes} are allowed`
    return { ok: false, sentence, reason: 'too-large' }
  }
  const version = versionOf(bytes)
  if (version === undefined) {
    const sentence = 'these bytes begin with no protocol version'
    return { ok: false, sentence, reason: 'malformed' }
  }
  if (version !== PROTOCOL_VERSION) {
    const sentence = `a frame of protocol version ${version}, this member speaks ${PROTOCOL_VERSION}`
    return { ok: false, sentence, reason: 'version' }
  }
  let reason: FrameRefusal = 'malformed'
  const read = (value: unknown): Frame => {
    if (!Array.isArray(value)) refuse('a frame is no list')
    reason = 'incomplete-envelope'
    const envelope = readEnvelope(value)
    reason = 'malformed'
    return { envelope, bodies: asList(value[10], limits.listMax, readBody, 'the bodies') }
  }
  const decoded = decodeWith(bytes, limitBytes, read, limits.frameDepthMax, limits.frameValuesMax)
  if (decoded.ok) return { ok: true, frame: decoded.value }
  return { ok: false, sentence: decoded.sentence, reason }
}

/** The order is the number on the wire. */
const statuses: readonly Status[] = ['empty', 'counter-sync', 'source-sync', 'source']

const FRAME_FIELDS = 11

/** The envelope with the head of the list that it shares with the bodies. */
function encodeEnvelope(envelope: Envelope): Bytes {
  const bytes = encodeCbor([
    PROTOCOL_VERSION,
    envelope.uuid,
    hexBytes(envelope.incarnation),
    wordValue(statuses, envelope.status),
    hexBytes(envelope.hash),
    envelope.cut,
    hexBytes(envelope.clock),
    envelope.held === null ? null : hexBytes(envelope.held),
    envelope.empty,
    envelope.gap,
    [],
  ])
  return bytes.subarray(0, bytes.length - 1) // the one byte of the empty list: the bodies follow
}

function readEnvelope(field: readonly unknown[]): Envelope {
  if (field.length !== FRAME_FIELDS) {
    refuse(`a frame has ${field.length} fields, this version has ${FRAME_FIELDS}`)
  }
  return {
    uuid: readMember(field[1]),
    incarnation: asStamp(field[2], 'the incarnation'),
    status: readWord(statuses, field[3], 'the status'),
    hash: asHash(field[4], 'the hash'),
    cut: readCount(field[5], 'the cut'),
    clock: asStamp(field[6], 'the clock'),
    held: asNullable(field[7], held => asHash(held, 'held')),
    empty: asBoolean(field[8], 'empty'),
    gap: asBoolean(field[9], 'gap'),
  }
}

/** The head of a CBOR list. */
function listHead(length: number): Bytes {
  if (length < 24) return Uint8Array.of(0x80 | length)
  if (length < 256) return Uint8Array.of(0x98, length)
  return Uint8Array.of(0x99, length >> 8, length & 255)
}

/**
 * The protocol version, read before all else: a frame of another version may hold anything behind
 * it. Every version keeps to this much: a list of fewer than 24 values, the first of them a number
 * below 256.
 */
function versionOf(bytes: Bytes): number | undefined {
  const [head = 0, first = 0xff, next] = bytes
  if (head < 0x80 || head > 0x97) return undefined
  return first < 24 ? first : first === 0x18 ? next : undefined
}
