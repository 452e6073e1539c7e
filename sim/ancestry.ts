/**
 * Ancestry among the facts of a disk, walked plainly.
 */
import { type FactRef, refKey } from '../src/base/fact.ts'
import type { Holding } from './disk.ts'

/** Whether some fact that is held stands on a fact: as its child, or written on its branch. */
export function hasChild(holdings: ReadonlyMap<string, Holding>, ref: FactRef): boolean {
  for (const { fact } of holdings.values()) {
    if (fact.id === ref.id && fact.parents.includes(ref.version)) return true
    const base = fact.base?.find(({ id }) => id === ref.id)
    if (base?.heads.includes(ref.version) === true) return true
  }
  return false
}

/** Whether all that a fact stands on is held too: its parents, or for a split item its base. */
export function isRooted(holdings: ReadonlyMap<string, Holding>, ref: FactRef): boolean {
  const seen = new Set<string>()
  const open = [refKey(ref)]
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (seen.has(key)) continue
    seen.add(key)
    const fact = holdings.get(key)?.fact
    if (fact === undefined) return false
    if (fact.base === null) {
      for (const version of fact.parents) open.push(refKey({ id: fact.id, version }))
    } else {
      // Heads of the outermost id are facts; further in they may be derived, and are held by nobody.
      const { id, heads } = fact.base[0] ?? { id: '', heads: [] }
      for (const version of heads) open.push(refKey({ id, version }))
    }
  }
  return true
}
