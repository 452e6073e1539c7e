/** What is kept of a family between two looks changes nothing of what either tells. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Fact } from '../../../src/base/fact.ts'
import { STAMP_ZERO } from '../../../src/base/stamp.ts'
import type { Node } from '../../../src/consensus/items/chain.ts'
import { Families } from '../../../src/consensus/items/families.ts'
import { type FamilyView, splitPolicy, viewFamily } from '../../../src/consensus/items/view.ts'
import { history, run, shuffled, union } from './histories.ts'
import { membersOf, viewText } from './members.ts'

const names = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']

/** All that can be asked of a view: also whose content each version shows, and what it stands for. */
function wholeText(view: FamilyView): string {
  const lines = [viewText(view)]
  const tell = (id: string, nodes: Iterable<Node>) => {
    const told = [...nodes].map(node => {
      const origins = node.origins.map(origin => `${origin.id} ${textOf(origin.node)}`)
      return `${id} ${textOf(node)} of ${origins.join(', ')}`
    })
    lines.push(...told.sort())
  }
  const { chains, taken } = view.family
  for (const [id, chain] of chains) tell(id, chain.nodes.values())
  for (const place of view.places.values()) {
    if (place.kind !== 'moved') tell(place.id, place.chain.nodes.values())
  }
  const takers = [...taken].map(([key, by]) => `${key} taken by ${[...by].sort().join(',')}`)
  return [...lines, ...takers.sort()].join('\n')
}

function textOf({ version, parents, fact }: Node): string {
  return `${version} on ${parents.join('+')} is ${fact.version} of ${fact.id} ${fact.at} ${fact.by}`
}

test('a family looked at again and again, as facts come, change stamps and go, is that of its facts', () => {
  fc.assert(
    fc.property(history, fc.array(fc.nat(9), { maxLength: 200 }), (drawn, odds) => {
      const members = membersOf('report', names.slice(0, drawn.members))
      run(members, drawn.steps)
      const families = new Families()
      const held: Fact[] = []
      for (const [at, fact] of shuffled(
        [...union(members).facts.values()],
        drawn.shuffle,
      ).entries()) {
        held.push(fact)
        const chosen = (at * 7) % held.length
        const odd = odds[at]
        // As a store reads it anew; with the stamp of another writer; or it is damaged.
        if (odd === 0) held[chosen] = structuredClone(held[chosen]!)
        if (odd === 1) held[chosen] = { ...held[chosen]!, at: STAMP_ZERO }
        if (odd === 2) held.splice(chosen, 1)
        const now = [...held]
        const kept = families.view('report', now, splitPolicy)
        expect(wholeText(kept)).toBe(wholeText(viewFamily('report', now)))
        expect(families.view('report', structuredClone(now), splitPolicy)).toBe(kept)
        expect(families.family('report', now)).toBe(kept.family)
      }
    }),
    { numRuns: 300 },
  )
})
