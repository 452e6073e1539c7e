/** The roster of one member: which facts it goes by, and whom it tells before links are cut. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import type { Body } from '../../../src/consensus/messages.ts'
import { systemId } from '../../../src/node/driver/system.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { IdRange } from '../../../src/storage/store.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import { Lone, memberFact, SELF, settled } from '../../support/lone-member.ts'

/** A store of which one scan can be held at its end: it answers what was there when it began. */
class SlowScans extends MemoryStore {
  #gate: Promise<void> | null = null

  /** Holds the next scan until the answer is called. */
  holdNext(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  override async scanItems(range: IdRange, limit: number) {
    const gate = this.#gate
    this.#gate = null
    const found = await super.scanItems(range, limit)
    await gate
    return found
  }
}

function bodiesTo(lone: Lone, peer: string): readonly Body[] {
  return lone.network.sent
    .filter(({ to }) => to === peer)
    .flatMap(({ frame }) => {
      const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
      return decoded.ok ? decoded.frame.bodies : []
    })
}

describe('the roster', () => {
  it('goes by the newest facts, however slowly they are read', async () => {
    const store = new SlowScans()
    const lone = await Lone.open({ store, others: ['b', 'c'] })
    const { roster } = lone.member
    const release = store.holdNext()
    const slow = roster.load()
    await settled()
    const taken = roster.take(SELF, [memberFact('d')])
    await settled()
    release()
    await Promise.all([slow, taken])
    expect(roster.members().map(({ peer }) => peer)).toEqual(['b', 'c', 'd', SELF])
  })
})

describe('who leaves', () => {
  it('tells all that it reaches before its links are cut', async () => {
    const lone = await (await Lone.open({ others: ['b', 'c'] })).start()
    lone.reach('b')
    const leaving = lone.member.roster.remove(SELF)
    await settled()
    const told = bodiesTo(lone, 'b').flatMap(body =>
      body.kind === 'system' ? body.facts.map(fact => fact.id) : [],
    )
    expect(told).toEqual([systemId.removed(SELF, 1)])
    expect(lone.network.isConnected('b')).toBe(true)
    await lone.clock.pass(1100)
    await leaving
    expect(lone.network.contacts).toEqual([])
    expect(lone.network.isConnected('b')).toBe(false)
  })
})
