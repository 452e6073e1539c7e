/** The walk finds exactly what two trees differ in, within its bounds. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sized } from '../../sim/size.ts'
import { limits } from '../../src/base/limits.ts'
import { MerkleTree } from '../../src/merkle/tree.ts'
import type { Difference } from '../../src/merkle/walk-take.ts'
import { resumeWalk } from '../../src/merkle/walker.ts'
import { anyLeaf, entriesOf, entryOf, entrySet, sha, treeOf } from './entries.ts'
import type { Entry } from './naive-tree.ts'
import { type Walked, walked, walkedOn } from './walking.ts'

function differenceOf(mine: readonly Entry[], theirs: readonly Entry[]): Difference[] {
  const mineById = new Map(mine)
  const theirsById = new Map(theirs)
  return [...new Set([...mineById.keys(), ...theirsById.keys()])]
    .map(idHash => ({
      idHash,
      mine: mineById.get(idHash) ?? null,
      theirs: theirsById.get(idHash) ?? null,
    }))
    .filter(({ mine, theirs }) => mine !== theirs)
    .sort(byId)
}

function byId(a: Difference, b: Difference): number {
  return a.idHash < b.idHash ? -1 : 1
}

function expectFound(walk: Walked, expected: readonly Difference[]) {
  expect(walk.end.kind).toBe('done')
  if (walk.end.kind !== 'done') return
  expect(walk.end.isComplete).toBe(true)
  expect([...walk.end.differences].sort(byId)).toEqual(expected)
}

/** Walks between two sets both ways, with cut and with full prints. */
function expectExact(mine: readonly Entry[], theirs: readonly Entry[]) {
  const [a, b] = [treeOf(mine), treeOf(theirs)]
  for (const full of [false, true]) {
    expectFound(walked(a, b, { full }), differenceOf(mine, theirs))
    expectFound(walked(b, a, { full }), differenceOf(theirs, mine))
  }
}

describe('the walk', () => {
  it('finds exactly the difference of any two sets, both ways', () => {
    fc.assert(fc.property(entrySet, entrySet, expectExact), { numRuns: 40 })
  })

  it('finds exactly what was changed, added and removed in a copy', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.option(anyLeaf)), { maxLength: 20 })
    fc.assert(
      fc.property(entrySet, edits, entrySet, (entries, changes, more) => {
        const copy = new Map(entries)
        for (const [place, leaf] of changes) {
          const idHash = entries[place % Math.max(entries.length, 1)]?.[0] ?? sha('only')
          if (leaf === null) copy.delete(idHash)
          else copy.set(idHash, leaf)
        }
        for (const [idHash, leaf] of more.slice(0, 10)) copy.set(idHash, leaf)
        expectExact(entries, [...copy])
      }),
      { numRuns: 40 },
    )
  })

  it('ends after one message when the trees are equal', () => {
    for (const count of [0, 1, 64, 65, 5000]) {
      const walk = walked(treeOf(entriesOf(0, count)), treeOf(entriesOf(0, count)))
      expectFound(walk, [])
      expect(walk.rounds).toBe(1)
    }
  })

  it('compares empty with full, and small with large', () => {
    for (const [few, many] of [
      [0, 1],
      [0, 64],
      [0, 3000],
      [1, 3000],
      [60, 70],
      [64, 3000],
    ]) {
      expectExact(entriesOf(0, few!), entriesOf(0, many!))
      expectExact(entriesOf(0, few!), entriesOf(few!, many!))
    }
  })

  it('compares ids that share 61 digits, though no honest id does', () => {
    const crowd = (from: number, to: number): Entry[] =>
      Array.from({ length: to - from }, (_, i) => [
        'e'.repeat(61) + (from + i).toString(16).padStart(3, '0'),
        sha(`${i + from}`),
      ])
    expectExact(crowd(0, 2000), [...crowd(0, 900), ...crowd(901, 2002)])
    expectExact(crowd(0, 1), crowd(0, 2000))
    expectExact(crowd(0, 64), crowd(0, 65))
  })

  it('gives the root and the count of the peer with the differences', () => {
    const theirs = treeOf(entriesOf(0, 200))
    const { end } = walked(treeOf(entriesOf(0, 100)), theirs)
    expect(end).toMatchObject({ kind: 'done', peer: { root: theirs.root(), count: 200 } })
  })

  it('brings equal roots when its differences are taken over', () => {
    const mine = treeOf(entriesOf(0, 3000))
    const theirs = treeOf([...entriesOf(50, 3100), [entryOf(70)[0], sha('new')]])
    const { end } = walked(mine, theirs)
    if (end.kind !== 'done') throw new Error(end.kind)
    for (const { idHash, theirs: leaf } of end.differences) mine.set(idHash, leaf)
    expect(mine.root()).toBe(end.peer.root)
  })

  it('says so when either tree changes between two messages, with what it had found', () => {
    for (const whose of ['mine', 'theirs'] as const) {
      const mine = treeOf(entriesOf(0, 5000))
      const theirs = treeOf(entriesOf(10, 5010))
      const changing = whose === 'mine' ? mine : theirs
      // The peer's root is first heard of with the first answer, so the second can differ from it.
      const between = (round: number) => {
        if (round === 1) changing.set(sha('meanwhile'), sha('x'))
      }
      expect(walked(mine, theirs, { between }).end).toMatchObject({ kind: 'changed', whose })
    }
  })
})

