/**
 * A small world of roster machines. Whatever was ever said may arrive at any time, any number of
 * times, or never: messages are a set that only grows, so loss, duplication and every order are the
 * same move. A member that crashes keeps what it saved and forgets the rest.
 *
 * A world is never changed once it is made. What members, messages and decisions there are is kept
 * once, under a number each, so that a world is a few numbers.
 */
import type { MemberId } from '../../../src/base/fact.ts'
import type {
  Change,
  Configuration,
  Decision,
  Seat,
} from '../../../src/consensus/roster/configuration.ts'
import type {
  RosterBug,
  RosterMessage,
  RosterState,
  Vote,
} from '../../../src/consensus/roster/state.ts'

export const ids = ['a', 'b', 'c', 'd', 'e'] as const

/** One wish, and who has it. */
export interface Rival {
  readonly at: MemberId
  readonly wish: Change
}

export interface Setting {
  readonly name: string
  readonly begin: Configuration
  readonly rivals: readonly Rival[]
  /** So many numbers are followed; what is said of later ones is lost. */
  readonly numbersMax: number
  /** Ballots have counters up to this. */
  readonly counterMax: number
  readonly crashesMax: number
  /** Crashes with which a member loses its vote, and knows it. */
  readonly lossesMax: number
  readonly planted: ReadonlySet<RosterBug>
  /** What a member says to itself arrives at once: fewer orders, so that more of the rest fits. */
  readonly isPrompt: boolean
  /** Crashes with which a member loses its vote unawares: an error on purpose. */
  readonly forgetsPromises: boolean
}

export interface Said {
  readonly from: MemberId
  readonly to: MemberId
  readonly message: RosterMessage
}

export interface WorldMember {
  readonly state: RosterState
  /** What is on its disk: the last vote saved. */
  readonly saved: Vote | null
  /** Its own wish was not begun yet. */
  readonly isFresh: boolean
}

/** Everything by its number: two worlds are the same when all their numbers are. */
export interface World {
  /** Numbers of `WorldMember`s, by place. */
  readonly members: readonly number[]
  /** Numbers of messages that can still arrive, ascending. */
  readonly said: readonly number[]
  /** Numbers of decisions, ascending. */
  readonly decisions: readonly number[]
  readonly crashes: number
  readonly losses: number
}

/** What the numbers of an exploration stand for. */
export interface Things {
  readonly setting: Setting
  /** Messages about later numbers do not arrive. */
  numberMax: number
  readonly members: Interned<WorldMember>
  readonly said: Interned<Said>
  readonly decisions: Interned<Decision>
  /** What became of a member by an event: worked out once, it happens in many worlds. */
  readonly steps: Map<string, Stepped>
}

/** A member after an event, and what it said. */
export interface Stepped {
  readonly member: number
  readonly said: readonly number[]
  readonly decisions: readonly number[]
}

export function newThings(setting: Setting): Things {
  return {
    setting,
    numberMax: setting.begin.number + setting.numbersMax,
    members: new Interned(),
    said: new Interned(),
    decisions: new Interned(),
    steps: new Map(),
  }
}

/** Values under a number each, by their text. */
export class Interned<T> {
  readonly #numbers = new Map<string, number>()
  readonly values: T[] = []

  of(value: T): number {
    const text = textOf(value)
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.values.length
      this.values.push(value)
      this.#numbers.set(text, number)
    }
    return number
  }
}

export function seat(peer: MemberId, membership = 1): Seat {
  return { peer, membership }
}

export function rosterOf(...peers: readonly MemberId[]): Configuration {
  return { number: 4, quorum: 'roster', members: peers.map(peer => seat(peer)) }
}

/** JSON with maps in the order of their keys; sets that never change are left out. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map) return [...inner].sort(([a], [b]) => (a < b ? -1 : 1))
    return inner instanceof Set ? undefined : inner
  })
}
