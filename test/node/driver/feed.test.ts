/** The feed behind `watch`: every event once, whoever wrote it, and an end when the member stops. */
import { describe, expect, it } from 'vitest'
import type { WatchEvent } from '../../../src/control/protocol-network.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { EventEntry, Write } from '../../../src/storage/store.ts'
import { Lone, settled } from '../../support/lone-member.ts'

const problem = { kind: 'problem', reason: 'test', sentence: 'Something.', nextStep: '' } as const

/** A store that notes the order of event records, and can damage or hold what is read of them. */
class EventStore extends MemoryStore {
  readonly committed: number[] = []
  damaged: number | null = null
  reads = 0
  gate: Promise<void> | null = null

  override async commit(batch: readonly Write[]): Promise<void> {
    for (const write of batch) if (write.kind === 'event') this.committed.push(write.sequence)
    await super.commit(batch)
  }

  override async events(after: number, limit: number): Promise<EventEntry[]> {
    this.reads += 1
    const found = await super.events(after, limit)
    await this.gate
    return found.filter(entry => entry.sequence !== this.damaged)
  }
}

async function opened() {
  const store = new EventStore()
  const lone = await (await Lone.open({ store })).start()
  return { store, lone, feed: lone.member.feed }
}

/** Takes events in the background. */
function collect(events: AsyncIterable<WatchEvent>) {
  const kinds: string[] = []
  const ended = (async () => {
    for await (const event of events) kinds.push(event.kind)
  })()
  return { kinds, ended }
}

describe('events that come with no fact', () => {
  it('are committed in the order of their sequences among those of facts', async () => {
    const { store, lone, feed } = await opened()
    store.committed.length = 0
    for (let at = 0; at < 20; at++) {
      const writing = lone.put(`item-${at}`, 'x')
      await Promise.resolve()
      feed.append([problem])
      await writing
    }
    await lone.member.ledger.durable()
    expect(store.committed.length).toBe(40)
    expect(store.committed).toEqual([...store.committed].sort((a, b) => a - b))
  })
})

describe('a watch', () => {
  it('passes over a damaged last record and gives what comes after it', async () => {
    const { store, lone, feed } = await opened()
    const { events } = await feed.watch({})
    const watched = collect(events)
    await settled()
    store.damaged = store.eventRange().last + 1
    await lone.put('lost', 'x')
    store.reads = 0
    for (let turn = 0; turn < 50; turn++) await settled()
    expect(store.reads).toBeLessThan(5)
    await lone.put('seen', 'x')
    await settled()
    expect(watched.kinds).toEqual(['added', 'agreed'])
  })

  it('ends when the member stops while it reads', async () => {
    const { store, lone, feed } = await opened()
    const { promise, resolve } = Promise.withResolvers<void>()
    store.gate = promise
    const { events } = await feed.watch({})
    const watched = collect(events)
    await settled()
    await lone.member.stop()
    resolve()
    await watched.ended
    expect(watched.kinds).toEqual([])
  })

  it('refuses a cursor that lies after every event, and takes the last one', async () => {
    const { store, feed } = await opened()
    const { last } = store.eventRange()
    await expect(feed.watch({ since: `${last + 1}.1` })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect((await feed.watch({ since: `${last}.1` })).cursor).toBe(`${last}.1`)
  })
})
