/**
 * A run as its page draws it: plain data, small enough for a file. Times are whole milliseconds of
 * virtual time but for messages, which are told to a tenth; members, kinds and outcomes are places
 * in lists, so that a hundred thousand messages stay a few megabytes.
 */

/** What a lane shows: a status, or that there is none. */
export type LaneState =
  | 'down'
  | 'opening'
  | 'still'
  | 'empty'
  | 'counter-sync'
  | 'source-sync'
  | 'source'
  | 'removed'

/** From then on; the sentence says why. */
export interface LaneChange {
  readonly atMs: number
  readonly member: number
  readonly state: LaneState
  readonly sentence: string
}

/** Something that lasted: a direction that was cut, or a fault of the world. */
export interface Cut {
  readonly from: number
  readonly to: number
  readonly sinceMs: number
  readonly untilMs: number
}

export interface FaultSpan {
  readonly sinceMs: number
  readonly untilMs: number
  readonly members: readonly number[]
  readonly sentence: string
}

/** A question of a client and its answer. */
export interface Asked {
  readonly atMs: number
  readonly tookMs: number
  readonly member: number
  readonly isWrite: boolean
  readonly outcome: 'done' | 'refused' | 'unknown' | 'open'
  readonly sentence: string
}

/** What a member said of itself, and marks of the run. */
export interface Note {
  readonly atMs: number
  readonly member: number | null
  readonly kind: 'log' | 'mark' | 'link'
  readonly sentence: string
}

/** [sent, travelled (ms), from, to, kind, bytes]; travelled −1: not known when it was sent. */
export type Message = readonly [number, number, number, number, number, number]

export interface PageData {
  readonly title: string
  /** What repeats it. */
  readonly command: string
  readonly endMs: number
  readonly healedMs: number
  readonly members: readonly string[]
  readonly facts: readonly (readonly [string, string])[]
  readonly lanes: readonly LaneChange[]
  readonly cuts: readonly Cut[]
  readonly faults: readonly FaultSpan[]
  readonly asked: readonly Asked[]
  readonly notes: readonly Note[]
  /** Names of kinds of messages with their group. */
  readonly kinds: readonly { readonly name: string; readonly group: MessageGroup }[]
  readonly messages: readonly Message[]
  /** One of so many messages is kept. */
  readonly keptOneOf: number
  readonly violations: readonly {
    readonly atMs: number
    readonly guarantee: string
    readonly sentence: string
  }[]
}

export type MessageGroup =
  | 'pings'
  | 'probes'
  | 'adds'
  | 'comparing'
  | 'fetching'
  | 'payloads'
  | 'roster'
