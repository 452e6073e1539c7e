/**
 * The fuzzers in their everyday size, that they can fail, and a whole member behind its door:
 * frames that are none, and frames of strangers, change nothing in it.
 */
import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/base/cbor.ts'
import { limits } from '../../src/base/limits.ts'
import { versionOf } from '../../src/consensus/items/version.ts'
import { Inbound } from '../../src/node/driver/inbound.ts'
import type { Member } from '../../src/node/driver/member.ts'
import { decodeDoorAnswer } from '../../src/wire/door.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { type OneMember, openOne, other } from '../../test/support/one-member.ts'
import { Random } from '../random.ts'
import { corpusOf, fuzz } from './fuzz.ts'
import { below, mutateBytes, mutateValue, pick } from './mutate.ts'
import { targets } from './targets.ts'

describe('S003-34: fuzzed input is refused and never crashes', () => {
  it.each(targets)('$name: 3,000 spoilt inputs', async target => {
    const { finding, accepted } = await fuzz(target, 3000, 'everyday')
    expect(finding).toBeNull()
    expect(accepted).toBeGreaterThan(0)
  })

  it('is told of a target that throws, with the input', async () => {
    const target = targets.find(({ name }) => name === 'fact')!
    const take = (input: Bytes) => {
      if (input.length % 7 === 3) throw new RangeError('planted')
      return false
    }
    const { finding } = await fuzz({ ...target, take }, 1000, 'planted')
    expect(finding?.sentence).toBe('RangeError: planted')
    expect(finding!.input.length % 14).toBe(6)
  })

  it.each([
    ['is told of a target that keeps what it made', true],
    ['is not told of what nobody uses any more', false],
  ])('%s', async (_, isKept) => {
    const target = targets.find(({ name }) => name === 'id')!
    const kept: Uint8Array[] = []
    const take = () => {
      const made = new Uint8Array(300_000) // 600 MB in a batch, never touched
      if (isKept) kept.push(made)
      return true
    }
    const { finding } = await fuzz({ ...target, take }, 4000, 'growth')
    expect(finding?.sentence).toBe(isKept ? 'memory grows' : undefined)
  })
})

/** Frames of `other`, spoilt by bytes or by values. */
function spoiltFrames(count: number, seed: string): Bytes[] {
  const random = new Random(seed)
  const named = corpusOf('frame').map(bytes => {
    const fields = decodeCbor(bytes, bytes.length, 32) as CborValue[]
    return encodeCbor(fields.with(1, other))
  })
  return Array.from({ length: count }, () => {
    const base = pick(random, named)
    if (below(random, 2) === 0) return mutateBytes(base, pick(random, named), random)
    const fields = decodeCbor(base, base.length, 32) as CborValue[]
    const at = below(random, 3) === 0 ? below(random, fields.length) : 10
    const spoilt = mutateValue(fields[at] ?? null, random, { bytes: true })
    return encodeCbor(fields.with(Math.min(at, fields.length - 1), spoilt))
  })
}

function isFrameOfOther(bytes: Bytes): boolean {
  const decoded = decodeFrame(bytes, limits.streamFrameBytesMax)
  return decoded.ok && decoded.frame.envelope.uuid === other
}

/** All of a member that a message may change. */
function printOf({ member, store }: OneMember): string {
  const { sets, outgoing } = member.ledger
  const { status, peers } = member.agreement
  const heard = [...peers.values()].map(peer => [peer.id, peer.heardAt, peer.clock, peer.status])
  const { cut } = sets.settled
  return JSON.stringify([store.counts(), cut, sets.settled.root(), outgoing.last, status, heard])
}

async function feed(member: Member, from: string, frames: readonly Bytes[]): Promise<void> {
  const inbound = new Inbound(member)
  for (const [at, bytes] of frames.entries()) {
    if (at % 4 === 3) inbound.gossip(from, bytes)
    else await inbound.frame(from, at % 2 === 0 ? 'main' : 'bulk', bytes)
  }
}

describe('a member that is told nonsense', () => {
  it('stays what it was when what a member says is no frame, and counts each', async () => {
    const one = await openOne()
    const before = printOf(one)
    const frames = spoiltFrames(4000, 'no frame').filter(bytes => !isFrameOfOther(bytes))
    expect(frames.length).toBeGreaterThan(2000)
    await feed(one.member, other, frames)
    expect(printOf(one)).toBe(before)
    expect(one.member.counters.framesRefused).toBe(frames.length)
    expect(one.fatal).toEqual([])
  })

  it('stays what it was whatever a stranger says', async () => {
    const one = await openOne()
    const before = printOf(one)
    const frames = [...corpusOf('frame'), ...spoiltFrames(3000, 'stranger')]
    await feed(one.member, '12D3KooWstranger', frames)
    expect(printOf(one)).toBe(before)
    expect(one.sent).toEqual([])
    expect(one.fatal).toEqual([])
  })

  it('takes what is a frame, and of its facts only those that verify', async () => {
    const one = await openOne()
    const frames = spoiltFrames(12_000, 'frame').filter(isFrameOfOther)
    expect(frames.length).toBeGreaterThan(200)
    await feed(one.member, other, frames)
    expect(one.fatal).toEqual([])
    for await (const items of one.store.allItems()) {
      for (const { id } of items) {
        for (const { fact } of await one.store.factsOf(id)) {
          expect(fact.version).toBe(versionOf(fact.id, fact.parents, fact.dataHash))
        }
      }
    }
    await one.member.stop()
  })

  it('answers a spoilt knock with a refusal, and lets nobody in', async () => {
    const one = await openOne()
    const before = printOf(one)
    const random = new Random('knock')
    const inbound = new Inbound(one.member)
    const knocks = corpusOf('door-request')
    for (let count = 0; count < 1000; count++) {
      const knock = mutateBytes(pick(random, knocks), pick(random, knocks), random)
      const answer = await inbound.door(`12D3KooWstranger${count % 50}`, knock)
      const decoded = decodeDoorAnswer(answer, limits.doorAnswerBytesMax)
      expect(decoded).toMatchObject({ ok: true, value: { kind: 'refused' } })
    }
    expect(printOf(one)).toBe(before)
    expect(one.fatal).toEqual([])
  })
})
