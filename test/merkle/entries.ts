/** Entries for the tests of trees: from names, from a seeded stream, and as fast-check values. */
import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { MerkleTree } from '../../src/merkle/tree.ts'
import type { Entry } from './naive-tree.ts'

/** SHA-256 of a text, as 64 hex digits. */
export function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Entry number `i` of a family: the same on every machine (test/vectors/merkle.json). */
export function entryOf(i: number): Entry {
  return [sha(`item ${i}`), sha(`leaf ${i}`)]
}

/** Entries `from` up to `to` (excluded). */
export function entriesOf(from: number, to: number): Entry[] {
  return Array.from({ length: to - from }, (_, i) => entryOf(from + i))
}

/** A tree of entries, put in the order given. */
export function treeOf(entries: Iterable<Entry>): MerkleTree {
  const tree = new MerkleTree()
  for (const [idHash, leaf] of entries) tree.set(idHash, leaf)
  return tree
}

/** Whole numbers below a bound, from a seed (mulberry32). */
export function stream(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) % below
  }
}

/**
 * Id-hashes that crowd: many begin with the same 0, 1, 3, 40 or 61 digits, so that leaves split
 * and join at every depth.
 */
export const crowdedId: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(0, 1, 3, 40, 61), fc.integer({ min: 0, max: 400 }))
  .map(([shared, i]) => 'a'.repeat(shared) + sha(`crowd ${i}`).slice(0, 64 - shared))

/** Few leaf hashes, so that equal ones meet. */
export const anyLeaf: fc.Arbitrary<string> = fc.integer({ min: 0, max: 3 }).map(i => sha(`v${i}`))

/** A set of entries without two of one id-hash. */
export const entrySet: fc.Arbitrary<Entry[]> = fc.uniqueArray(fc.tuple(crowdedId, anyLeaf), {
  maxLength: 500,
  selector: ([idHash]) => idHash,
  size: 'max',
})
