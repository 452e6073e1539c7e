import { expect, test } from 'vitest'
import { type Fact, isDelete } from '../../../src/base/fact.ts'
import { collisionsOf } from '../../../src/consensus/items/view.ts'
import {
  contentOf,
  exchange,
  type ItemMember,
  idOf,
  membersOf,
  rightVersion,
  splitInTwo,
  viewText,
} from './members.ts'

const root = 'report'

test('resolve is one merge on the old id and a delete on each item taken in', () => {
  const { a, b } = splitInTwo()
  const ids = [idOf(a, 'left'), idOf(a, 'right')]
  const facts = a.resolve(root, { keep: ids[0]! })
  expect(facts.map(fact => [fact.id, isDelete(fact)])).toEqual([
    [root, false],
    ...[...ids].sort().map(id => [id, true]),
  ])
  exchange([a, b])
  expect(b.live()).toEqual({ report: 'left' })
  expect(collisionsOf(b.view())).toEqual([])
  for (const id of ids) expect(b.read(id)).toBeUndefined()
})

test('a collision can be resolved by a version, by new content, or by a put that merges', () => {
  for (const choose of [
    (a: ItemMember, right: Fact) => a.resolve(root, { keep: right.version }),
    (a: ItemMember) => a.resolve(root, { content: contentOf('right') }),
    (a: ItemMember) => a.put(root, 'right', { merge: true }),
  ]) {
    const { a, b, right } = splitInTwo()
    choose(a, right)
    exchange([a, b])
    expect(b.live()).toEqual({ report: 'right' })
  }
})

test('a write on a split item concurrent with the resolution survives as that item', () => {
  const { a, b } = splitInTwo()
  const id = idOf(a, 'left')
  a.resolve(root, { content: contentOf('both') })
  b.put(id, 'left edited')
  exchange([a, b])
  expect(a.live()).toEqual({ report: 'both', [id]: 'left edited' })
  expect(viewText(b.view())).toBe(viewText(a.view()))
})

test('a write on the old id beside the resolution splits anew: merge and write', () => {
  const { a, b } = splitInTwo()
  const [late] = membersOf(root, ['late']) as [ItemMember]
  late.take([...a.facts.values()].filter(fact => fact.version !== rightVersion(a)))
  late.put(root, 'late')
  a.resolve(root, { content: contentOf('both') })
  exchange([a, b, late])
  expect(Object.values(a.live()).sort()).toEqual(['both', 'late'])
  const [collision] = collisionsOf(a.view())
  expect(collision?.branches.map(branch => branch.fact.description).sort()).toEqual([
    'both',
    'late',
  ])
  b.resolve(root, { keep: idOf(b, 'late') })
  exchange([a, b, late])
  expect(late.live()).toEqual({ report: 'late' })
})

test('two resolutions made apart collide, unless they chose alike', () => {
  const apart = splitInTwo()
  apart.a.resolve(root, { content: contentOf('A') })
  apart.b.resolve(root, { content: contentOf('B') })
  exchange([apart.a, apart.b])
  expect(Object.values(apart.a.live()).sort()).toEqual(['A', 'B'])
  const alike = splitInTwo()
  alike.a.resolve(root, { keep: idOf(alike.a, 'left') })
  alike.b.resolve(root, { keep: idOf(alike.b, 'left') })
  exchange([alike.a, alike.b])
  expect(alike.a.live()).toEqual({ report: 'left' })
})
