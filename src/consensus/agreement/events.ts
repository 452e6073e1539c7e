/**
 * What goes into the agreement machine and what comes out. Events carry everything that a step may
 * need; effects say what the driver must do. Neither carries a callback, a promise or a clock.
 */
import type { FactRef, FactState, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import type { Stamp } from '../../base/stamp.ts'
import type { Envelope, Ping, Scope, Status } from '../messages.ts'
import type { Own, Quorum } from './state.ts'

/** Why two members compare. */
export type Purpose = 'counter-sync' | 'source-sync' | 'heal'

export type AgreementEvent =
  /**
   * Time passes; at least every 200 ms. With `isCutMoving` the own sets at a new cut are on their
   * way, and a ping that is due goes along with them.
   */
  | { readonly kind: 'tick'; readonly now: number; readonly isCutMoving?: boolean }
  /** The envelope of any message of a roster member. */
  | { readonly kind: 'message'; readonly now: number; readonly envelope: Envelope }
  /** A gossiped ping (its envelope goes in the same event). */
  | {
      readonly kind: 'ping'
      readonly now: number
      readonly envelope: Envelope
      readonly ping: Ping
    }
  /** A direct answer came. */
  | {
      readonly kind: 'answered'
      readonly now: number
      readonly peer: MemberId
      readonly rttMs: number | null
    }
  | {
      readonly kind: 'roster'
      readonly now: number
      readonly members: readonly MemberId[]
      readonly quorum: Quorum
      /** More than half of each must be reached; absent: of the members. */
      readonly bodies?: readonly (readonly MemberId[])[]
      /** The highest configuration known or accepted here; absent: none. */
      readonly configuration?: number
    }
  /** The own sets changed: after each cut and each batch that touches held, empty or gap. */
  | { readonly kind: 'own'; readonly now: number; readonly own: Own }
  /**
   * Facts became held (during a counter-sync): answers are seen from the held set, so its root comes
   * along. Without it nothing is compared until `own` tells it.
   */
  | {
      readonly kind: 'gained'
      readonly now: number
      readonly refs: readonly FactRef[]
      readonly held?: Hash
    }
  /** Facts are held no more, since they are damaged: the root of the held tree without them. */
  | { readonly kind: 'lost'; readonly now: number; readonly held: Hash }
  | Compared
  /** A rearrangement is durable. */
  | {
      readonly kind: 'rearranged'
      readonly now: number
      readonly ticket: number
      /** Facts that changed their set or were fetched; 0 confirms that all is as it should be. */
      readonly moved: number
      readonly complete: boolean
    }

/** The result of a comparison. */
export interface Compared {
  readonly kind: 'compared'
  readonly now: number
  readonly ticket: number
  readonly peer: MemberId
  /** False: refused, timed out, or the sets changed under it. */
  readonly done: boolean
  readonly theirRoot: Hash
  readonly theirCut: number
  /** Of my facts in that scope at its beginning, those that the other lacks. */
  readonly theyLack: readonly { readonly ref: FactRef; readonly state: FactState }[]
  /** Facts of the other that I lack: named only (counter-sync), or already taken (0 left). */
  readonly theyHave: readonly { readonly ref: FactRef; readonly state: FactState }[]
}

export type Effect =
  /** Say where I stand, to all, now. */
  | { readonly kind: 'announce' }
  | {
      readonly kind: 'status'
      readonly from: Status
      readonly to: Status
      readonly sentence: string
    }
  /** Keep a tree over all that is held (and mark own writes from now on as newer), or drop it. */
  | { readonly kind: 'hold'; readonly on: boolean }
  | {
      readonly kind: 'compare'
      readonly ticket: number
      readonly peer: MemberId
      readonly scope: Scope
      readonly purpose: Purpose
    }
  | Rearrange
  /** A gap is closed: this member holds what the others agree on. */
  | { readonly kind: 'gapClosed' }

/** Brings the agreed set into line; done in slices, durable when `rearranged` comes back. */
export interface Rearrange {
  readonly kind: 'rearrange'
  readonly ticket: number
  /** Agreed facts that go to the pending queue. */
  readonly setAside: readonly FactRef[]
  /** Facts to fetch, and from whom; they become agreed, with the smallest `added` known. */
  readonly fetch: readonly {
    readonly peer: MemberId
    readonly facts: readonly { readonly ref: FactRef; readonly added: Stamp }[]
  }[]
  /**
   * Counter-sync only: every held pending fact that is not named here becomes agreed, since more
   * than half hold it. `null`: leave the pending queue alone.
   */
  readonly keepPending: ReadonlySet<string> | null
  /** The `added` known from others for facts that become agreed; without one it is zero. */
  readonly addedBy: ReadonlyMap<string, Stamp>
}
