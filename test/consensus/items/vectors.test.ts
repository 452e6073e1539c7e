import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Content, Fact } from '../../../src/base/fact.ts'
import type { Hash } from '../../../src/base/hash.ts'
import { checkFact } from '../../../src/consensus/items/check.ts'
import { digestOf, leafOf, newestOf } from '../../../src/consensus/items/digest.ts'
import { dataHashOf, deletedContent, versionOf } from '../../../src/consensus/items/version.ts'
import { itemsOf, viewFamily } from '../../../src/consensus/items/view.ts'
import { agreed } from './members.ts'

const folder = new URL('../../vectors/', import.meta.url)

interface VectorFact {
  readonly content: Content | null
  readonly parents: readonly Hash[]
  readonly at: string
  readonly by: string
  readonly dataHash: Hash
  readonly version: Hash
  readonly digest: Hash
}

interface VectorItem {
  readonly name: string
  readonly id: string
  readonly facts: readonly VectorFact[]
  readonly leaf: Hash
  readonly split?: Readonly<Record<string, Hash>>
}

const { items }: { items: readonly VectorItem[] } = JSON.parse(
  readFileSync(new URL('items.json', folder), 'utf8'),
)

function factOf(id: string, vector: VectorFact): Fact {
  const { dataHash, version, parents, at, by, content } = vector
  return { id, version, parents, dataHash, ...(content ?? deletedContent), at, by, base: null }
}

test.each(items.map(item => [item.name, item] as const))(
  'S003-2: the vectors of %s hold',
  (_, item) => {
    const digests = new Map<Hash, Hash>()
    const facts = item.facts.map(vector => factOf(item.id, vector))
    for (const [at, fact] of facts.entries()) {
      const vector = item.facts[at]!
      expect(dataHashOf(fact)).toBe(vector.dataHash)
      expect(versionOf(item.id, fact.parents, fact.dataHash)).toBe(vector.version)
      expect(checkFact(fact)).toEqual({ ok: true })
      const parents = fact.parents.map(parent => digests.get(parent)!)
      expect(digestOf(fact, parents)).toBe(vector.digest)
      digests.set(fact.version, vector.digest)
    }
    expect(leafOf(newestOf(agreed(facts)))).toBe(item.leaf)
    if (item.split !== undefined) {
      const shown = itemsOf(viewFamily(item.id, facts)).map(one => [one.id, one.shown.version])
      expect(Object.fromEntries(shown)).toEqual(item.split)
    }
  },
)

const python = spawnSync('python3', ['--version']).status === 0

test.skipIf(!python)('S003-2: a script in another language recomputes every vector', () => {
  const run = spawnSync('python3', ['recompute.py'], { cwd: folder, encoding: 'utf8' })
  expect(run.stdout + run.stderr).toMatch(/^\d+ hashes recomputed\n$/)
  expect(run.status).toBe(0)
})
