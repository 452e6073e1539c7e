/** The tree against the naive one, and the promises of its outer face. */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashForms } from '../../src/base/hash.ts'
import { EMPTY_ROOT, MerkleTree } from '../../src/merkle/tree.ts'
import { crowdedId, entriesOf, entryOf, entrySet, sha, stream, treeOf } from './entries.ts'
import { type Entry, naiveDepth, naiveRoot } from './naive-tree.ts'

const vectorsPath = new URL('../vectors/merkle.json', import.meta.url)
const vectors: { empty: string; roots: { count: number; root: string }[] } = JSON.parse(
  readFileSync(vectorsPath, 'utf8'),
)

function depthOf(tree: MerkleTree, prefix = ''): number {
  if (tree.countBelow(prefix) <= 64) return prefix.length
  return Math.max(...[...'0123456789abcdef'].map(digit => depthOf(tree, prefix + digit)))
}

describe('the storage hash', () => {
  it('S003-14: all empty stores share one hash, also those that became empty', () => {
    expect(EMPTY_ROOT).toBe(vectors.empty)
    expect(new MerkleTree().root()).toBe(EMPTY_ROOT)
    const tree = treeOf(entriesOf(0, 300))
    expect(tree.root()).not.toBe(EMPTY_ROOT)
    for (const [idHash] of entriesOf(0, 300)) tree.set(idHash, null)
    expect(tree.root()).toBe(EMPTY_ROOT)
    expect(tree.count).toBe(0)
  })

  it('is what other languages compute from the same entries', () => {
    for (const { count, root } of vectors.roots) {
      expect(treeOf(entriesOf(0, count)).root()).toBe(root)
      expect(naiveRoot(entriesOf(0, count))).toBe(root)
    }
  })

  it('S003-9: equals the root recomputed from a flat list by a second implementation', () => {
    fc.assert(
      fc.property(entrySet, entries => {
        expect(treeOf(entries).root()).toBe(naiveRoot(entries))
      }),
      { numRuns: 60 },
    )
  })

  it('changes with every entry: id-hash, leaf hash and count are all under it', () => {
    const roots = new Set([EMPTY_ROOT])
    const tree = new MerkleTree()
    for (const [idHash, leaf] of entriesOf(0, 500)) {
      tree.set(idHash, leaf)
      roots.add(tree.root())
    }
    tree.set(entryOf(17)[0], sha('another'))
    roots.add(tree.root())
    expect(roots.size).toBe(502)
  })
})

