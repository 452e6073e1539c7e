/**
 * Bodies by which members decide the next configuration of the roster (PROTOCOL 10), and the form
 * of a change, which the record of a vote shares. What a change means, and whether it can follow on
 * what is known, is judged by the roster machine; here only its shape is.
 */
import type { CborValue } from '../base/cbor.ts'
import { asBoolean, asInt, asList, asNullable, asTuple, refuse } from '../base/cbor-read.ts'
import { unreachable } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import type { Ballot, Change, Seat } from '../consensus/roster/configuration.ts'
import type { Accepted } from '../consensus/roster/state.ts'
import type { Codecs } from './body-codec.ts'
import { readCount, readMember } from './parts.ts'

type RosterKind = 'prepare' | 'promise' | 'accept' | 'accepted' | 'denied'

export const rosterCodecs: Codecs<RosterKind> = {
  prepare: {
    tag: 40,
    length: 4,
    write: body => [
      body.number,
      ballotValue(body.ballot),
      body.members === null ? null : body.members.map(seatValue),
    ],
    read: field => ({
      kind: 'prepare',
      number: readCount(field[1], 'a configuration'),
      ballot: readBallot(field[2]),
      members: asNullable(field[3], readSeats),
    }),
  },
  promise: {
    tag: 41,
    length: 5,
    write: body => [
      body.number,
      ballotValue(body.ballot),
      acceptedValue(body.accepted),
      body.isSure,
    ],
    read: field => ({
      kind: 'promise',
      number: readCount(field[1], 'a configuration'),
      ballot: readBallot(field[2]),
      accepted: readAccepted(field[3]),
      isSure: asBoolean(field[4], 'the sureness of a promise'),
    }),
  },
  accept: {
    tag: 42,
    length: 4,
    write: body => [body.number, ballotValue(body.ballot), changeValue(body.change)],
    read: field => ({
      kind: 'accept',
      number: readCount(field[1], 'a configuration'),
      ballot: readBallot(field[2]),
      change: readChange(field[3]),
    }),
  },
  accepted: {
    tag: 43,
    length: 4,
    write: body => [body.number, ballotValue(body.ballot), body.isSure],
    read: field => ({
      kind: 'accepted',
      number: readCount(field[1], 'a configuration'),
      ballot: readBallot(field[2]),
      isSure: asBoolean(field[3], 'the sureness of an acceptance'),
    }),
  },
  denied: {
    tag: 44,
    length: 4,
    write: body => [
      body.number,
      ballotValue(body.ballot),
      body.promised === null ? null : ballotValue(body.promised),
    ],
    read: field => ({
      kind: 'denied',
      number: readCount(field[1], 'a configuration'),
      ballot: readBallot(field[2]),
      promised: asNullable(field[3], readBallot),
    }),
  },
}

export function ballotValue({ counter, peer }: Ballot): CborValue {
  return [counter, peer]
}

export function readBallot(value: unknown): Ballot {
  const field = asTuple(value, 2, 'a ballot')
  const counter = asInt(field[0], 1, limits.ballotCounterMax, 'the counter of a ballot')
  return { counter, peer: readMember(field[1]) }
}

/** What was accepted, in which ballot; or null. */
export function acceptedValue(accepted: Accepted | null): CborValue {
  return accepted === null ? null : [ballotValue(accepted.ballot), changeValue(accepted.change)]
}

export function readAccepted(value: unknown): Accepted | null {
  return asNullable(value, some => {
    const field = asTuple(some, 2, 'what was accepted')
    return { ballot: readBallot(field[0]), change: readChange(field[1]) }
  })
}

export function changeValue(change: Change): CborValue {
  switch (change.kind) {
    case 'begin':
      return [0, change.members.map(seatValue)]
    case 'add':
      return [1, seatValue(change.seat)]
    case 'remove':
      return [2, seatValue(change.seat)]
    case 'visible':
      return [3, null]
    case 'stay':
      return [4, change.members.map(seatValue)]
    default:
      return unreachable(change)
  }
}

export function readChange(value: unknown): Change {
  const [tag, what] = asTuple(value, 2, 'a change of the roster')
  switch (tag) {
    case 0:
      return { kind: 'begin', members: readSeats(what) }
    case 1:
      return { kind: 'add', seat: readSeat(what) }
    case 2:
      return { kind: 'remove', seat: readSeat(what) }
    case 3:
      if (what !== null) refuse('a change to visible says more')
      return { kind: 'visible' }
    case 4:
      return { kind: 'stay', members: readSeats(what) }
    default:
      return refuse('a change of an unknown kind')
  }
}

function seatValue({ peer, membership }: Seat): CborValue {
  return [peer, membership]
}

function readSeat(value: unknown): Seat {
  const field = asTuple(value, 2, 'a seat')
  const membership = asInt(field[1], 1, Number.MAX_SAFE_INTEGER, 'a membership number')
  return { peer: readMember(field[0]), membership }
}

function readSeats(value: unknown): Seat[] {
  return asList(value, limits.membersMax, readSeat, 'the members')
}
