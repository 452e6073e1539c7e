/**
 * Histories of announced (cut, hash) pairs and their matching (PROTOCOL 9, S003-27, S003-28).
 * A history is in order of arrival, newest last, bounded; an entry announced again moves to the
 * end, also after it was cut by a match.
 */
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'

export interface Entry {
  readonly cut: number
  readonly hash: Hash
}

function same(a: Entry, b: Entry): boolean {
  return a.cut === b.cut && a.hash === b.hash
}

/** Appends an announcement; the oldest entries are pushed out. */
export function record(history: Entry[], entry: Entry): void {
  const at = history.findLastIndex(other => same(other, entry))
  if (at >= 0) history.splice(at, 1)
  history.push(entry)
  if (history.length > limits.historyEntriesMax) {
    history.splice(0, history.length - limits.historyEntriesMax)
  }
}

/** Whether the histories share an entry; changes neither. */
export function shares(mine: readonly Entry[], theirs: readonly Entry[]): boolean {
  return newestCommon(mine, theirs) >= 0
}

/**
 * Matches two histories, newest first. On a match theirs is cut up to and including the common
 * entry, mine stays as it is, and the answer is true.
 */
export function match(mine: readonly Entry[], theirs: Entry[]): boolean {
  const at = newestCommon(mine, theirs)
  if (at < 0) return false
  theirs.splice(0, at + 1)
  return true
}

/** Index in `theirs` of the newest entry that is also in `mine`, or −1. */
function newestCommon(mine: readonly Entry[], theirs: readonly Entry[]): number {
  for (let at = theirs.length - 1; at >= 0; at--) {
    const entry = theirs[at]!
    if (mine.some(other => same(other, entry))) return at
  }
  return -1
}
