/**
 * What a base yields is worked out from the recent past of its heads alone (`recentPast`): random
 * chains show that nothing which is told of heads depends on what lies below it.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/base/fact.ts'
import { hashText } from '../../../src/base/hash.ts'
import {
  branchesOf,
  type Chain,
  chainOf,
  type Node,
  realNode,
  recentPast,
  withAncestors,
} from '../../../src/consensus/items/chain.ts'
import { nameBranches } from '../../../src/consensus/items/name.ts'
import { ItemMember } from './members.ts'

/** Each version picks some of those before it as its parents; none: a first version. */
const shape = fc.array(
  fc.record({
    back: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    text: fc.nat(4),
  }),
  { minLength: 2, maxLength: 40 },
)

const template = new ItemMember('m', 'report').put('report', 'first')

function chainFrom(steps: readonly { back: readonly number[]; text: number }[]): Chain {
  const nodes: Node[] = []
  for (const [at, { back, text }] of steps.entries()) {
    const parents = new Set(back.filter(by => by <= at).map(by => nodes[at - by]!.version))
    const fact: Fact = {
      ...template,
      version: hashText(`version ${at}`),
      parents: [...parents].sort(),
      dataHash: hashText(`data ${text}`),
    }
    nodes.push(realNode(fact))
  }
  return chainOf(nodes)
}

/** All that is told of the heads of a chain. */
function told(chain: Chain) {
  const branches = branchesOf(chain.heads)
  const named = branches.length < 2 ? [] : nameBranches('report', chain, branches)
  return {
    heads: chain.heads.map(head => head.version),
    branches: branches.map(branch => branch.heads.map(head => head.version)),
    named: named.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ version, parents, fact, origins }) => ({
        version,
        parents,
        data: fact.dataHash,
        origins: origins.map(origin => [origin.id, origin.node.version, origin.node.parents]),
      })),
    })),
  }
}

describe('the recent past of heads', () => {
  it('tells of them all that their whole past tells', () => {
    let pruned = 0
    fc.assert(
      fc.property(shape, fc.array(fc.nat(39), { minLength: 2, maxLength: 5 }), (steps, picks) => {
        const chain = chainFrom(steps)
        const versions = picks.map(pick => hashText(`version ${pick % steps.length}`))
        const whole = withAncestors(chain, versions)
        const recent = recentPast(chain, versions)
        if (recent.length < whole.size) pruned += 1
        const past = chainOf([...whole].map(version => chain.nodes.get(version)!))
        expect(told(chainOf(recent))).toEqual(told(past))
      }),
      { numRuns: 2000 },
    )
    expect(pruned).toBeGreaterThan(100)
  })

  it('of an item that was split and merged again and again ends at its last merge', () => {
    const [a, b] = [new ItemMember('a', 'report'), new ItemMember('b', 'report')]
    a.put('report', 'first')
    for (let time = 0; time < 12; time++) {
      b.takeAll(a)
      a.put('report', `a ${time}`)
      b.put('report', `b ${time}`)
      a.takeAll(b)
      const place = a.view().places.get('report')
      if (place?.kind !== 'split') throw new Error('two writes apart make a split')
      const heads = place.heads.map(head => head.version)
      expect(recentPast(place.chain, heads).length).toBe(3)
      for (const id of place.ids) a.put(id, `on ${id} ${time}`)
      a.resolve('report', { keep: place.ids[0]! })
    }
    expect(a.view().family.refused).toEqual([])
  })
})
