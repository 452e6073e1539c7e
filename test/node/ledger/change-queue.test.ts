/** When the next batch of changes is begun: few facts share the next fsync, many do not wait for it. */
import { describe, expect, it } from 'vitest'
import { ChangeQueue, type Job } from '../../../src/node/ledger/change-queue.ts'

function job(facts: number, alone = false): Job {
  const nothing = () => undefined
  return { ids: () => [], facts, alone, apply: async () => null, resolve: nothing, reject: nothing }
}

/** Whether something has ended when all that could go on has gone on. */
async function hasEnded(promise: Promise<unknown>): Promise<boolean> {
  let isOver = false
  void promise.then(() => {
    isOver = true
  })
  await new Promise(resolve => setImmediate(resolve))
  return isOver
}

describe('the next batch', () => {
  it('is begun at once where none is on its way, and takes in what arrives in that turn', async () => {
    const queue = new ChangeQueue(async () => queue.push(job(1)))
    queue.push(job(1))
    expect((await queue.next()).length).toBe(2)
    expect(queue.isEmpty).toBe(true)
  })

  it('of few facts waits for the one that is on its way, and takes in what came meanwhile', async () => {
    const queue = new ChangeQueue(async () => undefined)
    queue.begun()
    queue.push(job(1))
    const next = queue.next()
    expect(await hasEnded(next)).toBe(false)
    queue.push(job(63))
    expect(await hasEnded(next)).toBe(false)
    queue.ended()
    expect((await next).length).toBe(2)
  })

  it('of many facts does not wait, but a third one does', async () => {
    const queue = new ChangeQueue(async () => undefined)
    queue.begun()
    queue.push(job(1))
    const second = queue.next()
    queue.push(job(127))
    expect((await second).length).toBe(2)
    queue.begun()
    queue.push(job(5000))
    const third = queue.next()
    expect(await hasEnded(third)).toBe(false)
    queue.ended()
    expect(await hasEnded(third)).toBe(true)
  })

  it('that is a reading of its own does not wait for the disk', async () => {
    const queue = new ChangeQueue(async () => undefined)
    queue.begun()
    queue.push(job(1, true))
    queue.push(job(1))
    expect((await queue.next()).length).toBe(1)
    expect(await hasEnded(queue.next())).toBe(false)
  })
})
