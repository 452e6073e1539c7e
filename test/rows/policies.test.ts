/** What becomes of a collision, by policy: the same at everybody, whatever came first. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ItemId } from '../../src/base/fact.ts'
import { splitPolicy } from '../../src/consensus/items/policy.ts'
import {
  type CustomPolicy,
  itemsOf,
  type Policy,
  viewFamily,
} from '../../src/consensus/items/view.ts'
import { createService } from '../../src/node/service/service.ts'
import { viewText } from '../consensus/items/members.ts'
import { Lone } from '../support/lone-member.ts'
import { take, versionOn } from '../support/received.ts'

/** Keeps the largest, by content alone. */
const largest: CustomPolicy = (_base, heads) => {
  const sorted = heads.toSorted(
    (a, b) => b.fact.size - a.fact.size || (a.version < b.version ? -1 : 1),
  )
  return { keep: sorted[0]!.version }
}

const policies: Readonly<Record<string, Policy>> = {
  split: splitPolicy,
  latest: { kind: 'latest' },
  custom: { kind: 'custom', decide: largest },
}

describe('every policy', () => {
  const heads = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), {
    minLength: 2,
    maxLength: 6,
  })
  for (const [name, policy] of Object.entries(policies)) {
    it(`S003-7: ${name} is a function of base and heads, in any order of arrival`, () => {
      fc.assert(
        fc.property(heads, fc.infiniteStream(fc.nat()), (texts, chance) => {
          const base = versionOn('item', [], 'base', 1)
          const branches = texts.map((text, at) =>
            versionOn('item', [base[0].version], text, at + 2),
          )
          const facts = [base, ...branches].map(([fact]) => fact)
          const expected = viewText(viewFamily('item', facts, policy))
          for (let again = 0; again < 4; again++) {
            const drawn = facts.map(fact => [chance.next().value, fact] as const)
            const other = drawn.sort(([a], [b]) => a - b).map(([, fact]) => fact)
            expect(viewText(viewFamily('item', other, policy))).toBe(expected)
          }
          const items = itemsOf(viewFamily('item', facts, policy))
          expect(items.length).toBe(name === 'split' ? texts.length : 1)
        }),
        { numRuns: 100 },
      )
    })
  }

  it('S003-7: a custom one is given the same base and heads, whatever came first', () => {
    const seen: string[] = []
    const decide: CustomPolicy = (base, heads) => {
      seen.push(JSON.stringify([base, heads]))
      return 'split'
    }
    const base = versionOn('item', [], 'base', 1)
    const [a, b, c] = ['a', 'b', 'c'].map(text => versionOn('item', [base[0].version], text, 2))
    for (const order of [
      [base, a, b, c],
      [c, b, a, base],
      [b, base, c, a],
    ])
      viewFamily(
        'item',
        order.map(one => one![0]),
        { kind: 'custom', decide },
      )
    expect(seen.length).toBeGreaterThan(2)
    expect(new Set(seen).size).toBe(1)
  })
})

it('S003-7: each prefix of ids has its policy at a whole member', async () => {
  const policyOf = (id: ItemId) => policies[id.split('/')[0]!] ?? splitPolicy
  const lone = await Lone.open({ policyOf })
  await lone.start()
  for (const prefix of ['split', 'latest', 'custom', 'other']) {
    const id = `${prefix}/x`
    const base = versionOn(id, [], 'base', 1)
    const long = versionOn(id, [base[0].version], 'the longer text', 2)
    const late = versionOn(id, [base[0].version], 'late', 3)
    await take(lone, [base, late, long])
  }
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  const { items } = await service.list({})
  const sizes = items.map(({ id, size }) => `${id.replace(/~.$/, '~')} ${size}`).sort()
  expect(sizes).toEqual([
    'custom/x 15',
    'latest/x 4',
    ...['other/x~ 15', 'other/x~ 4', 'split/x~ 15', 'split/x~ 4'],
  ])
  const { facts } = await service.history({ id: 'latest/x' })
  expect(facts.map(({ size }) => size).sort()).toEqual([15, 4, 4]) // the loser is in the history
  const { collisions } = await service.collisions()
  expect(collisions.map(({ id }) => id).sort()).toEqual(['other/x', 'split/x'])
})