describe('the size of a walk', () => {
  it('S003-10: messages and bytes are bounded by log n × differences', () => {
    for (const count of [1000, 16_000, 100_000]) {
      const entries = entriesOf(0, count)
      const mine = treeOf(entries)
      for (const differing of [1, 10, 100]) {
        const theirs = mine.clone()
        for (let i = 0; i < differing; i++) {
          const idHash = entryOf((i * 7919) % count)[0]
          if (i % 3 === 0) theirs.set(idHash, null)
          else if (i % 3 === 1) theirs.set(idHash, sha(`changed ${i}`))
          else theirs.set(sha(`more ${i}`), sha('more'))
        }
        const walk = walked(mine, theirs)
        if (walk.end.kind !== 'done') throw new Error(walk.end.kind)
        expect(walk.end.differences).toHaveLength(differing)
        const levels = Math.ceil(Math.log(count) / Math.log(16))
        expect(walk.bytes).toBeLessThan(2048 + 192 * levels * differing)
        expect(walk.rounds).toBeLessThanOrEqual(Math.ceil(levels / 2) + 1)
      }
    }
  })

  const many = sized({ everyday: 30_000, ci: 100_000, deep: 100_000 })
  it(`carries a difference of ${many} items over in several messages of bounded size`, () => {
    const theirs = treeOf(entriesOf(0, many))
    for (const [a, b] of [
      [new MerkleTree(), theirs],
      [theirs, new MerkleTree()],
    ] as const) {
      const walk = walked(a, b)
      if (walk.end.kind !== 'done') throw new Error(walk.end.kind)
      expect(walk.end.differences).toHaveLength(many)
      expect(walk.end.isComplete).toBe(true)
      expect(walk.rounds).toBeLessThan(20)
      expect(walk.largestMessage).toBeLessThan(limits.walkBytes + 64 * 1024)
    }
    const changed = treeOf(entriesOf(0, many).map(([idHash]) => [idHash, sha(idHash)]))
    const walk = walked(changed, theirs, { full: true })
    if (walk.end.kind !== 'done') throw new Error(walk.end.kind)
    expect(walk.end.differences).toHaveLength(many)
    expect(walk.largestMessage).toBeLessThan(limits.walkBytes + 64 * 1024)
  })

  it('gives more differences than it may hold in parts that together are exact', () => {
    const parts = sized({ everyday: 2, ci: 3, deep: 3 })
    const count = (parts - 1) * limits.walkDifferencesMax + 1000
    const entries = new Uint8Array(count * 64)
    const view = new DataView(entries.buffer)
    for (let i = 0; i < count; i++) {
      view.setUint32(i * 64, Math.imul(i, 0x9e3779b1))
      view.setUint32(i * 64 + 4, i)
    }
    const many = new MerkleTree()
    many.setEntries(entries)
    const few = treeOf(entriesOf(0, 3))
    const pairs: [MerkleTree, MerkleTree][] = [
      [new MerkleTree(), many],
      [many, new MerkleTree()],
      [many, few],
    ]
    for (const [a, b] of pairs.slice(0, sized({ everyday: 1, ci: 3, deep: 3 }))) {
      const found = new Set<string>()
      const sizes: number[] = []
      let { end } = walked(a, b)
      for (;;) {
        if (end.kind !== 'done') throw new Error(end.kind)
        for (const { idHash } of end.differences) found.add(idHash)
        sizes.push(end.differences.length)
        if (end.isComplete) break
        end = walkedOn(a, b, resumeWalk(a, end.walk)).end
      }
      expect(found.size).toBe(count + b.count - (b === many ? count : 0))
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(found.size)
      expect(Math.max(...sizes)).toBeLessThan(limits.walkDifferencesMax + 10_000)
      expect(sizes).toHaveLength(parts)
    }
  })
})
