/** The leaves of an item above a cut: those of every moment, without making each of them anew. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fact, HeldFact } from '../../../src/base/fact.ts'
import { hashText } from '../../../src/base/hash.ts'
import { type Stamp, stampOf } from '../../../src/base/stamp.ts'
import { leafWhere, summarise } from '../../../src/consensus/items/digest.ts'
import { Digests } from '../../../src/consensus/items/digests.ts'
import { type Growth, growthOf } from '../../../src/consensus/items/growth.ts'
import { versionOf } from '../../../src/consensus/items/version.ts'
import { chain, nextFact } from '../../support/facts.ts'

/** The same by its definition: the leaf of each moment from all facts. */
function naively(facts: readonly HeldFact[], cut: Stamp): Growth {
  const upTo = (limit: Stamp) =>
    leafWhere(facts, ({ state }) => state.kind === 'agreed' && state.added <= limit)
  const later = new Set<Stamp>()
  for (const { state } of facts) {
    if (state.kind === 'agreed' && state.added > cut) later.add(state.added)
  }
  const states = [...later].sort().map(added => ({ added, leaf: upTo(added)! }))
  return { settled: upTo(cut), states }
}

/** Facts of one item with any parents before them, some of which are not held, added any time. */
const histories = fc
  .array(
    fc.record({
      parents: fc.array(fc.nat(30), { maxLength: 3 }),
      held: fc.integer({ min: 0, max: 5 }).map(n => n > 0),
      addedMs: fc.integer({ min: 0, max: 12 }),
      pending: fc.integer({ min: 0, max: 5 }).map(n => n === 0),
    }),
    { maxLength: 25 },
  )
  .map(drawn => {
    const made: Fact[] = []
    const held: HeldFact[] = []
    for (const [at, one] of drawn.entries()) {
      const like = nextFact('item', undefined, `${at}`)
      const before = made.length === 0 ? [] : one.parents.map(n => made[n % made.length]!.version)
      const parents = [...new Set(before)].sort()
      const version = versionOf('item', parents, hashText(`${at}`))
      const fact = { ...like, parents, version }
      made.push(fact)
      if (!one.held) continue
      const state = one.pending
        ? ({ kind: 'pending', order: at, fresh: false } as const)
        : ({ kind: 'agreed', added: stampOf(one.addedMs) } as const)
      held.push({ fact, state })
    }
    return held
  })

/** One of the facts has another stamp, and all that descends from it another digest. */
function stamped(facts: readonly HeldFact[], at: number): HeldFact[] {
  return facts.map((held, place) =>
    place === at ? { ...held, fact: { ...held.fact, at: stampOf(99_999) } } : held,
  )
}

describe('the growth of an item', () => {
  it('is that of every moment taken by itself, whatever the order of adding', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 12 }), (facts, cutMs) => {
        expect(growthOf(facts, stampOf(cutMs))).toEqual(naively(facts, stampOf(cutMs)))
      }),
      { numRuns: 500 },
    )
  })

  it('is the same with digests kept from before, with other facts and other stamps held', () => {
    fc.assert(
      fc.property(histories, fc.nat(25), fc.nat(25), (facts, without, restamped) => {
        const digests = new Digests()
        const cut = stampOf(6)
        for (const held of [facts, facts.toSpliced(without, 1), facts, stamped(facts, restamped)]) {
          expect(growthOf(held, cut, digests.of)).toEqual(growthOf(held, cut))
          if (held.length === 0) continue
          expect(summarise('item', held, digests.of)).toEqual(summarise('item', held))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('digests each fact of a chain once', () => {
    const facts = chain('item', 3000)
    const held = facts.map((fact, at) => ({
      fact,
      state: { kind: 'agreed', added: stampOf(at) } as const,
    }))
    const begun = performance.now()
    const { states } = growthOf(held, stampOf(1999))
    expect(states.length).toBe(1000)
    // Taking each moment by itself digests 2.5 million facts: some 15 s.
    expect(performance.now() - begun).toBeLessThan(2000)
  })
})
