/**
 * What the rest of a member needs to know of its roster: who counts, of which bodies more than half
 * must be reached, and what its pings show. Questions only; nothing here changes a state.
 */
import type { MemberId } from '../../base/fact.ts'
import { after } from './configuration.ts'
import type { RosterState } from './state.ts'

export interface Counting {
  /** `roster` as soon as a change to it was accepted: until the outcome is known, the safe side. */
  readonly quorum: 'visible' | 'roster'
  /** More than half of each must be reached (and hold a write); one, or two in a change. */
  readonly bodies: readonly (readonly MemberId[])[]
  /** The highest number known or accepted. */
  readonly shown: number
}

export function countingOf({ known, vote }: RosterState): Counting {
  const now = known.members.map(({ peer }) => peer)
  const next = vote.accepted === null ? null : after(known, vote.accepted.change)
  const shown = next === null ? known.number : next.number
  if (next === null) return { quorum: known.quorum, bodies: [now], shown }
  const then = next.members.map(({ peer }) => peer)
  const quorum = known.quorum === 'roster' ? 'roster' : next.quorum
  const isSame = now.length === then.length && now.every(peer => then.includes(peer))
  return { quorum, bodies: isSame ? [now] : [now, then], shown }
}

/** A change of the set by `visible` rules would cross a change to `roster` that is under way. */
export function isFrozen({ known, vote }: RosterState): boolean {
  return known.quorum === 'visible' && vote.promised !== null
}

/** Something was begun whose outcome this member does not know. */
export function isUnfinished(state: RosterState): boolean {
  return state.vote.accepted !== null || isFrozen(state)
}

/** Members of a body that are here, this one included if it belongs to it. */
export function isMajorityOf(body: readonly MemberId[], here: ReadonlySet<MemberId>): boolean {
  return body.filter(peer => here.has(peer)).length * 2 > body.length
}
