/** Random histories of one family: who writes, merges, resolves and takes over what, and when. */
import fc from 'fast-check'
import { itemsOf } from '../../../src/consensus/items/view.ts'
import { planResolve } from '../../../src/consensus/items/write.ts'
import { contentOf, ItemMember } from './members.ts'

/** One step of a random history: who does what to which of the ids that it sees. */
const step = fc.record({
  who: fc.nat(5),
  act: fc.constantFrom('put', 'put', 'put', 'root', 'delete', 'merge', 'resolve', 'sync', 'part'),
  pick: fc.nat(1000),
  text: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  from: fc.nat(5),
})
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

export const history = fc.record({
  members: fc.integer({ min: 2, max: 6 }),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
  shuffle: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
})

export function run(members: readonly ItemMember[], steps: readonly Step[]): void {
  for (const { who, act, pick, text, from } of steps) {
    const member = members[who % members.length]!
    const view = member.view()
    const ids = itemsOf(view).map(item => item.id)
    const id = act === 'root' || ids.length === 0 ? 'report' : ids[pick % ids.length]!
    const stamp = { at: (1_000_000 + pick).toString(16).padStart(16, '0'), by: member.name }
    if (act === 'sync') {
      member.takeAll(members[from % members.length]!)
    } else if (act === 'part') {
      const theirs = [...members[from % members.length]!.facts.values()]
      member.take(theirs.filter((_, at) => (pick >> (at % 10)) & 1))
    } else if (act === 'resolve') {
      const splits = [...view.places.values()].filter(place => place.kind === 'split')
      const place = splits[pick % Math.max(1, splits.length)]
      if (place === undefined) continue
      const kept = itemsOf(view).find(item => !item.deleted && item.id.startsWith(`${place.id}~`))
      const choice =
        pick % 2 === 0 && kept !== undefined ? { keep: kept.id } : { content: contentOf(text) }
      if (!member.tryPlan(planResolve(view, place.id, choice, stamp))) throw new Error('refused')
    } else {
      const content = act === 'delete' ? null : contentOf(text)
      member.tryPlan(member.plan(id, { content, merge: act === 'merge' }))
    }
  }
}

export function union(members: readonly ItemMember[]): ItemMember {
  const all = new ItemMember('all', 'report')
  for (const member of members) all.takeAll(member)
  return all
}

/** A deterministic shuffle from a few numbers. */
export function shuffled<T>(list: readonly T[], seed: readonly number[]): T[] {
  const out = [...list]
  let state = seed.reduce((sum, n) => (sum * 31 + n) >>> 0, 7)
  for (let at = out.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const other = state % (at + 1)
    ;[out[at], out[other]] = [out[other]!, out[at]!]
  }
  return out
}
