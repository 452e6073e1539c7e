/** The facts of many items: the same as one by one, in few rounds of reading. */
import { expect, it } from 'vitest'
import { heldFacts } from '../../../src/node/driver/held-facts.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { Lone } from '../../support/lone-member.ts'

/** Items with one fact, one with three, and what reading them asks of the store. */
async function filled() {
  const store = new MemoryStore()
  const lone = await (await Lone.open({ store })).start()
  for (const id of ['a', 'b', 'c']) await lone.put(id, `text of ${id}`)
  for (const text of ['one', 'two', 'three']) await lone.put('old', text)
  await lone.member.ledger.durable()
  const asked: string[] = []
  for (const name of ['items', 'facts', 'factsOf'] as const) {
    const read = store[name].bind(store) as (of: never) => Promise<never>
    Object.assign(store, {
      [name]: (of: never) => {
        asked.push(name)
        return read(of)
      },
    })
  }
  return { store, asked }
}

it('reads items of one fact together, and an item with a history by itself', async () => {
  const { store, asked } = await filled()
  const ids = ['a', undefined, 'old', 'b', 'nowhere', 'c']
  const found = await heldFacts(store, ids)
  expect(asked.sort()).toEqual(['facts', 'factsOf', 'factsOf', 'items']) // 'nowhere' has no summary
  expect(found.map(facts => facts.length)).toEqual([1, 0, 3, 1, 0, 1])
  for (const [at, id] of ids.entries()) {
    const one = id === undefined ? [] : await store.factsOf(id)
    expect(new Set(found[at])).toEqual(new Set(one))
  }
})

it('believes the facts where a summary is gone', async () => {
  const { store } = await filled()
  const items = store.items.bind(store)
  store.items = async ids => (await items(ids)).map(held => (held?.id === 'a' ? undefined : held))
  expect((await heldFacts(store, ['a', 'b'])).map(facts => facts.length)).toEqual([1, 1])
})

it('reads as many items as fit, at least one', async () => {
  const { store } = await filled()
  const items = store.items.bind(store)
  store.items = async ids => (await items(ids)).map(held => held && { ...held, facts: 3000 })
  expect(await heldFacts(store, ['a', 'b', 'c'])).toHaveLength(1)
  expect(await heldFacts(store, [undefined, 'b', 'c'])).toHaveLength(2)
})
