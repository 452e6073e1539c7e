/**
 * What the ledger asks the store before it works on an item: nothing where the trees tell that the
 * item is new, and everything that is held where it is not.
 */
import { describe, expect, it } from 'vitest'
import type { ItemId } from '../../../src/base/fact.ts'
import type { Store } from '../../../src/storage/store.ts'
import { Lone } from '../../support/lone-member.ts'

/** Notes which summaries are read. */
function watchReads(store: Store): ItemId[] {
  const asked: ItemId[] = []
  const items = store.items.bind(store)
  store.items = ids => {
    asked.push(...ids)
    return items(ids)
  }
  return asked
}

describe('an item that is written', () => {
  it('is not looked for in the store while it is new', async () => {
    const lone = await (await Lone.open()).start()
    const asked = watchReads(lone.store)
    await lone.put('new', 'one')
    await lone.put('new', 'two')
    expect(asked).toEqual([])
  })

  it('is read where a tree has it, below the cut and above, and its versions go on', async () => {
    const lone = await (await Lone.open()).start()
    const first = (await lone.put('old', 'one')).fact
    for (const passed of [0, 5000]) {
      await lone.clock.pass(passed)
      lone.member.ledger.cache.clear()
      const asked = watchReads(lone.store)
      const next = (await lone.put('old', `after ${passed}`)).fact
      expect(asked).toEqual(['old'])
      expect(next.parents).toHaveLength(1)
    }
    const held = await lone.store.factsOf('old')
    expect(held.map(({ fact }) => fact.version)).toContain(first.version)
    expect((await lone.store.items(['old']))[0]).toMatchObject({ facts: 3, unrooted: 0 })
  })

  it('is read while anything is pending, which no tree has', async () => {
    const author = await Lone.open({ others: ['b'] })
    const first = (await author.put('alone', 'one')).fact
    expect(author.member.agreement.source).toBe(null)
    author.member.ledger.cache.clear()
    const next = (await author.put('alone', 'two')).fact
    expect(next.parents).toEqual([first.version])
  })
})
