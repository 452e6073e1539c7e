import { expect, test } from 'vitest'
import type { ItemId } from '../../../src/base/fact.ts'
import { hashText } from '../../../src/base/hash.ts'
import { summarise } from '../../../src/consensus/items/digest.ts'
import { isBelow } from '../../../src/consensus/items/id.ts'
import { collisionsOf, itemsOf, viewFamily } from '../../../src/consensus/items/view.ts'
import {
  agreed,
  exchange,
  type ItemMember,
  idOf,
  membersOf,
  rightVersion,
  splitInTwo,
  viewText,
} from './members.ts'

const root = 'report'

function leaves(member: ItemMember) {
  const byId = Map.groupBy(agreed(member.facts.values()), held => held.fact.id)
  return [...byId].map(([id, held]) => summarise(id, held).agreed?.newest).sort()
}

test('S003-6: two stores that split alone show the same two items and hold the same leaf', () => {
  const { a, b, left, right } = splitInTwo()
  let place = 0
  while (left.version[place] === right.version[place]) place++
  const names = [`report~${left.version[place]}`, `report~${right.version[place]}`]
  expect(a.live()).toEqual({ [names[0]!]: 'left', [names[1]!]: 'right' })
  expect(viewText(b.view())).toBe(viewText(a.view()))
  expect(leaves(b)).toEqual(leaves(a))
  expect(a.facts.size).toBe(3) // the split itself made no fact: there is nothing to send
})

test('S003-6: the new elements begin with hash(newId + dataHash)', () => {
  const { a, left } = splitInTwo()
  const item = itemsOf(a.view()).find(one => one.shown.fact.version === left.version)!
  expect(item.shown.version).toBe(hashText(item.id + left.dataHash))
  expect(item.position).toBe(1)
})

test('S003-5: a collision is told with both versions, alike on every store', () => {
  const { a, b, left, right } = splitInTwo()
  const [collision, ...more] = collisionsOf(a.view())
  expect(more).toEqual([])
  expect(collision?.id).toBe(root)
  const versions = collision?.branches.map(branch => branch.fact.version).sort()
  expect(versions).toEqual([left.version, right.version].sort())
  expect(collisionsOf(b.view())).toEqual(collisionsOf(a.view()))
})

test('the same bytes put by two members onto one parent are one version and no collision', () => {
  const [a, b] = membersOf(root, ['a', 'b']) as [ItemMember, ItemMember]
  a.put(root, 'common')
  exchange([a, b])
  expect(a.put(root, 'same').version).toBe(b.put(root, 'same').version)
  exchange([a, b])
  expect(a.live()).toEqual({ report: 'same' })
})

test('heads with equal content are one branch, joined by the next write', () => {
  const { a, b } = splitInTwo()
  const [c, d] = [...membersOf(root, ['c', 'd'])] as [ItemMember, ItemMember]
  c.put(root, 'same')
  d.put(root, 'other')
  d.put(root, 'same')
  exchange([c, d])
  expect(c.live()).toEqual({ report: 'same' })
  expect(c.put(root, 'next').parents).toHaveLength(2)
  expect([a.live(), b.live()].map(live => Object.keys(live).length)).toEqual([2, 2])
})

test('S003-33: a delete is not undone by a member that missed it', () => {
  const [a, b] = membersOf(root, ['a', 'b']) as [ItemMember, ItemMember]
  a.put(root, 'one')
  exchange([a, b])
  a.remove(root)
  exchange([a, b])
  expect(b.read(root)).toBeUndefined()
  expect(b.live()).toEqual({})
  expect(b.put(root, 'again').parents).toHaveLength(1)
  expect(b.read(root)).toBe('again')
})

test('S003-33: an edit concurrent with a delete survives it', () => {
  const [a, b] = membersOf(root, ['a', 'b']) as [ItemMember, ItemMember]
  a.put(root, 'one')
  exchange([a, b])
  a.remove(root)
  b.put(root, 'edited')
  exchange([a, b])
  expect(a.live()).toEqual({ report: 'edited' })
  expect(collisionsOf(a.view())).toEqual([])
  expect(a.put(root, 'next').parents).toHaveLength(2)
})

test('S003-33: deleting a split item ends that branch only', () => {
  const { a, b } = splitInTwo()
  const left = idOf(a, 'left')
  a.remove(left)
  exchange([a, b])
  expect(Object.values(b.live())).toEqual(['right'])
  expect(collisionsOf(b.view())).toEqual([])
  expect(b.read(left)).toBeUndefined()
  expect(b.read(root)).toEqual([idOf(b, 'right')])
})

test('when every split item was deleted the old id is free again, and no head stays behind', () => {
  const { a } = splitInTwo()
  a.remove(idOf(a, 'left'))
  a.remove(idOf(a, 'right'))
  expect(a.refusal(root, { content: null }).code).toBe('NOT_FOUND')
  expect(a.put(root, 'new').parents).toHaveLength(2)
  expect(a.live()).toEqual({ report: 'new' })
})

