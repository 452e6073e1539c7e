/**
 * What rotted leaves the trees with whatever touches its item next, also before the item was mended:
 * an election has to hear of it, or what comes again looks like something that the others lack and is
 * set aside (seed 1015947).
 */
import { describe, expect, test } from 'vitest'
import type { Fact } from '../../../src/base/fact.ts'
import type { Hash } from '../../../src/base/hash.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { versionOf } from '../../../src/consensus/items/version.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { BEGIN_MS, foreignFact, Lone } from '../../support/lone-member.ts'

/** A member in an election that holds an item of two versions, the second of which rots. */
async function electing() {
  const store = new MemoryStore()
  const lone = await (await Lone.open({ store })).start()
  const first = (await lone.put('a', 'first')).fact
  const second = (await lone.put('a', 'second')).fact
  await lone.put('b', 'other')
  await lone.clock.pass(5000)
  const { ledger } = lone.member
  lone.member.held.set(true)
  await lone.clock.pass(0)
  expect(ledger.sets.held).not.toBeNull()
  const heard: [kind: string, held: Hash | undefined][] = []
  const dispatch = lone.member.dispatch.bind(lone.member)
  lone.member.dispatch = event => {
    if (event.kind === 'lost' || event.kind === 'gained') heard.push([event.kind, event.held])
    dispatch(event)
  }
  const told = () => [...heard]
  const { agreedFacts } = ledger
  const counts = () => ({ facts: ledger.agreedFacts - agreedFacts, live: ledger.live.count })
  const damages = () => lone.member.problems.list().filter(({ reason }) => reason === 'damage')
  return { lone, store, ledger, first, second, told, counts, damages }
}

function childOf({ id, version }: Fact, text: string) {
  const { fact, payload } = foreignFact(id, text)
  const parents = [version]
  const child = { ...fact, parents, version: versionOf(id, parents, fact.dataHash) }
  return { fact: child, payload, added: stampOf(BEGIN_MS + 6000) }
}

describe('a version that rotted leaves the trees, and the election hears of it', () => {
  const options = { from: 'other', stampRule: 'smaller' } as const

  test.each([
    ['when the item is changed before it is mended (seed 1015947)', true, 0],
    ['when it is found by the change itself', false, 0],
  ])('%s', async (_, isKnown, change) => {
    const { lone, store, ledger, first, second, told, counts, damages } = await electing()
    store.rot({ kind: 'fact', ref: { id: 'a', version: second.version } })
    if (isKnown) ledger.damaged.add('a')
    else ledger.damaged.clear()
    await ledger.receive([childOf(isKnown ? second : first, 'third')], options)
    expect(told()).toEqual([['lost', ledger.sets.held?.root()]])
    expect(counts()).toEqual({ facts: change, live: 2 })
    await lone.clock.pass(1000)
    expect(ledger.damaged.size, 'it was mended').toBe(0)
    expect(told()).toHaveLength(1)
    expect(counts()).toEqual({ facts: change, live: 2 })
    expect(lone.member.gap, 'it lacks a version').toBe(true)
    expect(damages()).toHaveLength(1)
    await ledger.receive([{ fact: second, payload: null, added: stampOf(BEGIN_MS + 100) }], options)
    expect(told().map(([kind]) => kind)).toEqual(['lost', 'gained'])
    expect(counts().facts).toBe(change + 1)
    await lone.clock.pass(5000)
    expect(lone.member.gap, 'it has all again').toBe(false)
    expect(damages()).toEqual([])
  })

  test('also where the summary rotted as well', async () => {
    const { lone, store, ledger, second, told, counts, damages } = await electing()
    store.rot({ kind: 'fact', ref: { id: 'a', version: second.version } })
    store.rot({ kind: 'item', id: 'a' })
    ledger.damaged.add('a')
    await ledger.receive([childOf(second, 'third')], options)
    expect(told()).toEqual([['lost', ledger.sets.held?.root()]])
    await lone.clock.pass(1000)
    expect(ledger.damaged.size, 'it was mended').toBe(0)
    expect(told()).toHaveLength(1)
    expect(counts().live).toBe(2)
    expect(damages()).toHaveLength(1)
  })

  test('a change of an item of which nothing is lost is a gain', async () => {
    const { ledger, second, told, counts } = await electing()
    ledger.damaged.add('a')
    await ledger.receive([childOf(second, 'third')], options)
    expect(told()).toEqual([['gained', ledger.sets.held?.root()]])
    expect(counts()).toEqual({ facts: 1, live: 2 })
  })

  test('what a damaged record says of an item that never was is not missing in one that comes to be', async () => {
    const { lone, ledger, damages } = await electing()
    const damage = { id: 'new', version: 'ab'.repeat(32), sentence: 'It is damaged.' }
    lone.member.mending.found({ what: 'fact', ...damage })
    expect(ledger.damaged.has('new')).toBe(true)
    const { fact, payload } = foreignFact('new')
    await ledger.receive([{ fact, payload, added: stampOf(BEGIN_MS + 6000) }], options)
    await lone.clock.pass(5000)
    expect(ledger.damaged.size, 'it was mended').toBe(0)
    expect(lone.member.gap).toBe(false)
    expect(damages()).toEqual([])
  })
})
