import { expect, test } from 'vitest'
import type { Fact } from '../../../src/base/fact.ts'
import { encodeFact } from '../../../src/base/fact-codec.ts'
import { limits } from '../../../src/base/limits.ts'
import { checkFact } from '../../../src/consensus/items/check.ts'
import { normaliseProperties } from '../../../src/consensus/items/properties.ts'
import {
  type CustomPolicy,
  findItem,
  historyOf,
  type Policy,
} from '../../../src/consensus/items/view.ts'
import { contentOf, exchange, type ItemMember, membersOf } from './members.ts'

const root = 'report'
const content = contentOf('next')

function splitInTwo(policy?: Policy) {
  const [a, b] = membersOf(root, ['a', 'b'], policy) as [ItemMember, ItemMember]
  a.put(root, 'common')
  exchange([a, b])
  a.put(root, 'left')
  b.put(root, 'right')
  exchange([a, b])
  return { a, b }
}

test('S003-1: an item shows id, data hash, version and size; the next chains on it', () => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  const first = a.put(root, 'four')
  expect(first).toMatchObject({ id: root, size: 4, parents: [], by: 'a' })
  const second = a.put(root, 'five!')
  expect(second.parents).toEqual([first.version])
  const found = findItem(a.view(), root)
  expect(found.kind === 'item' && found.item.position).toBe(2)
  expect(found.kind === 'item' && historyOf(found.item).map(node => node.version)).toEqual([
    second.version,
    first.version,
  ])
})

test('S003-4: links are part of the version, and a dangling one blocks nothing', () => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  const [b] = membersOf(root, ['b']) as [ItemMember]
  const linked = normaliseProperties({ dependsOn: ['not/here', 'a', 'a'] })
  if (!linked.ok) throw new Error(linked.sentence)
  expect(linked.properties.dependsOn).toEqual(['a', 'not/here'])
  const plan = a.plan(root, { content: { ...content, ...linked.properties } })
  const plain = b.plan(root, { content })
  expect(plan.ok && plain.ok && plan.facts[0].version !== plain.facts[0].version).toBe(true)
})

test('the same content put again is a new version with the former one as parent', () => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  const first = a.put(root, 'same')
  const second = a.put(root, 'same')
  expect(second.dataHash).toBe(first.dataHash)
  expect(second.parents).toEqual([first.version])
})

test('a conditional write fails cleanly when the head is another, and says which', () => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  const first = a.put(root, 'one', { ifVersion: null })
  const second = a.put(root, 'two', { ifVersion: first.version })
  for (const ifVersion of [first.version, null]) {
    const refusal = a.refusal(root, { content, ifVersion })
    expect(refusal).toMatchObject({ code: 'VERSION_MISMATCH', head: second.version })
  }
  const gone = a.remove(root)
  const refusal = a.refusal(root, { content, ifVersion: second.version })
  expect(refusal).toMatchObject({ code: 'VERSION_MISMATCH', head: null })
  expect(a.put(root, 'three', { ifVersion: null }).parents).toEqual([gone.version])
})

test('a write to an id that has split is answered with the new ids', () => {
  const { a } = splitInTwo()
  const ids = Object.keys(a.live())
  for (const request of [{ content }, { content: null }, { content, ifVersion: null }]) {
    expect(a.refusal(root, request)).toMatchObject({ code: 'SPLIT', ids })
  }
})

test('a delete of what is not there, and a write on an unknown split id, are not found', () => {
  const { a } = splitInTwo()
  const free = [...'0123456789abcdef'].map(d => `${root}~${d}`).find(id => a.read(id) === undefined)
  expect(a.refusal(free!, { content }).code).toBe('NOT_FOUND')
  expect(a.refusal(free!, { content: null }).code).toBe('NOT_FOUND')
  const [fresh] = membersOf('new', ['fresh']) as [ItemMember]
  expect(fresh.refusal('new', { content: null }).code).toBe('NOT_FOUND')
  expect(fresh.refusal('new~3', { content }).code).toBe('NOT_FOUND')
  fresh.put('new', 'x')
  fresh.remove('new')
  expect(fresh.refusal('new', { content: null }).code).toBe('NOT_FOUND')
})

