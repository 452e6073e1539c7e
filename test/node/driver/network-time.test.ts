/** The network clock on disk: a restart never goes back, also when nothing was written. */
import { describe, expect, it } from 'vitest'
import { stampOf } from '../../../src/base/stamp.ts'
import { NetworkTime } from '../../../src/node/driver/network-time.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { BEGIN_MS, HandClock, Lone, removedFact, SELF } from '../../support/lone-member.ts'

describe('a clock that followed another one ahead of its machine', () => {
  it('is kept on disk while nobody writes, and a restart does not go back', async () => {
    const store = new MemoryStore()
    const lone = await (await Lone.open({ store, others: ['b'] })).start()
    lone.member.hear(stampOf(BEGIN_MS + 30_000), 'b')
    await lone.clock.pass(10_000)
    const before = lone.member.time.nowMs()
    expect(before).toBeGreaterThanOrEqual(BEGIN_MS + 39_000)
    const machine = new HandClock()
    machine.nowMs = lone.clock.nowMs
    const again = await NetworkTime.start(machine, MemoryStore.fromImage(store.image()))
    expect(again.nowMs()).toBeGreaterThanOrEqual(before)
  })

  it('is written once a second, and not at all at the pace of the machine', async () => {
    const writes: string[] = []
    class Counting extends MemoryStore {
      override async commit(batch: Parameters<MemoryStore['commit']>[0]): Promise<void> {
        for (const write of batch) {
          if (write.kind === 'meta' && write.key === 'clock') writes.push(write.key)
        }
        await super.commit(batch)
      }
    }
    const lone = await (await Lone.open({ store: new Counting(), others: ['b'] })).start(5000)
    writes.length = 0
    await lone.clock.pass(10_000)
    expect(writes.length).toBe(0)
    lone.member.hear(stampOf(lone.clock.wallMs() + 30_000), 'b')
    await lone.clock.pass(10_000)
    expect(writes.length).toBeGreaterThanOrEqual(9)
    expect(writes.length).toBeLessThanOrEqual(11)
  })
})

describe('a problem with the clock of another member', () => {
  const far = () => stampOf(BEGIN_MS + 3_600_000)
  const reasons = (lone: Lone) => lone.member.problems.list().map(problem => problem.reason)

  it('is over when its clock is right again', async () => {
    const lone = await (await Lone.open({ others: ['b'] })).start()
    lone.member.hear(far(), 'b')
    expect(reasons(lone)).toEqual(['clock'])
    lone.member.hear(stampOf(BEGIN_MS), 'b')
    expect(reasons(lone)).toEqual([])
  })

  it('is over when it is a member no more, and so is what else was wrong with it', async () => {
    const lone = await (await Lone.open({ others: ['b', 'c'] })).start()
    lone.member.hear(far(), 'b')
    lone.member.hear(far(), 'c')
    lone.member.blame('b', 'says what nobody understands')
    await lone.member.roster.take(SELF, [removedFact('b')])
    expect(lone.member.problems.list().map(problem => problem.member)).toEqual(['c'])
  })
})
