/**
 * Ancestry among the facts of a disk, walked plainly.
 */
import { type Fact, refKey } from '../src/base/fact.ts'
import type { Holding } from './disk.ts'

/** The keys of all facts of which everything that they stand on is held, too. */
export function rootedKeys(holdings: ReadonlyMap<string, Holding>): Set<string> {
  const rooted = new Map<string, boolean>()
  for (const first of holdings.keys()) {
    const open = [first]
    for (let key = open.at(-1); key !== undefined; key = open.at(-1)) {
      const fact = holdings.get(key)?.fact
      const below = fact === undefined || rooted.has(key) ? [] : groundOf(fact)
      const waiting = below.filter(other => !rooted.has(other))
      if (waiting.length > 0) {
        open.push(...waiting)
        continue
      }
      open.pop()
      const isRooted = fact !== undefined && below.every(other => rooted.get(other) === true)
      if (!rooted.has(key)) rooted.set(key, isRooted)
    }
  }
  return new Set([...rooted].filter(([, isRooted]) => isRooted).map(([key]) => key))
}

/** What a fact stands on: its parents, or for a split item the base that its writer saw. */
function groundOf(fact: Fact): string[] {
  if (fact.base === null) return fact.parents.map(version => refKey({ id: fact.id, version }))
  // Heads of the outermost id are facts; further in they may be derived, and are held by nobody.
  const { id, heads } = fact.base[0] ?? { id: '', heads: [] }
  return heads.map(version => refKey({ id, version }))
}