test('a split id that was known before a merge came is answered as split', () => {
  const { a, b } = splitInTwo()
  const ids = Object.keys(a.live())
  const [merge] = b.resolve(root, { content })
  a.take([merge!]) // the merge came, the deletes on the split items did not yet
  for (const id of ids)
    expect(a.refusal(id, { content })).toMatchObject({ code: 'SPLIT', ids: [root] })
})

test('resolving what is not in collision, or keeping what is no part of it, is refused', () => {
  const { a } = splitInTwo()
  expect(() => a.resolve(Object.keys(a.live())[0]!, { content })).toThrow('BAD_REQUEST')
  expect(() => a.resolve(`${root}~`, { content })).toThrow('NOT_FOUND')
  expect(() => a.resolve(root, { keep: '0'.repeat(64) })).toThrow('NOT_FOUND')
})

test.each(['a~', '', 'a/../b'])('a write on the id %j is a bad request', id => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  expect(a.refusal(id, { content }).code).toBe('BAD_REQUEST')
})

test('a merge of more heads than a fact can name takes two, and then nothing is left over', () => {
  const count = limits.parentsMax + 5
  const members = membersOf(
    root,
    Array.from({ length: count }, (_, at) => `m${at}`),
  )
  const [a] = members as [ItemMember]
  for (const member of members) a.take([member.put(root, `by ${member.name}`)])
  expect(Object.keys(a.live())).toHaveLength(count)
  expect(a.resolve(root, { content })[0]!.parents).toHaveLength(limits.parentsMax)
  a.resolve(root, { content: contentOf('all') })
  expect(a.live()).toEqual({ [root]: 'all' })
})

test('S003-7: with `latest` the later write is the item, the other its history', () => {
  const { a, b } = splitInTwo({ kind: 'latest' })
  expect(a.live()).toEqual({ report: 'right' })
  expect(b.live()).toEqual(a.live())
  const found = findItem(a.view(), root)
  const texts = found.kind === 'item' ? historyOf(found.item).map(n => n.fact.description) : []
  expect(texts.sort()).toEqual(['common', 'left', 'right'])
  expect(a.put(root, 'next').parents).toHaveLength(2)
})

test('S003-7: a custom policy is asked with base and heads alone, and keeps one or splits', () => {
  const seen: string[][] = []
  const decide: CustomPolicy = (base, heads) => {
    seen.push([...base, ...heads].map(side => side.fact.description))
    const left = heads.find(head => head.fact.description === 'left')
    return left === undefined ? 'split' : { keep: left.version }
  }
  const { a, b } = splitInTwo({ kind: 'custom', decide })
  expect(a.live()).toEqual({ report: 'left' })
  for (const sides of seen) {
    expect(sides[0]).toBe('common')
    expect(sides.slice(1).sort()).toEqual(['left', 'right'])
  }
  a.put(root, 'x')
  b.put(root, 'y')
  exchange([a, b])
  expect(Object.values(a.live()).sort()).toEqual(['x', 'y'])
})

