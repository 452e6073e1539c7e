/**
 * The facts of one member as bits: bit n is the fact with name n. Agreed facts have the moment at
 * which they were added; pending ones are set aside, or own writes, of which those that are newer
 * than the beginning of a counter-sync take no part in it.
 */
import type { FactRef, FactState } from '../../src/base/fact.ts'
import { EMPTY_ROOT } from '../../src/merkle/tree.ts'
import { stampOfMs } from './time.ts'

export const namesMax = 4

export interface Facts {
  /** Milliseconds of the network clock; −1: not agreed. */
  readonly added: number[]
  agreed: number
  aside: number
  /** Own writes, held; and own writes that are newer than the held tree. */
  freshHeld: number
  freshNew: number
  /** Whether the tree over all that is held stands. */
  isHolding: boolean
}

const refs: readonly FactRef[] = Array.from({ length: namesMax }, (_, name) => ({
  id: `n${name}`,
  version: `v${name}`,
}))

export function refOf(name: number): FactRef {
  return refs[name]!
}

export function nameOf(ref: FactRef): number {
  return Number(ref.id.slice(1))
}

export function emptyFacts(): Facts {
  const added = new Array<number>(namesMax).fill(-1)
  return { added, agreed: 0, aside: 0, freshHeld: 0, freshNew: 0, isHolding: false }
}

export function cloneFacts(facts: Facts): Facts {
  return { ...facts, added: [...facts.added] }
}

/** The names of a set of bits. */
export function namesOf(bits: number): number[] {
  const names: number[] = []
  for (let name = 0; name < namesMax; name++) if ((bits & (1 << name)) !== 0) names.push(name)
  return names
}

/** A hash of a set that tells which set it is. */
export function rootOf(bits: number): string {
  return bits === 0 ? EMPTY_ROOT : `h${bits}`
}

/** The set that a root of `rootOf` stands for. */
export function bitsOf(root: string | null): number {
  return root === null || root === EMPTY_ROOT ? 0 : Number(root.slice(1))
}

export function pendingOf(facts: Facts): number {
  return facts.aside | facts.freshHeld | facts.freshNew
}

export function allOf(facts: Facts): number {
  return facts.agreed | pendingOf(facts)
}

export function heldOf(facts: Facts): number {
  return facts.agreed | facts.aside | facts.freshHeld
}

/** No agreed fact and nothing set aside. */
export function isEmpty(facts: Facts): boolean {
  return (facts.agreed | facts.aside) === 0
}

export function settledOf(facts: Facts, cut: number): number {
  let bits = 0
  for (let name = 0; name < namesMax; name++) {
    const added = facts.added[name]!
    if (added >= 0 && added < cut) bits |= 1 << name
  }
  return bits
}

/** Makes a fact agreed; the smallest `added` stays. Answers whether anything changed. */
export function agree(facts: Facts, name: number, addedMs: number): boolean {
  const known = facts.added[name]!
  if (known >= 0 && known <= addedMs) return false
  const bit = 1 << name
  facts.added[name] = addedMs
  facts.agreed |= bit
  facts.aside &= ~bit
  facts.freshHeld &= ~bit
  facts.freshNew &= ~bit
  return true
}

/** Puts an agreed fact into the pending queue. */
export function setAside(facts: Facts, name: number): boolean {
  const bit = 1 << name
  if ((facts.agreed & bit) === 0) return false
  facts.agreed &= ~bit
  facts.added[name] = -1
  facts.aside |= bit
  return true
}

export function hold(facts: Facts): void {
  facts.isHolding = true
  facts.freshHeld |= facts.freshNew
  facts.freshNew = 0
}

export function unhold(facts: Facts): void {
  facts.isHolding = false
  facts.freshNew |= facts.freshHeld
  facts.freshHeld = 0
}

/** A fact as a comparison names it. */
export function stateOf(facts: Facts, name: number): FactState {
  const added = facts.added[name]!
  if (added >= 0) return { kind: 'agreed', added: stampOfMs(added) }
  return { kind: 'pending', order: 1, fresh: (facts.aside & (1 << name)) === 0 }
}
