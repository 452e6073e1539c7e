import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Fact, FactState, HeldFact, ItemSummary } from '../../../src/base/fact.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { decodeSummary, encodeSummary } from '../../../src/base/summary-codec.ts'
import {
  digestOf,
  extend,
  leafOf,
  leafWhere,
  newestOf,
  summarise,
} from '../../../src/consensus/items/digest.ts'
import { dataHashOf, deletedContent, versionOf } from '../../../src/consensus/items/version.ts'
import { viewFamily, viewSummary } from '../../../src/consensus/items/view.ts'
import { planWrite, planWriteFast } from '../../../src/consensus/items/write.ts'
import { contentOf } from './members.ts'

function factOn(parents: readonly Fact[], text: string | null, at = 1, by = 'm1'): Fact {
  const content = text === null ? deletedContent : contentOf(text)
  const dataHash = dataHashOf(content)
  const sorted = [...new Set(parents.map(parent => parent.version))].sort()
  const version = versionOf('report', sorted, dataHash)
  const stamp = { at: stampOf(at), by }
  return { id: 'report', version, parents: sorted, dataHash, ...content, ...stamp, base: null }
}

const graph = fc.record({
  facts: fc.array(
    fc.record({
      parents: fc.array(fc.nat(30), { maxLength: 3 }),
      fromLast: fc.boolean(),
      text: fc.option(fc.constantFrom('a', 'b', 'c'), { freq: 6 }),
      agreed: fc.boolean(),
      missing: fc.boolean(),
      place: fc.nat(),
    }),
    { minLength: 1, maxLength: 14 },
  ),
  inOrder: fc.boolean(),
  allAgreed: fc.boolean(),
})

/** Held facts of a random graph, in order of arrival; mostly the next fact on the last heads. */
const arrivals = graph.map(({ facts, inOrder, allAgreed }) => {
  const made = new Map<string, { held: HeldFact; place: number; missing: boolean }>()
  const all: Fact[] = []
  facts.forEach((spec, at) => {
    const chosen = spec.fromLast
      ? all.slice(-1)
      : spec.parents.flatMap(parent => (all.length === 0 ? [] : [all[parent % all.length]!]))
    const fact = factOn(chosen, chosen.length === 0 ? (spec.text ?? 'a') : spec.text, at + 1)
    all.push(fact)
    const state: FactState =
      spec.agreed || allAgreed
        ? { kind: 'agreed', added: stampOf(1000 + at) }
        : { kind: 'pending', order: at, fresh: at % 2 === 0 }
    if (!made.has(fact.version)) {
      made.set(fact.version, { held: { fact, state }, place: spec.place, missing: spec.missing })
    }
  })
  const list = [...made.values()].filter(({ missing }) => inOrder || !missing)
  if (!inOrder) list.sort((a, b) => a.place - b.place)
  return list.map(({ held }) => held)
})

test('extending a summary answers what summarising all facts does, wherever it answers', () => {
  let answered = 0
  fc.assert(
    fc.property(arrivals, held => {
      let summary: ItemSummary | undefined
      for (const [at, next] of held.entries()) {
        const full = summarise('report', held.slice(0, at + 1))
        const extended = summary === undefined ? undefined : extend(summary, next)
        if (extended !== undefined) {
          answered++
          expect(extended).toEqual(full)
        }
        summary = full
        expect(decodeSummary(encodeSummary(full), full)).toEqual({ ok: true, value: full })
      }
    }),
    { numRuns: 1000 },
  )
  expect(answered).toBeGreaterThan(1000)
})

test('the next fact of a whole item is always answered from the summary alone', () => {
  let last = factOn([], 'first', 1)
  const held: HeldFact[] = [{ fact: last, state: { kind: 'agreed', added: stampOf(1) } }]
  let summary = summarise('report', held)
  for (let at = 2; at < 50; at++) {
    last = factOn([last], at % 7 === 0 ? null : `text ${at}`, at)
    const next: HeldFact = { fact: last, state: { kind: 'agreed', added: stampOf(at) } }
    held.push(next)
    const extended = extend(summary, next)
    expect(extended).toEqual(summarise('report', held))
    if (extended !== undefined) summary = extended
  }
})

test('the fast view and the fast plan answer what the view of the family does', () => {
  fc.assert(
    fc.property(arrivals, fc.boolean(), fc.nat(3), (held, isDelete, condition) => {
      fc.pre(held.length > 0)
      const summary = summarise('report', held)
      const view = viewFamily(
        'report',
        held.map(({ fact }) => fact),
      )
      const place = view.places.get('report')
      const fast = viewSummary('report', summary)
      if (fast?.kind === 'item') {
        expect(place?.kind === 'item' && place.shown.version).toBe(fast.shown.version)
        expect(place?.kind === 'item' && place.position).toBe(fast.shown.position)
      }
      if (fast?.kind === 'absent') expect(place).toBeUndefined()
      if (fast === undefined) expect(place?.kind).toBe('split')
      const ifVersion = [undefined, null, held[0]!.fact.version, held.at(-1)!.fact.version][
        condition
      ]
      const request = {
        content: isDelete ? null : contentOf('next'),
        ...(ifVersion === undefined ? {} : { ifVersion }),
      }
      const stamp = { at: stampOf(5000), by: 'm2' }
      const plan = planWriteFast('report', summary, request, stamp)
      if (plan !== undefined) expect(plan).toEqual(planWrite(view, 'report', request, stamp))
      else expect(place?.kind).toBe('split')
    }),
    { numRuns: 500 },
  )
})

test('the leaf at a cut is computed from the facts of that set alone', () => {
  fc.assert(
    fc.property(arrivals, fc.nat(16), (held, cut) => {
      const limit = stampOf(1000 + cut)
      const isIn = ({ state }: HeldFact) => state.kind === 'agreed' && state.added <= limit
      const alone = held.filter(isIn)
      const leaf = leafWhere(held, isIn)
      expect(leaf).toBe(alone.length === 0 ? null : leafOf(summarise('x', alone).agreed!.newest))
    }),
  )
})

test('a stamp that differs anywhere in a chain changes the leaf', () => {
  const a = factOn([], 'a', 1)
  const b = factOn([a], 'b', 2)
  const c = factOn([b], 'c', 3)
  const leaf = (facts: readonly Fact[]) =>
    leafOf(newestOf(facts.map(fact => ({ fact, state: { kind: 'agreed', added: stampOf(9) } }))))
  const leaves = [
    leaf([a, b, c]),
    leaf([{ ...a, at: stampOf(7) }, b, c]),
    leaf([{ ...a, by: 'm2' }, b, c]),
    leaf([b, c]),
    leaf([a, c]),
    leaf([a, b]),
    leaf([c]),
  ]
  expect(new Set(leaves).size).toBe(leaves.length)
  expect(leaf([c, a, b])).toBe(leaves[0])
})

test('what a member is called cannot be moved into the digest of a parent', () => {
  const fact = factOn([], 'a', 1, 'm')
  const longer = { ...fact, by: `m${'\u0000'.repeat(32)}` }
  expect(digestOf(longer, [])).not.toBe(digestOf(fact, ['0'.repeat(64)]))
})

test('a change of `added` changes no leaf: it serves the cut only', () => {
  const fact = factOn([], 'a')
  const at = (added: string): HeldFact[] => [{ fact, state: { kind: 'agreed', added } }]
  expect(leafWhere(at(stampOf(1)), () => true)).toBe(leafWhere(at(stampOf(2)), () => true))
})
