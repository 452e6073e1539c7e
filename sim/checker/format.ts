/**
 * The history of a run, as it is written down: JSON, one object a line, in the order in which a
 * single recorder saw it happen. Simulator and real lab write the same lines; docs/history-format.md
 * tells their meaning with examples. Nothing here is shared with the product, on purpose: a history
 * is judged by code that cannot have the product's errors.
 *
 * Hashes and versions are 64 lower-case hex digits, stamps 16, ids in socket form. Every value
 * written is unique (`client:counter`, padded), so its SHA-256, the blob, names the write. The
 * checker knows the default collision policy (`split`), and no purge.
 */

/** The format of history that is written and read. */
export const HISTORY_FORMAT = 1

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

export interface Moment {
  /** Ascends from line to line; witnesses name lines by it. */
  readonly seq: number
  /** Milliseconds on the one clock of the recorder: virtual, or monotonic. Never goes back. */
  readonly atMs: number
}

/** The first line. */
export interface BeginLine extends Moment {
  readonly kind: 'begin'
  readonly format: typeof HISTORY_FORMAT
  /** What repeats the run: a seed, a commit. */
  readonly run: string
  /** The roster at the beginning. */
  readonly members: readonly string[]
  readonly quorum: 'visible' | 'roster'
  /** What this recorder writes down beyond operations, faults and dumps: then it must be there. */
  readonly records: {
    readonly holds: boolean
    readonly statuses: boolean
    readonly samples: boolean
    /** Absent: not recorded. */
    readonly sides?: boolean
  }
  /** The run may destroy every copy of an acknowledged write; such writes are listed apart. */
  readonly mayDestroyAll: boolean
  readonly bounds: Bounds
}

/** Times within which things must have happened, in milliseconds. */
export interface Bounds {
  /** A Source exists so long after the last fault (G5). */
  readonly sourceMs: number
  /** A Source gets, in calm, what more than half of the roster hold. */
  readonly debtMs: number
  /** A write that begins after the last fault ended is done. */
  readonly writeMs: number
  /** Two sides have Sources at once for no longer (G6, `quorum: roster`). Absent: 7000. */
  readonly sidesMs?: number
  /** A member may count an older roster for so long. */
  readonly rosterLagMs: number
  /** A disk may lag behind what its member knows by so long: the longest fsync of the run. */
  readonly persistMs: number
}

export type OperationName = 'put' | 'upload' | 'delete' | 'get' | 'head' | 'list' | 'resolve'

/** What a user sees of an item besides its bytes, in the product's normal form. */
export interface Properties {
  readonly type: string
  readonly tags: readonly string[]
  readonly description: string
  readonly meta: Json
  readonly dependsOn: readonly string[]
}

/** A client asks. A retry is another `invoke` with the same `request`: one operation. */
export interface InvokeLine extends Moment {
  readonly kind: 'invoke'
  readonly request: string
  readonly client: string
  readonly member: string
  readonly op: OperationName
  /** Of `list`, the prefix. */
  readonly id: string
  /** SHA-256 of the value to write; null for what writes none (also `resolve` that keeps one). */
  readonly blob: string | null
  /** Bytes of the value; 0 where there is none. */
  readonly size: number
  /** Present on a conditional write; null: no live item may stand there. */
  readonly ifVersion?: string | null
  /** Absent: not recorded, and not compared. */
  readonly properties?: Properties
}

/** The answer came. */
export interface DoneLine extends Moment {
  readonly kind: 'done'
  readonly request: string
  /** The version written or read; null for `list`. */
  readonly version: string | null
  /**
   * SHA-256 of the bytes that a read was given, made by the client; what a `head` names, for it gets
   * no bytes; null otherwise.
   */
  readonly blob: string | null
  /** What a write was promised; null for reads and where the method tells none. */
  readonly level: 'pending' | 'agreed' | 'majority' | null
  /** Members that the answer names as holders of fact and payload. */
  readonly heldBy: readonly string[]
  /** What `list` showed. */
  readonly reads?: readonly ShownItem[]
}

/** It certainly did not happen. */
export interface RefusedLine extends Moment {
  readonly kind: 'refused'
  readonly request: string
  readonly code: string
  /** The head that VERSION_MISMATCH names; null: no live item. */
  readonly head?: string | null
}

/** A timeout, a broken pipe: it may have happened, or may yet. The client is never seen again. */
export interface UnknownLine extends Moment {
  readonly kind: 'unknown'
  readonly request: string
}