describe('the tree', () => {
  it('S003-11: does not depend on the order of writes, on overwrites or on deletes', () => {
    const visitor = fc.record({
      entries: entrySet,
      strangers: fc.uniqueArray(crowdedId, { maxLength: 300, size: 'max' }),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(visitor, ({ entries, strangers, seed }) => {
        const next = stream(seed)
        const kept = new Set(entries.map(([idHash]) => idHash))
        const tree = new MerkleTree()
        const steps = [
          ...entries.map(([idHash]) => [idHash, sha(`old ${next(2)}`)] as const),
          ...strangers.map(idHash => [idHash, sha('stranger')] as const),
        ]
        for (const [idHash, leaf] of shuffled(steps, next)) {
          tree.set(idHash, leaf)
          if (next(50) === 0) tree.root()
        }
        const last: (readonly [string, string | null])[] = [
          ...entries,
          ...strangers.filter(id => !kept.has(id)).map(id => [id, null] as const),
        ]
        for (const [idHash, leaf] of shuffled(last, next)) tree.set(idHash, leaf)
        expect(tree.root()).toBe(treeOf(entries).root())
        expect(tree.entries()).toEqual([...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1)))
      }),
      { numRuns: 60 },
    )
  })

  it('S003-11: a million hashed ids lie at most six levels deep', () => {
    const entries = new Uint8Array(1_000_000 * 64)
    for (let i = 0; i < 1_000_000; i++) {
      hashForms.native.into(new Uint8Array([i, i >> 8, i >> 16]), 0, 3, entries, i * 64)
    }
    const tree = new MerkleTree()
    tree.setEntries(entries)
    expect(tree.count).toBe(1_000_000)
    expect(depthOf(tree)).toBeLessThanOrEqual(6)
    expect(tree.bytes() / tree.count).toBeLessThan(90)
  })

  it('grows and shrinks by thousands and stays true to the naive one', () => {
    const next = stream(7)
    const model = new Map<string, string>()
    const tree = new MerkleTree()
    for (const target of [3000, 40, 5000, 900, 1100, 0, 70]) {
      while (model.size !== target) {
        const isRemoved = next(10) < (model.size < target ? 1 : 9)
        const [drawn, leaf] = entryOf(next(8000))
        const idHash = isRemoved ? (pick(model, next(model.size + 1)) ?? drawn) : drawn
        if (isRemoved) model.delete(idHash)
        else model.set(idHash, leaf)
        tree.set(idHash, isRemoved ? null : leaf)
        if (next(100) === 0) tree.root()
      }
      expect(tree.count).toBe(target)
      expect(tree.root()).toBe(naiveRoot([...model]))
      expect(new Map(tree.entries())).toEqual(model)
    }
  })

  it('keeps its nodes together when deep branches come and go', () => {
    const next = stream(11)
    const branches = [5, 17, 40, 61].map(shared =>
      Array.from({ length: 150 }, (_, i): Entry => {
        return [sha(`branch ${shared}`).slice(0, shared) + sha(`${i}`).slice(shared), sha(`${i}`)]
      }),
    )
    const model = new Map<string, string>()
    const tree = treeOf([])
    for (let round = 0; round < 60; round++) {
      const isRemoved = next(2) === 0
      for (const [idHash, leaf] of shuffled(branches[next(4)]!, next).slice(next(150))) {
        if (isRemoved) model.delete(idHash)
        else model.set(idHash, leaf)
        tree.set(idHash, isRemoved ? null : leaf)
      }
      expect(tree.root()).toBe(naiveRoot([...model]))
    }
  })

  it('gives memory back when it shrinks', () => {
    const tree = treeOf(entriesOf(0, 20_000))
    expect(tree.bytes()).toBeGreaterThan(20_000 * 64)
    expect(tree.bytes()).toBeLessThan(20_000 * 150)
    for (const [idHash] of entriesOf(1000, 20_000)) tree.set(idHash, null)
    expect(tree.bytes()).toBeLessThan(1_000_000)
    expect(tree.root()).toBe(treeOf(entriesOf(0, 1000)).root())
  })

  it('finds what was put, and nothing else', () => {
    const tree = treeOf(entriesOf(0, 1000))
    for (const [idHash, leaf] of entriesOf(0, 1000)) expect(tree.get(idHash)).toBe(leaf)
    expect(tree.get(sha('absent'))).toBeUndefined()
    tree.set(sha('absent'), null)
    expect(tree.count).toBe(1000)
    expect(new MerkleTree().get(sha('absent'))).toBeUndefined()
  })

  it('takes entries as bytes as it takes them one by one', () => {
    const entries = entriesOf(0, 2000)
    const tree = new MerkleTree()
    tree.setEntries(Buffer.from(entries.flat().join(''), 'hex'))
    expect(tree.root()).toBe(treeOf(entries).root())
  })

  it('laid out at once is the tree of its entries put one by one, and goes on as that does', () => {
    const next = stream(13)
    for (const count of [0, 1, 64, 65, 66, 1000, 5000]) {
      const entries = entriesOf(0, count)
      // Id-hashes that begin alike, some of them twice: the last one counts.
      const alike = Array.from({ length: next(200) }, (_, i): Entry => {
        return [`${'c'.repeat(10 + next(40))}${sha(`${i % 150}`)}`.slice(0, 64), sha(`${i}`)]
      })
      const all = [...shuffled([...entries, ...alike], next), ...alike.slice(0, next(9))]
      const tree = new MerkleTree()
      tree.setEntries(Buffer.from(all.flat().join(''), 'hex'))
      const model = new Map(all)
      expect(tree.count).toBe(model.size)
      expect(tree.root()).toBe(naiveRoot([...model]))
      for (const [idHash] of shuffled([...model], next).slice(0, model.size - next(70))) {
        tree.set(idHash, null)
        model.delete(idHash)
      }
      for (const [idHash, leaf] of entriesOf(6000, 6100)) {
        tree.set(idHash, leaf)
        model.set(idHash, leaf)
      }
      expect(tree.root()).toBe(naiveRoot([...model]))
      expect(new Map(tree.entries())).toEqual(model)
    }
  })

  it('has copies that live on their own', () => {
    const tree = treeOf(entriesOf(0, 1000))
    tree.root()
    tree.set(entryOf(5)[0], null)
    const copy = tree.clone()
    expect(copy.root()).toBe(tree.root())
    for (const [idHash] of entriesOf(0, 900)) copy.set(idHash, null)
    for (const [idHash, leaf] of entriesOf(1000, 1500)) tree.set(idHash, leaf)
    expect(copy.root()).toBe(treeOf(entriesOf(900, 1000)).root())
    expect(tree.root()).toBe(treeOf([...entriesOf(0, 5), ...entriesOf(6, 1500)]).root())
  })

  it('splits ids that share up to 62 digits down to the depth where they part', () => {
    const shared = 'c'.repeat(61)
    const entries = Array.from({ length: 200 }, (_, i): Entry => {
      return [shared + i.toString(16).padStart(3, '0'), sha(`${i}`)]
    })
    const tree = treeOf(entries)
    expect(tree.root()).toBe(naiveRoot(entries))
    expect(depthOf(tree)).toBe(naiveDepth(entries))
    for (const [idHash] of entries.slice(64)) tree.set(idHash, null)
    expect(tree.root()).toBe(naiveRoot(entries.slice(0, 64)))
    expect(depthOf(tree)).toBe(0)
  })

  it('refuses a text that is no hash, as a bug of ours', () => {
    const tree = new MerkleTree()
    for (const text of ['', 'ab', 'G'.repeat(64), 'A'.repeat(64), 'é'.repeat(64)]) {
      expect(() => tree.set(text, sha('x'))).toThrow(/hash/)
      expect(() => tree.set(sha('x'), text)).toThrow(/hash/)
    }
    expect(tree.root()).toBe(EMPTY_ROOT)
  })
})

