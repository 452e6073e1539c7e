/**
 * Bodies by which members know of each other: pings (gossip), probes and their answers (direct),
 * and the system facts that the roster is made of.
 */
import { hexBytes } from '../base/cbor.ts'
import { asHash, asStamp } from '../base/cbor-read.ts'
import type { Codecs } from './body-codec.ts'
import { factValue, readAddresses, readCount, readFactList, readMembers } from './parts.ts'

export const presenceCodecs: Codecs<'ping' | 'probe' | 'probed' | 'askSystem' | 'system' | 'twin'> =
  {
    ping: {
      tag: 1,
      length: 10,
      write: body => [
        body.answers,
        body.reached,
        body.marked,
        hexBytes(body.systemRoot),
        body.sequence,
        body.floor,
        body.addresses,
        body.configuration,
        body.wallMs,
      ],
      read: field => ({
        kind: 'ping',
        answers: readMembers(field[1], 'the members that answer'),
        reached: readMembers(field[2], 'the reached members'),
        marked: readMembers(field[3], 'the marked members'),
        systemRoot: asHash(field[4], 'the system root'),
        sequence: readCount(field[5], 'the last sequence'),
        floor: readCount(field[6], 'the floor'),
        addresses: readAddresses(field[7]),
        configuration: readCount(field[8], 'the highest configuration'),
        wallMs: readCount(field[9], 'the wall clock'),
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
