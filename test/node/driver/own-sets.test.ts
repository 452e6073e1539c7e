/** What the agreement machine is told of the own sets: in step with them, and only what is durable. */
import { describe, expect, it } from 'vitest'
import { STAMP_ZERO } from '../../../src/base/stamp.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { foreignFact, HeldDisk, Lone, settled } from '../../support/lone-member.ts'

const from = { from: 'b', stampRule: 'smaller' } as const

function agreed(id: string) {
  return { ...foreignFact(id), added: STAMP_ZERO }
}

describe('in a counter-sync', () => {
  it('the held root is told in one step with what is gained, before it is durable', async () => {
    const disk = new HeldDisk()
    const store = new MemoryStore({ durability: disk.durability })
    const lone = await Lone.open({ store, others: ['b', 'c'] })
    const { member } = lone
    await member.ledger.receive([agreed('first')], from)
    await lone.start(500)
    expect(member.agreement.status).toBe('counter-sync')
    const { sets } = member.ledger
    expect(member.agreement.own.held).toBe(sets.held?.root())
    disk.hold()
    const taken = member.ledger.receive([agreed('second')], from)
    for (let turn = 0; turn < 5; turn++) {
      await settled()
      expect(member.agreement.own.held).toBe(sets.held?.root())
    }
    expect(store.undurable).toBe(1)
    await disk.release()
    await taken
    expect(member.agreement.own.held).toBe(sets.held?.root())
  })
})

describe('the announced root', () => {
  it('is that of facts that are durable, also where others came in while they were waited for', async () => {
    const disk = new HeldDisk()
    const store = new MemoryStore({ durability: disk.durability })
    const lone = await (await Lone.open({ store })).start()
    const { member } = lone
    await lone.put('first', 'x')
    await lone.clock.pass(5000)
    const { hash, cut } = member.agreement.own
    disk.hold()
    const written = lone.put('second', 'x')
    await settled()
    await lone.clock.pass(1000)
    // Added before the cut, so it enters the tree at once; its batch is not on the disk.
    const many = Array.from({ length: 200 }, (_, n) => agreed(`late/${n}`)) // worth a batch of their own
    const late = member.ledger.receive(many, from)
    await settled()
    const withLate = member.ledger.sets.settled.root()
    await disk.releaseOne()
    await written
    expect(member.agreement.own.cut).toBeGreaterThan(cut)
    expect(member.agreement.own.hash).toBe(hash)
    await disk.release()
    await late
    await lone.clock.pass(1000)
    expect(member.agreement.own.hash).toBe(withLate)
  })
})

describe('with quorum `roster`, a member whose process stood still for over 3 s', () => {
  async function source(): Promise<Lone> {
    const lone = await Lone.open({ others: ['b'], quorum: 'roster' })
    lone.reach('b', { empty: true })
    await lone.start(200)
    expect(lone.member.agreement.status).toBe('source')
    lone.clock.nowMs += 3500
    return lone
  }

  it('takes a write as pending, though no tick came yet', async () => {
    const lone = await source()
    expect((await lone.put('a', 'x')).state.kind).toBe('pending')
  })

  it('says that it is not Source in the first message', async () => {
    const lone = await source()
    expect(lone.member.envelope().status).not.toBe('source')
  })
})
