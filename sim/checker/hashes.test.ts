/**
 * The checker's own hashes and splits against the published vectors, and against the product on
 * random families: two tellings of one protocol that share no code.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeCbor } from '../../src/base/cbor.ts'
import { leafWhere } from '../../src/consensus/items/digest.ts'
import { findItem, itemsOf as productItems, viewFamily } from '../../src/consensus/items/view.ts'
import { MerkleTree } from '../../src/merkle/tree.ts'
import { agreed, ItemMember } from '../../test/consensus/items/members.ts'
import { Random } from '../random.ts'
import { cborOf } from './cbor.ts'
import { familyOf, itemsOf, rootIdOf } from './family.ts'
import { dataHashOf, hashOf, rootOf, versionOf, ZEROS } from './hashes.ts'
import { branchesOf, headsOf, rootedChain, splitOf } from './split.ts'

interface VectorFact {
  /** null: a delete. */
  readonly content: Parameters<typeof dataHashOf>[0] | null
  readonly parents: readonly string[]
  readonly dataHash: string
  readonly version: string
}

interface Vectors {
  readonly items: readonly {
    readonly id: string
    readonly facts: readonly VectorFact[]
    readonly split?: Readonly<Record<string, string>>
  }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/items.json', import.meta.url), 'utf8'),
) as Vectors

describe('the naive hashes', () => {
  it('give the published vectors: dataHash, version and split', () => {
    let splits = 0
    for (const { id, facts, split } of vectors.items) {
      for (const { content, parents, dataHash, version } of facts) {
        expect(content === null ? ZEROS : dataHashOf(content)).toBe(dataHash)
        expect(versionOf(id, parents, dataHash)).toBe(version)
      }
      if (split === undefined) continue
      splits += 1
      const chain = rootedChain(
        facts.map(fact => ({ ...fact, blob: fact.content?.blob ?? null, origins: new Map() })),
      )
      const named = splitOf(id, chain, branchesOf(headsOf(chain)))
      const shown = [...named].map(([name, made]) => [name, headsOf(made)[0]!.version])
      expect(Object.fromEntries(shown)).toEqual(split)
    }
    expect(splits).toBeGreaterThan(0)
  })

  it.each([
    [[0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]],
    [[-1, -24, -25, -(2 ** 33), 0.5, -0.1, 1e300, 2 ** 53, 1 / 3, 65504, 2 ** -24]],
    [{ bb: 1, a: [null, true, false], '': 'ä𝄞', ab: {}, z: 'x'.repeat(300) }],
  ])('and the CBOR of the product for %j', value => {
    expect(cborOf(value).toString('hex')).toBe(Buffer.from(encodeCbor(value)).toString('hex'))
  })

  it.each([
    ['a', 'a'],
    ['a~3', 'a'],
    ['a~~3', 'a~~3'],
    ['a~~~3~f', 'a~~'],
    ['a~~3~4', 'a~~3'],
  ])('take the root of %s for %s', (id, root) => {
    expect(rootIdOf(id)).toBe(root)
  })
})

describe('the naive family', () => {
  it('shows what the product shows, for random histories with nested forks and merges', () => {
    let splits = 0
    let onSplitIds = 0
    for (let seed = 1; seed <= 400; seed++) {
      const members = randomFamily(new Random(`family ${seed}`))
      for (const member of members) {
        const facts = [...member.facts.values()]
        const view = viewFamily(member.root, facts)
        const family = familyOf(facts)
        const shown = productItems(view).map(({ id, shown: { version, fact } }) => {
          return { id, version, blob: fact.blob }
        })
        expect(itemsOf(family).sort(byId), `seed ${seed}`).toEqual(shown.sort(byId))
        expect(family.rooted.size).toBe(facts.length - view.family.unrooted.length)
        expect(family.wrong).toEqual([])
        if (findItem(view, member.root).kind === 'split') splits += 1
        if (facts.some(fact => fact.base !== null)) onSplitIds += 1
      }
    }
    expect(splits).toBeGreaterThan(200)
    expect(onSplitIds).toBeGreaterThan(200)
  })

  it('and its root is the product’s', () => {
    const tree = new MerkleTree()
    const all = Array.from({ length: 150 }, (_, at) => {
      const [member] = randomFamily(new Random(`root ${at}`), `item/${at}`)
      const facts = [...member!.facts.values()]
      for (const id of new Set(facts.map(fact => fact.id))) {
        const held = agreed(facts.filter(fact => fact.id === id))
        tree.set(
          hashOf(id),
          leafWhere(held, () => true),
        )
      }
      return facts
    })
    expect(rootOf(all.flat())).toBe(tree.root())
    expect(rootOf([])).toBe(new MerkleTree().root())
  })
})

/** Three members that write, delete, resolve and meet in any order, in parts. */
function randomFamily(random: Random, root = 'report'): ItemMember[] {
  const clock = { ms: 1_000_000 }
  const members = ['a', 'b', 'c'].map(name => new ItemMember(name, root, clock))
  members[0]!.put(root, 'first')
  for (const member of members) member.takeAll(members[0]!)
  for (let step = 0; step < 18; step++) {
    const member = random.pick(members)
    const live = Object.keys(member.live())
    const id = live.length > 0 ? random.pick(live) : root
    const what = random.unit()
    if (what < 0.45) {
      const text = random.chance(0.15) ? 'same' : `text ${step}`
      member.tryPlan(member.plan(id, { content: contentOf(text) }))
    } else if (what < 0.55) member.tryPlan(member.plan(id, { content: null }))
    else if (what < 0.65 && member.view().places.get(root)?.kind === 'split') {
      member.resolve(root, { content: contentOf(`merge ${step}`) })
    } else {
      const facts = [...random.pick(members).facts.values()]
      const part = random.chance(0.3) ? 0.6 : 1
      member.take(facts.filter(() => random.chance(part)))
    }
  }
  return members
}

function contentOf(text: string) {
  const bytes = { blob: hashOf(text), size: text.length, type: 'text/plain' }
  return { ...bytes, tags: [], description: text, meta: null, dependsOn: [] }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1
}
