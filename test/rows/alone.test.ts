/**
 * What one member does by itself, that others do alike without a word: splitting a collision, and
 * keeping its tree true after every fact.
 */
import { describe, expect, it } from 'vitest'
import { naiveRoot } from '../../sim/naive.ts'
import { type Fact, isSystemId } from '../../src/base/fact.ts'
import { limits } from '../../src/base/limits.ts'
import { createService } from '../../src/node/service/service.ts'
import type { Store } from '../../src/storage/store.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { Lone, putOf } from '../support/lone-member.ts'
import { type TextFact, take, versionOn } from '../support/received.ts'
import { randomFrom } from '../wire/mutations.ts'

const isDeep = process.env.VECHE_DEEP === '1'

/** Its user facts that are agreed, from the store. */
async function agreedOf(store: Store): Promise<Fact[]> {
  const facts: Fact[] = []
  for await (const page of store.allItems())
    for (const { id } of page) {
      if (isSystemId(id)) continue
      for (const { fact, state } of await store.factsOf(id))
        if (state.kind === 'agreed') facts.push(fact)
    }
  return facts
}

/** The kinds of all that was sent to others, in order. */
function kindsSent({ network }: Lone): string[] {
  return network.sent.flatMap(({ frame }) => {
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    if (!decoded.ok) throw new Error(decoded.sentence)
    return decoded.frame.bodies.map(({ kind }) => kind)
  })
}

/** A member among others that answer nothing takes facts; what it holds, shows and sent then. */
async function aloneWith(facts: readonly TextFact[]) {
  const lone = await Lone.open({ others: ['b', 'c'] })
  await lone.start(5000)
  lone.reach('b')
  lone.reach('c')
  await take(lone, facts)
  await lone.member.ledger.durable()
  await lone.clock.pass(3000)
  const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
  const { items } = await service.list({})
  const { collisions } = await service.collisions()
  const root = lone.member.ledger.sets.liveTree().root()
  return { root, items, collisions, sent: kindsSent(lone), facts: lone.store.counts().facts }
}

describe('members that never speak', () => {
  it('S003-6: split alone, with equal roots and ids, and send no message about it', async () => {
    const base = versionOn('report', [], 'base', 1)
    const left = versionOn('report', [base[0].version], 'left', 2)
    const right = versionOn('report', [base[0].version], 'right', 3)
    const after = versionOn('report', [right[0].version], 'after', 4)
    const one = await aloneWith([base, left, right])
    const other = await aloneWith([base, right, left])
    const place = [...left[0].version].findIndex((digit, at) => digit !== right[0].version[at])
    const ids = [left, right].map(([{ version }]) => `report~${version[place]}`).sort()
    expect(one.items.map(({ id }) => id)).toEqual(ids)
    expect(one.collisions).toMatchObject([{ id: 'report', branches: [{}, {}] }])
    expect(other).toEqual(one)
    // The same number of facts without a collision: what is sent is the same.
    const whole = await aloneWith([base, right, after])
    expect(whole.collisions).toEqual([])
    expect(one.sent).toEqual(whole.sent)
    expect(one.facts).toBe(whole.facts)
  })
})

describe('the tree in memory', () => {
  it('S003-12: the live root equals a naive recomputation after every fact', async () => {
    const lone = await Lone.open()
    await lone.start()
    const random = randomFrom(12)
    const service = createService(lone.member, { networkKey: new Uint8Array(32), version: 'test' })
    const changes = isDeep ? 3000 : 400
    for (let n = 0; n < changes; n++) {
      const id = `item/${random(40)}`
      const held = await lone.store.factsOf(id)
      switch (random(4)) {
        case 0: {
          // From elsewhere, on any version that is here: mostly a collision.
          const parents = held.length === 0 ? [] : [held[random(held.length)]!.fact.version]
          await take(lone, [versionOn(id, parents, `theirs ${n}`, n + 1)])
          break
        }
        case 1: {
          const { items } = await service.list({ prefix: id })
          const shown = items.find(item => item.id === id || item.id.startsWith(`${id}~`))
          if (shown !== undefined) await service.delete({ id: shown.id, wait: 'pending' })
          break
        }
        default: {
          const { items } = await service.list({ prefix: id })
          const shown = items.find(item => item.id.startsWith(`${id}~`))
          await lone.member.ledger.write(putOf(shown?.id ?? id, `mine ${n}`))
        }
      }
      if (n % 20 === 0) await lone.clock.pass(random(2000))
      const facts = await agreedOf(lone.store)
      expect([n, lone.member.ledger.sets.liveTree().root()]).toEqual([n, naiveRoot(facts)])
    }
    const { collisions } = await service.collisions()
    expect(collisions.length).toBeGreaterThan(3)
    expect(lone.store.counts().facts).toBeGreaterThan(changes / 2)
  })
})