test('properties are brought into one form, whatever order they came in', () => {
  const one = normaliseProperties({
    tags: ['b', 'a', 'b'],
    meta: { b: 1, a: [-0, { d: 1, c: 2 }] },
  })
  const two = normaliseProperties({ tags: ['a', 'b'], meta: { a: [0, { c: 2, d: 1 }], b: 1 } })
  expect(one).toEqual(two)
  expect(JSON.stringify(one)).toBe(JSON.stringify(two))
})

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
const properties: [string, boolean, object][] = [
  ['64 tags', true, { tags: Array.from({ length: 64 }, (_, at) => `t${at}`) }],
  ['65 tags', false, { tags: Array.from({ length: 65 }, (_, at) => `t${at}`) }],
  ['an empty tag', false, { tags: [''] }],
  ['a tag of 256 bytes', true, { tags: ['x'.repeat(256)] }],
  ['a tag of 257 bytes', false, { tags: ['x'.repeat(257)] }],
  ['a description of 8 KiB', true, { description: 'x'.repeat(8192) }],
  ['a description above 8 KiB', false, { description: 'x'.repeat(8193) }],
  ['a media type of 255 bytes', true, { type: 'x'.repeat(255) }],
  ['a media type of 256 bytes', false, { type: 'x'.repeat(256) }],
  ['1,000 links', true, { dependsOn: Array.from({ length: 1000 }, (_, at) => `i${at}`) }],
  ['1,001 links', false, { dependsOn: Array.from({ length: 1001 }, (_, at) => `i${at}`) }],
  ['a link to no id', false, { dependsOn: ['a//b'] }],
  ['metadata 32 deep', true, { meta: nested(32) }],
  ['metadata 33 deep', false, { meta: nested(33) }],
  ['metadata of 16 KiB', true, { meta: 'x'.repeat(16 * 1024 - 3) }],
  ['metadata above 16 KiB', false, { meta: 'x'.repeat(16 * 1024 - 2) }],
  ['metadata that is not JSON', false, { meta: { a: undefined } }],
  ['metadata with NaN', false, { meta: [Number.NaN] }],
  ['metadata with a byte string', false, { meta: new Uint8Array(3) }],
  ['half a surrogate pair', false, { description: '\ud800' }],
  ['half a surrogate pair in a key', false, { meta: { '\ud800': 1 } }],
  ['a key named __proto__', true, { meta: JSON.parse('{"__proto__": 1}') }],
]
test.each(properties)('%s: allowed is %s', (_, ok, given) => {
  expect(normaliseProperties(given).ok).toBe(ok)
})

test('a fact at every limit at once passes the check and fits its encoding', () => {
  const [a] = membersOf(root, ['a']) as [ItemMember]
  const given = normaliseProperties({
    type: 'x'.repeat(255),
    tags: Array.from({ length: 64 }, (_, at) => `${at}`.padStart(256, 't')),
    description: 'x'.repeat(8192),
    meta: 'x'.repeat(16 * 1024 - 3),
    dependsOn: Array.from({ length: 1000 }, (_, at) => `${at}`.padStart(1024, 'i')),
  })
  if (!given.ok) throw new Error(given.sentence)
  const plan = a.plan(root, { content: { ...content, ...given.properties } })
  expect(plan.ok && encodeFact(plan.facts[0]).length).toBeLessThan(limits.factBytesMax - 700_000)
})

const [writer] = membersOf(root, ['w']) as [ItemMember]
const first = writer.put(root, 'x')
const ended = writer.remove(root)
const bad: [string, Fact][] = [
  ['a delete of nothing', { ...ended, parents: [] }],
  ['a delete that holds a size', { ...ended, size: 1 }],
  ['a delete that holds metadata', { ...ended, meta: 1 }],
  ['parents out of order', { ...first, parents: ['b'.repeat(64), 'a'.repeat(64)] }],
  ['a parent twice', { ...first, parents: ['a'.repeat(64), 'a'.repeat(64)] }],
  ['a parent in upper case', { ...first, parents: ['A'.repeat(64)] }],
  ['no stamp', { ...first, at: 'now' }],
  ['no member', { ...first, by: '' }],
  ['a base on a root id', { ...first, base: [{ id: root, heads: [] }] }],
  ['a first version on a split id', { ...first, id: 'report~3' }],
  ['an id that is none', { ...first, id: '../x' }],
]
test.each(bad)('a fact with %s is refused', (_, fact) => {
  expect(checkFact(fact).ok).toBe(false)
})
