/**
 * Ancestry among the facts of a disk, walked plainly.
 */
import { type FactRef, refKey } from '../src/base/fact.ts'
import type { Holding } from './disk.ts'

/** Whether a fact is an ancestor of a version of the same item. */
export function isAbove(
  holdings: ReadonlyMap<string, Holding>,
  above: FactRef,
  version: string,
): boolean {
  const seen = new Set<string>()
  const open = [version]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    if (next === above.version) return true
    open.push(...(holdings.get(refKey({ id: above.id, version: next }))?.fact.parents ?? []))
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
      for (const { id, heads } of fact.base) {
        for (const version of heads) open.push(refKey({ id, version }))
      }
    }
  }
  return true
}
