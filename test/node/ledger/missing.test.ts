/** What is asked for because facts here wait for it: facts that somebody holds, and all of them. */
import { describe, expect, it } from 'vitest'
import { type Fact, type FactRef, refKey } from '../../../src/base/fact.ts'
import { STAMP_ZERO } from '../../../src/base/stamp.ts'
import { viewFamily } from '../../../src/consensus/items/view.ts'
import { ItemMember } from '../../consensus/items/members.ts'
import { openLedger } from '../../support/lone-ledger.ts'

const from = { from: 'b', stampRule: 'smaller' } as const

/**
 * An item that split, whose one branch was written on under its new id while the old id went on, so
 * that it split again: the last fact names a head that is derived, and one that is a fact.
 */
function twiceSplit(): { readonly all: readonly Fact[]; readonly last: Fact } {
  const a = new ItemMember('a', 'report')
  const b = new ItemMember('b', 'report')
  a.put('report', 'one')
  b.put('report', 'two')
  const both = new ItemMember('c', 'report')
  both.take([...a.facts.values(), ...b.facts.values()])
  const branch = idShowing(both, 'one')
  both.put(branch, 'on the branch')
  a.put('report', 'on the old id')
  both.take(a.facts.values())
  const deeper = idShowing(both, 'on the old id')
  const before = new Set(both.facts.keys())
  both.put(deeper, 'deeper')
  const all = [...both.facts.values()]
  return { all, last: all.find(fact => !before.has(refKey(fact)))! }
}

function idShowing(member: ItemMember, text: string): string {
  const found = Object.entries(member.live()).find(([, shown]) => shown === text)
  if (found === undefined) throw new Error(`nothing shows ${text}`)
  return found[0]
}

describe('a fact on a split item whose base is not here', () => {
  it('makes its heads asked for, down to the last, and nothing that nobody can hold', async () => {
    const { all, last } = twiceSplit()
    expect(last.base?.length).toBe(2)
    const { ledger, host } = await openLedger()
    const here = new Map(all.map(fact => [refKey(fact), fact]))
    const asked = await fetchAll(last, here, async fact => {
      await ledger.receive([{ fact, payload: null, added: STAMP_ZERO }], from)
      return host.takeMissing()
    })
    expect(asked.filter(key => !here.has(key))).toEqual([])
    expect(new Set([...asked, refKey(last)])).toEqual(new Set(here.keys()))
    expect(viewFamily('report', all).family.missing).toEqual([])
    expect(ledger.waitingFamilies.size).toBe(0)
  })

  it('makes its heads asked for after a restart', async () => {
    const { all, last } = twiceSplit()
    const { ledger, store } = await openLedger()
    await ledger.receive([{ fact: last, payload: null, added: STAMP_ZERO }], from)
    const { rebuilt } = await openLedger(store)
    const heads = last.base![0]!.heads.map(version => ({ id: 'report', version }))
    expect(rebuilt.missing.map(refKey).sort()).toEqual(heads.map(refKey).sort())
    expect(rebuilt.waitingFamilies).toEqual(['report'])
    expect(all.length).toBeGreaterThan(heads.length)
  })
})

/** Takes a fact and then all that is asked for, as long as something new is; answers its names. */
async function fetchAll(
  first: Fact,
  here: ReadonlyMap<string, Fact>,
  take: (fact: Fact) => Promise<readonly FactRef[]>,
): Promise<string[]> {
  const asked: string[] = []
  const next = [first]
  for (let fact = next.shift(); fact !== undefined; fact = next.shift()) {
    for (const key of (await take(fact)).map(refKey)) {
      if (asked.includes(key)) continue
      asked.push(key)
      const found = here.get(key)
      if (found !== undefined) next.push(found)
    }
  }
  return asked
}