describe('reading by prefix', () => {
  const at = fc.tuple(crowdedId, fc.integer({ min: 0, max: 64 }))

  it('counts and gives the entries below any prefix, also inside of a leaf', () => {
    fc.assert(
      fc.property(entrySet, at, (entries, [id, length]) => {
        const prefix = id.slice(0, length)
        const below = entries.filter(([idHash]) => idHash.startsWith(prefix))
        const tree = treeOf(entries)
        expect(tree.countBelow(prefix)).toBe(below.length)
        expect(new Map(tree.entries(prefix))).toEqual(new Map(below))
      }),
      { numRuns: 60 },
    )
  })

  it('goes on after an id-hash, wherever it lies', () => {
    fc.assert(
      fc.property(entrySet, at, crowdedId, (entries, [id, length], after) => {
        const prefix = id.slice(0, length)
        const found: string[] = []
        const tree = treeOf(entries)
        tree.visit(prefix, Buffer.from(after, 'hex'), (chunk, start) => {
          found.push(Buffer.from(chunk.subarray(start, start + 32)).toString('hex'))
          return true
        })
        const ids = entries.map(([idHash]) => idHash)
        expect(found).toEqual(ids.filter(i => i.startsWith(prefix) && i > after).sort())
      }),
      { numRuns: 60 },
    )
  })

  it('gives equal hashes of children for equal entries below them, whatever lies beside', () => {
    fc.assert(
      fc.property(entrySet, entrySet, crowdedId, (below, beside, id) => {
        const prefix = id.slice(0, 2)
        const inside = below.filter(([idHash]) => idHash.startsWith(prefix))
        const outside = beside.filter(([idHash]) => !idHash.startsWith(prefix))
        const alone = treeOf(inside)
        const among = treeOf([...outside, ...inside])
        for (const digits of [2, 3, 41, 63]) {
          const node = id.slice(0, digits)
          expect(among.childHashes(node)).toEqual(alone.childHashes(node))
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('the fast door of the hash', () => {
  it('writes in both forms what the slow one says, at the place asked for', () => {
    const source = Uint8Array.from({ length: 700 }, (_, i) => i * 31)
    for (const form of [hashForms.native, hashForms.noble]) {
      for (const [start, end] of [
        [0, 700],
        [3, 67],
        [0, 0],
        [699, 700],
      ] as const) {
        const target = new Uint8Array(40)
        form.into(source, start, end, target, 5)
        expect(Buffer.from(target.subarray(5, 37)).toString('hex')).toBe(
          hashForms.native.bytes(source.subarray(start, end)),
        )
        expect([...target.subarray(0, 5), ...target.subarray(37)]).toEqual(Array(8).fill(0))
      }
    }
  })
})

/** Some key of a map, counted within its first hundred; none if there are fewer. */
function pick(map: ReadonlyMap<string, string>, place: number): string | undefined {
  let left = place % 100
  for (const key of map.keys()) if (left-- === 0) return key
  return undefined
}

function shuffled<T>(list: readonly T[], next: (below: number) => number): T[] {
  const result = [...list]
  for (let i = result.length - 1; i > 0; i--) {
    const j = next(i + 1)
    const held = result[i]!
    result[i] = result[j]!
    result[j] = held
  }
  return result
}
