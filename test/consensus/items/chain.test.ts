import { expect, test } from 'vitest'
import type { Fact } from '../../../src/base/fact.ts'
import type { Hash } from '../../../src/base/hash.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { chainOf, realNode, relation } from '../../../src/consensus/items/chain.ts'
import { checkFact } from '../../../src/consensus/items/check.ts'
import { dataHashOf, versionOf } from '../../../src/consensus/items/version.ts'
import { collisionsOf, viewFamily } from '../../../src/consensus/items/view.ts'
import { contentOf } from './members.ts'

function factOn(parents: readonly Hash[], text: string, at = 1): Fact {
  const content = contentOf(text)
  const dataHash = dataHashOf(content)
  const version = versionOf('report', parents, dataHash)
  const stamp = { at: stampOf(at), by: 'm1' }
  return { id: 'report', version, parents, dataHash, ...content, ...stamp, base: null }
}

function chainOfLength(length: number): Fact[] {
  const facts: Fact[] = []
  let parents: readonly Hash[] = []
  for (let at = 1; at <= length; at++) {
    const fact = factOn(parents, `version ${at}`, at)
    facts.push(fact)
    parents = [fact.version]
  }
  return facts
}

test.each([1, 2, 10_000])(
  'S003-3: a replica %i versions behind is older, and catches up without a collision',
  behind => {
    const facts = chainOfLength(behind + 1)
    const first = facts[0]!.version
    const last = facts[behind]!.version
    const chain = chainOf(facts.map(realNode))
    expect(relation(chain, first, last)).toBe('older')
    expect(relation(chain, last, first)).toBe('newer')
    expect(relation(chain, last, last)).toBe('same')
    const fork = factOn([first], 'meanwhile')
    const forked = chainOf([...facts, fork].map(realNode))
    expect(relation(forked, fork.version, last)).toBe('collision')
    expect(relation(forked, fork.version, first)).toBe('newer')

    const view = viewFamily('report', [...facts].reverse())
    expect(collisionsOf(view)).toEqual([])
    const place = view.places.get('report')
    expect(place?.kind === 'item' && [place.shown.version, place.position]).toEqual([
      last,
      behind + 1,
    ])
  },
)

test('S003-3: the newest of ten thousand without its lineage is invisible, no collision', () => {
  const facts = chainOfLength(10_000)
  const held = [facts[0]!, facts[1]!, ...facts.slice(5000)]
  const view = viewFamily('report', held)
  expect(collisionsOf(view)).toEqual([])
  const place = view.places.get('report')
  expect(place?.kind === 'item' && place.shown.version).toBe(facts[1]!.version)
  expect(view.family.unrooted).toHaveLength(5000)
  expect(view.family.missing).toEqual([{ id: 'report', version: facts[4999]!.version }])
})

const [one, two] = chainOfLength(2) as [Fact, Fact]
const other = factOn([], 'other')
const forged: [string, Fact][] = [
  ['another parent', { ...two, parents: [other.version] }],
  ['no parent', { ...two, parents: [] }],
  ['another dataHash', { ...two, dataHash: one.dataHash }],
  ['another content', { ...two, ...contentOf('forged') }],
  ['another size', { ...two, size: two.size + 1 }],
  ['another id', { ...one, id: 'other' }],
  ['a tag that is not hashed', { ...two, tags: ['new'] }],
]
test.each(forged)('S003-3: a fact that claims %s is refused', (_, fact) => {
  expect(checkFact(two)).toEqual({ ok: true })
  const checked = checkFact(fact)
  expect(checked.ok).toBe(false)
})

test('versions that were joined are no collision, at any distance', () => {
  const [first] = chainOfLength(1) as [Fact]
  const left = factOn([first.version], 'left')
  const right = factOn([first.version], 'right')
  const merge = factOn([left.version, right.version].sort(), 'merged')
  const chain = chainOf([merge, right, first, left].map(realNode))
  expect(relation(chain, merge.version, left.version)).toBe('newer')
  expect(relation(chain, right.version, merge.version)).toBe('older')
  expect(relation(chain, left.version, right.version)).toBe('collision')
  expect(chain.heads.map(head => head.version)).toEqual([merge.version])
  expect(chain.positions.get(merge.version)).toBe(3)
})