/** Something was done to the world. */
export interface FaultLine extends Moment {
  readonly kind: 'fault'
  readonly fault: string
  readonly scope: readonly string[]
  readonly phase: 'start' | 'stop' | 'once'
  /** `start` and `stop` of one fault carry the same number. */
  readonly mark: number
  /**
   * Members whose stores lose now, wholly or in part, what they held durably: a new disk, an old
   * copy put back, damage. A crash that takes only what was not fsync'd destroys nothing.
   */
  readonly destroyed: readonly string[]
}

/** The roster from now on. */
export interface RosterLine extends Moment {
  readonly kind: 'roster'
  readonly members: readonly string[]
}

export type Status = 'empty' | 'counter-sync' | 'source-sync' | 'source' | 'removed' | 'down'

/** A member's status from now on (`records.statuses`). */
export interface StatusLine extends Moment {
  readonly kind: 'status'
  readonly member: string
  readonly status: Status
  /** On becoming Source by counter-sync: the members of that round, itself included. */
  readonly round: {
    readonly members: readonly string[]
    /** Only what was held before this line, and is held since, is judged: the round's snapshot. */
    readonly since: number
  } | null
}

/** From now on the member's disk keeps this fact through any crash (`records.holds`). */
export interface HoldLine extends Moment {
  readonly kind: 'hold'
  readonly member: string
  readonly id: string
  readonly version: string
  /** `fresh`: an own new write, pending, that no round counts yet. */
  readonly state: 'agreed' | 'pending' | 'fresh'
  /** Its payload, too (true for a delete). */
  readonly payload: boolean
}

/**
 * Which members can speak with each other from now on, over others if need be (`records.sides`).
 * Who is down or stands still is on no side.
 */
export interface SidesLine extends Moment {
  readonly kind: 'sides'
  readonly sides: readonly (readonly string[])[]
}

/** A measure with its ceiling (`records.samples`). */
export interface SampleLine extends Moment {
  readonly kind: 'sample'
  readonly member: string
  readonly what: string
  readonly value: number
  readonly limit: number
}

/** An item as a member shows it. */
export interface ShownItem {
  readonly id: string
  readonly version: string
  /** null: deleted. */
  readonly blob: string | null
}

/** The bytes that were found under a fact's blob. */
export type FoundPayload =
  | { readonly kind: 'hash'; readonly hash: string; readonly size: number }
  | { readonly kind: 'raw'; readonly base64: string }

/** A fact as it was found. System facts (ids that begin with U+0001) are left out. */
export interface DumpFact extends Properties {
  readonly id: string
  readonly version: string
  readonly parents: readonly string[]
  readonly dataHash: string
  readonly blob: string | null
  readonly size: number
  readonly at: string
  readonly by: string
  readonly base: readonly { readonly id: string; readonly heads: readonly string[] }[] | null
  /** The stamp with which it was added; null: pending. */
  readonly added: string | null
  /** null: no payload is here (always so for a delete). */
  readonly payload: FoundPayload | null
}

/** A member, whole, at one instant. */
export interface DumpLine extends Moment {
  readonly kind: 'dump'
  readonly member: string
  /**
   * `crash`: what survived on the disk of a process that is gone; `pause`: a running member, with
   * what may not be durable yet; `settled`: the run is healed and has had its time. What a member
   * has before something is done to it is dumped before the fault's line.
   */
  readonly moment: 'crash' | 'pause' | 'settled'
  readonly status: Status
  /** null: not asked. */
  readonly roster: readonly string[] | null
  /** Milliseconds, and the storage hash at it; null unless read at the instant of the facts. */
  readonly cut: number | null
  readonly hash: string | null
  /** null: only what the member shows could be read. */
  readonly facts: readonly DumpFact[] | null
  /** All items that `list` with `deleted` shows; null: not asked. */
  readonly items: readonly ShownItem[] | null
  /** What the list left out as damaged there. Absent: nothing. */
  readonly damaged?: readonly string[]
}

export type EndLine = DoneLine | RefusedLine | UnknownLine

export type HistoryLine =
  | BeginLine
  | InvokeLine
  | EndLine
  | FaultLine
  | RosterLine
  | StatusLine
  | HoldLine
  | SidesLine
  | SampleLine
  | DumpLine

/** A line that has no place in a history yet. */
export type Unplaced = HistoryLine extends infer Line
  ? Line extends HistoryLine
    ? Omit<Line, 'seq' | 'atMs'>
    : never
  : never
