/**
 * A world as plain data: members with the real agreement machine, tiny sets of facts, and whatever
 * is on its way. A world is never changed once it stands in the frontier: `fork` shares all members
 * with it, and `touch` clones the one that is about to change.
 *
 * All members have one clock (times are milliseconds) and at most four fact names, so that a set of
 * facts is a number of bits. What is under way is bounded by `inboxMessagesMax`.
 */
import type { Purpose, Rearrange } from '../../src/consensus/agreement/events.ts'
import type { AgreementState, PlantedBug, Quorum } from '../../src/consensus/agreement/state.ts'
import type { Envelope, Ping, Scope } from '../../src/consensus/messages.ts'
import { cloneAgreement } from './clone.ts'
import { cloneFacts, type Facts } from './facts.ts'
import type { Print } from './seen.ts'

export const IDS = ['a', 'b', 'c', 'd'] as const
/** Messages of one link that are on their way at most; one more pushes the oldest out. */
export const inboxMessagesMax = 4
/** What is late by more than this is lost. */
export const lateMsMax = 6000

export interface Pinged {
  readonly kind: 'ping'
  readonly envelope: Envelope
  readonly ping: Ping
  readonly late: boolean
}
/** "Are you there?"; like everything that is said it tells where its sender stands. */
export interface Probed {
  readonly kind: 'probe'
  readonly envelope: Envelope
  readonly late: boolean
}
export interface Answered {
  readonly kind: 'answer'
  readonly envelope: Envelope
  readonly late: boolean
}
export interface Added {
  readonly kind: 'add'
  readonly envelope: Envelope
  readonly number: number
  readonly name: number
  readonly addedMs: number
  readonly late: boolean
}
export type Message = Pinged | Probed | Answered | Added

/** What the other member of a comparison said. */
export interface Said {
  readonly held: number
  readonly settled: number
  readonly cut: number
  readonly facts: Facts
}
export type Job =
  /** The tree over all that is held is being built. */
  | { readonly kind: 'hold'; readonly late: boolean }
  | {
      readonly kind: 'compare'
      readonly late: boolean
      readonly ticket: number
      readonly peer: number
      readonly scope: Scope
      readonly purpose: Purpose
      readonly mine: number
      /** Null until the other was asked. */
      readonly said: Said | null
    }
  | { readonly kind: 'rearrange'; readonly late: boolean; readonly effect: Rearrange }
  /** Numbers of another's incarnation that never came. */
  | {
      readonly kind: 'fill'
      readonly late: boolean
      readonly peer: number
      readonly life: string
      readonly numbers: number
    }
  /** A slice of the pending queue, shown to the Sources. */
  | {
      readonly kind: 'drain'
      readonly late: boolean
      readonly slice: number
      readonly waiting: number
      /** By name, when it was added elsewhere; −1: nobody shows it. */
      readonly shown: readonly number[]
    }

/** What is here of another's incarnation, as bits of numbers. */
export interface Incoming {
  readonly life: string
  readonly got: number
  readonly last: number
}

export interface Member {
  readonly at: number
  /** Null: it is down. */
  state: AgreementState | null
  facts: Facts
  life: number
  /** Messages said so far, in all lives: its strictly ascending clock. */
  said: number
  jobs: Job[]
  readonly inbox: Message[][]
  /** Names by number − 1, of this life. */
  sent: number[]
  readonly incoming: (Incoming | null)[]
  isPaused: boolean
  /** What `canonical.ts` made of it, and for which moment. */
  print: (Print & { readonly at: number }) | null
}

export interface Setting {
  readonly members: number
  readonly quorum: Quorum
  readonly planted: ReadonlySet<PlantedBug>
  /** Time advances by so much. */
  readonly quantumMs: number
  /** Names that users may write besides what members begin with. */
  readonly writesMax: number
}

export interface World {
  readonly setting: Setting
  readonly members: Member[]
  now: number
  /** Bit from × 4 + to: nothing passes. */
  blocked: number
  /** Names in use; none of them may ever be lost. */
  written: number
  writes: number
  /** How long two sides that cannot reach each other have had Sources. */
  twoSidesMs: number
  /** Members that were cloned for this world already. */
  touched: number
}

export function fork(world: World): World {
  return { ...world, members: [...world.members], touched: 0 }
}

/** A member that may be changed in this world. */
export function touch(world: World, at: number): Member {
  const known = world.members[at]!
  if ((world.touched & (1 << at)) !== 0) return known
  world.touched |= 1 << at
  const cloned: Member = {
    ...known,
    state: known.state === null ? null : cloneAgreement(known.state),
    facts: cloneFacts(known.facts),
    jobs: [...known.jobs],
    inbox: known.inbox.map(messages => [...messages]),
    sent: [...known.sent],
    incoming: [...known.incoming],
    print: null,
  }
  world.members[at] = cloned
  return cloned
}

export function isLinked(world: World, from: number, to: number): boolean {
  return (world.blocked & linkBit(from, to)) === 0
}

/** Both ways pass. */
export function isJoined(world: World, a: number, b: number): boolean {
  return isLinked(world, a, b) && isLinked(world, b, a)
}

export function linkBit(from: number, to: number): number {
  return 1 << (from * 4 + to)
}

/** It runs and does not stand still. */
export function isAwake(member: Member): boolean {
  return member.state !== null && !member.isPaused
}

export function atOf(id: string): number {
  return id.charCodeAt(0) - 97
}
