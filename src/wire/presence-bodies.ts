/**
 * Bodies by which members know of each other: pings (gossip), probes and their answers (direct),
 * and the system facts that the roster is made of.
 */
import { type CborValue, hexBytes } from '../base/cbor.ts'
import { asHash, asInt, asList, asStamp, asTuple } from '../base/cbor-read.ts'
import { limits } from '../base/limits.ts'
import type { PingBody } from '../consensus/messages.ts'
import type { Codecs } from './body-codec.ts'
import { factValue, readAddresses, readCount, readFactList } from './parts.ts'

export const presenceCodecs: Codecs<'ping' | 'probe' | 'probed' | 'askSystem' | 'system' | 'twin'> =
  {
    ping: {
      tag: 1,
      length: 8,
      write: body => [
        body.seen.map(seenValue),
        hexBytes(body.systemRoot),
        body.sequence,
        body.floor,
        body.addresses,
        body.configuration,
        body.wallMs,
      ],
      read: field => ({
        kind: 'ping',
        seen: asList(field[1], limits.membersMax, readSeen, 'the members that are seen'),
        systemRoot: asHash(field[2], 'the system root'),
        sequence: readCount(field[3], 'the last sequence'),
        floor: readCount(field[4], 'the floor'),
        addresses: readAddresses(field[5]),
        configuration: readCount(field[6], 'the highest configuration'),
        wallMs: readCount(field[7], 'the wall clock'),
      }),
    },
    probe: {
      tag: 2,
      length: 2,
      write: body => [body.number],
      read: field => ({ kind: 'probe', number: readCount(field[1], 'a probe') }),
    },
    probed: {
      tag: 3,
      length: 2,
      write: body => [body.number],
      read: field => ({ kind: 'probed', number: readCount(field[1], 'a probe') }),
    },
    twin: {
      tag: 6,
      length: 3,
      write: ({ lives }) => [hexBytes(lives[0]), hexBytes(lives[1])],
      read: field => ({
        kind: 'twin',
        lives: [asStamp(field[1], 'an incarnation'), asStamp(field[2], 'an incarnation')],
      }),
    },
    askSystem: {
      tag: 4,
      length: 2,
      write: body => [body.request],
      read: field => ({ kind: 'askSystem', request: readCount(field[1], 'a request') }),
    },
    system: {
      tag: 5,
      length: 3,
      write: body => [body.request, body.facts.map(factValue)],
      read: field => ({
        kind: 'system',
        request: readCount(field[1], 'a request'),
        facts: readFactList(field[2]),
      }),
    },
  }

type Seen = PingBody['seen'][number]

/** What is said of one member, in one number. */
const SAID = { answers: 1, reached: 2, marked: 4 } as const
const SAID_ALL = SAID.answers | SAID.reached | SAID.marked

function seenValue({ ref, answers, reached, marked }: Seen): CborValue {
  const said =
    (answers ? SAID.answers : 0) | (reached ? SAID.reached : 0) | (marked ? SAID.marked : 0)
  return [hexBytes(ref), said]
}

function readSeen(value: unknown): Seen {
  const field = asTuple(value, 2, 'a member that is seen')
  const said = asInt(field[1], 0, SAID_ALL, 'what is said of a member')
  return {
    ref: asStamp(field[0], 'a member'),
    answers: (said & SAID.answers) !== 0,
    reached: (said & SAID.reached) !== 0,
    marked: (said & SAID.marked) !== 0,
  }
}
