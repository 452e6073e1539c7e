/**
 * What leaves a member is cut to its limits, and what it counts is what is durable.
 */
import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import type { Offer } from '../../../src/consensus/messages.ts'
import { Offers } from '../../../src/node/driver/offers.ts'
import { factBytes, inBatches } from '../../../src/node/driver/size.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import { factOf, openOne, other } from '../../support/one-member.ts'

const payload = (n: number, size = limits.inlinePayloadBytesMax) => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}

test('512 adds of 16 KiB leave in frames that a receiver takes', async () => {
  const { member, sent } = await openOne()
  const adds = Array.from({ length: 512 }, (_, n) => {
    const bytes = payload(n)
    return {
      sequence: n + 1,
      added: stampOf(1_600_000, n),
      fact: factOf(`i/${n}`, bytes),
      payload: bytes,
    }
  })
  for (const part of inBatches(adds, add => factBytes(add.fact, add.payload))) {
    member.links.send(other, { kind: 'adds', adds: part })
  }
  await expect.poll(() => sumOfAdds(sent)).toBe(512)
  for (const { frame } of sent) expect(frame.length).toBeLessThanOrEqual(limits.streamFrameBytesMax)
})

function sumOfAdds(sent: readonly { readonly frame: Uint8Array }[]): number {
  let count = 0
  for (const { frame } of sent) {
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    if (!decoded.ok) throw new Error(decoded.sentence)
    for (const body of decoded.frame.bodies) if (body.kind === 'adds') count += body.adds.length
  }
  return count
}

test('a list is cut at a batch of bytes and at the entries that a message may list', () => {
  const many = Array.from({ length: 2 * limits.holdsMax + 1 }, (_, n) => n)
  expect([...inBatches(many, () => 1)].map(part => part.length)).toEqual([
    limits.holdsMax,
    limits.holdsMax,
    1,
  ])
  expect([...inBatches([1, 2, 3], () => limits.batchBytes)].map(part => part.length)).toEqual([
    1, 1, 1,
  ])
})

test('a member that is no Source adds nothing, whoever wished for it before', async () => {
  const { member, store } = await openOne()
  const bytes = payload(1, 10)
  const fact = factOf('waiting', bytes)
  await member.ledger.receive([{ fact, payload: bytes, added: null }], {
    from: other,
    stampRule: 'smaller',
  })
  const ref = { id: fact.id, version: fact.version }
  expect(await member.ledger.restate([ref], { kind: 'add' })).toMatchObject({ moved: 0 })
  expect((await store.facts([ref]))[0]?.state.kind).toBe('pending')
  expect(member.ledger.outgoing.last).toBe(0)
})

test('one offer repeated 200 times takes the room of one', async () => {
  const { store } = await openOne()
  const offers = new Offers()
  const facts = Array.from({ length: 32 }, (_, n) => {
    const bytes = payload(n)
    return { fact: factOf(`o/${n}`, bytes), payload: bytes }
  })
  const offer: Offer = { kind: 'offer', request: 1, facts }
  for (let round = 0; round < 200; round++) await offers.keep(other, offer, store)
  const kept = facts.filter(({ fact }) => offers.take(other, fact) !== undefined)
  expect(kept.length).toBe(32)
})
