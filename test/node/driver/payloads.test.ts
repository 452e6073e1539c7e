/** Large payloads from members of which one has a bad copy: it is found, named, avoided and told. */
import { describe, expect, it } from 'vitest'
import type { MemberId } from '../../../src/base/fact.ts'
import { hashBytes } from '../../../src/base/hash.ts'
import { limits } from '../../../src/base/limits.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { decodeFrame, encodeFrame } from '../../../src/wire/frame.ts'
import { someBytes } from '../../support/facts.ts'
import { Lone } from '../../support/lone-member.ts'

const truth = someBytes(4 * limits.pieceBytes, 5)
const wrong = truth.map((byte, at) => (at === 10 ? byte ^ 1 : byte))
const allWrong = truth.map(byte => byte ^ 1)
const blob = hashBytes(truth)

/** Lets others give pieces of their copies; who is doubted is noted. */
class Givers {
  readonly doubted: MemberId[] = []
  readonly lone: Lone
  /** By member; nothing for who does not have it. */
  readonly copies: ReadonlyMap<MemberId, Uint8Array | null>

  constructor(lone: Lone, copies: ReadonlyMap<MemberId, Uint8Array | null>) {
    this.lone = lone
    this.copies = copies
  }

  /** Lets time pass in small steps; everything that is asked is answered. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      for (const peer of this.copies.keys()) this.lone.reach(peer)
      await this.lone.clock.pass(100)
      for (const { to, frame } of this.lone.network.sent.splice(0)) this.#answer(to, frame)
    }
  }

  #answer(to: MemberId, bytes: Uint8Array): void {
    const decoded = decodeFrame(bytes, limits.streamFrameBytesMax)
    const copy = this.copies.get(to)
    if (!decoded.ok || copy === undefined) throw new Error('a frame to nobody')
    for (const body of decoded.frame.bodies) {
      if (body.kind !== 'askChunk') continue
      if (body.offset === truth.length) this.doubted.push(to)
      const piece = copy?.slice(body.offset, body.offset + body.length) ?? null
      const answer = { kind: 'chunk', request: body.request, bytes: piece } as const
      const frame = encodeFrame({ envelope: this.lone.envelope(to), bodies: [answer] })
      void this.lone.network.listener?.frame(to, 'bulk', frame)
    }
  }
}

async function wanting(copies: Record<MemberId, Uint8Array | null>): Promise<Givers> {
  const lone = await (await Lone.open({ others: Object.keys(copies) })).start()
  lone.member.payloads.want(blob, truth.length)
  return new Givers(lone, new Map(Object.entries(copies)))
}

const problemOf = ({ lone }: Givers, reason: string) =>
  lone.member.problems.list().filter(problem => problem.reason === reason)

describe('a payload of which one holder has a bad copy', () => {
  it('is taken from the others, and the holder is named and told', async () => {
    const givers = await wanting({ b: wrong, c: truth, d: truth })
    await givers.pass(8000)
    expect(givers.lone.member.payloads.isWanted(blob)).toBe(false)
    expect(await givers.lone.store.verifyPayload(blob)).toBe('ok')
    expect(givers.doubted).toEqual(['b'])
    expect(problemOf(givers, 'peer')).toMatchObject([{ member: 'b' }])
    expect(problemOf(givers, 'payload-damaged')).toEqual([])
    expect(givers.lone.fatal).toEqual([])
  })

  it('is taken from one holder also where the first that is asked does not have it', async () => {
    const givers = await wanting({ b: null, c: allWrong, d: truth, e: null })
    await givers.pass(12_000)
    expect(await givers.lone.store.verifyPayload(blob)).toBe('ok')
    expect(givers.doubted).toEqual(['c'])
  })

  it('that is the only one is asked again when it had time to fetch it anew', async () => {
    const givers = await wanting({ b: wrong })
    await givers.pass(limits.badCopyMs / 2)
    expect(givers.doubted).toEqual(['b'])
    expect(problemOf(givers, 'payload-damaged')).toMatchObject([{ member: 'b' }])
    const mended = new Givers(givers.lone, new Map([['b', truth]]))
    await mended.pass(limits.badCopyMs)
    expect(await givers.lone.store.verifyPayload(blob)).toBe('ok')
    expect(problemOf(givers, 'payload-damaged')).toEqual([])
  })

  it('blames nobody for what an earlier writing left damaged', async () => {
    const lone = await (await Lone.open({ others: ['c'] })).start()
    const writer = await lone.store.payloadWriter({ blob, size: truth.length })
    await writer.write(wrong.slice(0, limits.pieceBytes))
    await writer.close('keep')
    lone.member.payloads.want(blob, truth.length)
    const givers = new Givers(lone, new Map([['c', truth]]))
    await givers.pass(8000)
    expect(await lone.store.verifyPayload(blob)).toBe('ok')
    expect(givers.doubted).toEqual([])
    expect(problemOf(givers, 'peer')).toEqual([])
  })
})

describe('a holder whose copy is doubted', () => {
  it('reads it whole, sets a bad one aside and wants it anew, once a minute at most', async () => {
    const store = new MemoryStore()
    const lone = await (await Lone.open({ store, others: ['c'] })).start()
    const writer = await store.payloadWriter(null)
    await writer.write(truth)
    await writer.finish()
    await lone.member.ledger.record([{ kind: 'have', blob }])
    const { verifyPayload } = lone.store
    let looks = 0
    lone.store.verifyPayload = async of => {
      looks += 1
      return await verifyPayload.call(lone.store, of)
    }
    const doubt = async () => {
      lone.reach('c')
      const ask = { kind: 'askChunk', request: 9, blob, offset: truth.length, length: 1 } as const
      const frame = encodeFrame({ envelope: lone.envelope('c'), bodies: [ask] })
      void lone.network.listener?.frame('c', 'bulk', frame)
      await lone.clock.pass(200)
    }
    await doubt()
    await doubt()
    expect(looks).toBe(1)
    expect(await lone.store.hasPayloads([blob])).toEqual([true])
    await lone.clock.pass(limits.doubtAgainMs)
    store.rot({ kind: 'payload', blob })
    await doubt()
    expect(await lone.store.hasPayloads([blob])).toEqual([false])
  })
})