test('a late fact on the old id extends the right split item, beside what users wrote', () => {
  const { a, b, left } = splitInTwo()
  const [late] = membersOf(root, ['late'], undefined) as [ItemMember]
  late.take([...a.facts.values()].filter(fact => fact.version !== rightVersion(a)))
  expect(late.live()).toEqual({ report: 'left' })
  late.put(root, 'left, and more')
  const id = idOf(a, 'left')
  expect(a.put(idOf(a, 'right'), 'right edited').base).toEqual([
    { id: root, heads: [left.version, rightVersion(a)].sort() },
  ])
  exchange([a, b, late])
  expect(a.read(id)).toBe('left, and more')
  expect(Object.values(a.live()).sort()).toEqual(['left, and more', 'right edited'])
  expect(viewText(late.view())).toBe(viewText(a.view()))
})

test('a late fact on the old id and a write on its split item collide below that item', () => {
  const { a, b } = splitInTwo()
  const [late] = membersOf(root, ['late']) as [ItemMember]
  late.take([...a.facts.values()].filter(fact => fact.version !== rightVersion(a)))
  late.put(root, 'late')
  const id = idOf(a, 'left')
  a.put(id, 'edited')
  exchange([a, b, late])
  expect(idOf(a, 'late')).toMatch(new RegExp(`^${id}~[0-9a-f]$`))
  expect(idOf(a, 'edited')).toMatch(new RegExp(`^${id}~[0-9a-f]$`))
  expect(a.read(id)).toEqual([idOf(a, 'edited'), idOf(a, 'late')].sort())
  expect(collisionsOf(a.view()).map(collision => collision.id)).toEqual([root, id])
  // and users write on below: such a fact names the heads of both ids on its path
  const deeper = b.put(idOf(b, 'late'), 'late, edited')
  expect(deeper.base?.map(entry => entry.id)).toEqual([root, id])
  exchange([a, b, late])
  expect(Object.values(late.live()).sort()).toEqual(['edited', 'late, edited', 'right'])
})

test('a third head that changes the naming leaves what users wrote where they wrote it', () => {
  const names = Array.from({ length: 24 }, (_, at) => `m${at}`)
  const [a, ...others] = membersOf(root, names) as [ItemMember, ...ItemMember[]]
  a.put(root, 'common')
  for (const other of others) other.takeAll(a)
  a.put(root, 'mine')
  let edited: ItemId | undefined
  for (const [at, other] of others.entries()) {
    other.put(root, `text ${at}`)
    if (at === 2) {
      exchange([a, ...others.slice(0, 3)])
      edited = idOf(a, 'mine')
      a.put(edited, 'mine, edited')
    }
  }
  exchange([a, ...others])
  expect(a.read(edited!)).toBe('mine, edited')
  const live = Object.values(a.live())
  expect(live.sort()).toEqual(['mine, edited', ...others.map((_, at) => `text ${at}`)].sort())
})

test('an item that was deleted does not come back when a third head changes the naming', () => {
  for (let attempt = 0; attempt < 40; attempt++) {
    const { a, b } = splitInTwo()
    const [c] = membersOf(root, ['c']) as [ItemMember]
    c.put(root, `apart ${attempt}`) // its own first version: all own(h) now begin at `common`
    a.remove(idOf(a, 'left'))
    exchange([a, b, c])
    expect(Object.values(a.live()).sort()).toEqual([`apart ${attempt}`, 'right'])
  }
})

test('a name with tildes splits below its doubled tildes', () => {
  const { a } = splitInTwo('a~~b~~')
  for (const id of Object.keys(a.live())) {
    expect(isBelow(id, 'a~~b~~')).toBe(true)
    expect(id).toMatch(/^a~~b~~~[0-9a-f]$/)
  }
})

test('a fact that waits for its base is invisible, and the heads of the base are asked for', () => {
  const { a, left } = splitInTwo()
  const id = idOf(a, 'left')
  const written = a.put(id, 'edited')
  const held = [...a.facts.values()].filter(fact => fact.version !== left.version)
  const view = viewFamily(root, held)
  expect(view.family.unrooted).toEqual([written])
  expect(view.family.missing).toEqual([{ id: root, version: left.version }])
  expect(itemsOf(view).map(item => item.id)).toEqual([root])
})

test('a fact whose base yields other ids or other parents is refused', () => {
  const { a, left, right } = splitInTwo()
  const id = idOf(a, 'left')
  const written = a.put(id, 'edited')
  const [c] = membersOf(root, ['c']) as [ItemMember]
  c.takeAll(a)
  const elsewhere = [...'0123456789abcdef'].map(digit => `${root}~${digit}`)
  const free = elsewhere.find(other => !a.view().places.has(other))!
  for (const forged of [
    { ...written, id: free },
    { ...written, id: idOf(a, 'right') },
    { ...written, base: [{ id: root, heads: [left.version, left.parents[0]!].sort() }] },
    { ...written, parents: [right.version] },
  ]) {
    const view = viewFamily(root, [...c.facts.values(), forged])
    const isHeldUnder = view.family.refused.map(({ fact }) => fact)
    expect(isHeldUnder).toEqual([forged])
    if (forged.id === written.id) continue
    expect(viewText(view).replace(/refused.*/, '')).toBe(
      viewText(c.view()).replace(/refused.*/, ''),
    )
  }
})
