/**
 * A member of the roster that is broken or hostile, at a whole member: what it sends is dropped and
 * counted, it is named, and nothing that is held or agreed on changes.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import { encodeCbor } from '../../src/base/cbor.ts'
import { type Fact, refKey } from '../../src/base/fact.ts'
import { limits } from '../../src/base/limits.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { checkFact } from '../../src/consensus/items/check.ts'
import type { Body, Envelope } from '../../src/consensus/messages.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { BEGIN_MS, Lone } from '../support/lone-member.ts'
import { factOf, other } from '../support/one-member.ts'
import { fieldsOf } from '../wire/cbor-values.ts'
import { mutateBytes, mutateValue, randomFrom } from '../wire/mutations.ts'
import { samples } from '../wire/samples.ts'

const isDeep = process.env.VECHE_DEEP === '1'

/** A Source of two that holds a few items; the other is Source, too, and may say anything. */
async function withPeer(): Promise<Lone> {
  const lone = await Lone.open({ others: [other] })
  await lone.start(5000)
  lone.reach(other, { status: 'source' })
  for (let n = 0; n < 5; n++) await lone.put(`mine/${n}`, `text ${n}`)
  await lone.clock.pass(100)
  return lone
}

/** All that a peer's message could change and must not. */
async function stateOf({ member, store }: Lone): Promise<string> {
  const facts: string[] = []
  for await (const page of store.allItems())
    for (const { id } of page)
      for (const { fact, state } of await store.factsOf(id))
        facts.push(`${refKey(fact)} ${JSON.stringify([fact.at, fact.by, state])}`)
  const { status, source, history, peers } = member.agreement
  return JSON.stringify([
    facts,
    store.counts(),
    [status, source, history, [...peers]],
    [member.ledger.sets.settled.root(), member.ledger.sets.liveTree().root()],
  ])
}

const problemsOf = ({ member }: Lone) =>
  member.problems.list().map(({ reason, member: peer, sentence }) => ({ reason, peer, sentence }))

/** What is said in the name of the other member, and all that follows from it at once. */
async function say(lone: Lone, bodies: readonly Body[], said: Partial<Envelope> = {}) {
  const envelope = lone.envelope(other, { status: 'source', ...said })
  await lone.network.listener!.frame(other, 'main', encodeFrame({ envelope, bodies }))
  await lone.clock.pass(100)
}

describe('a message without uuid, status or hash', () => {
  const places = { uuid: 1, status: 3, hash: 4 }
  for (const [name, place] of Object.entries(places)) {
    it(`S003-15: is dropped and counted when the ${name} is missing, on both ways in`, async () => {
      const lone = await withPeer()
      const { ping } = samples
      const before = await stateOf(lone)
      const { framesRefused } = lone.member.counters
      for (const uuid of [other, 'another']) {
        const envelope = lone.envelope(uuid, { status: 'source' })
        const fields = fieldsOf(encodeFrame({ envelope, bodies: ping!.bodies }))
        for (const bad of [fields.toSpliced(place, 1), fields.with(place, null)]) {
          lone.network.listener!.gossip(other, encodeCbor(bad))
          await lone.network.listener!.frame(other, 'main', encodeCbor(bad))
        }
      }
      expect(lone.member.counters.framesRefused).toBe(framesRefused + 8)
      expect(problemsOf(lone)).toEqual([
        { reason: 'peer', peer: other, sentence: expect.stringContaining('does not decode') },
      ])
      expect(await stateOf(lone)).toBe(before)
      expect(lone.fatal).toEqual([])
    })
  }
})

describe('a hostile member', () => {
  it('S003-34: changes nothing by fuzzed frames, crashes nothing, and is named', async () => {
    const lone = await withPeer()
    const random = randomFrom(34)
    const frames = Object.values(samples).map(({ bodies }) =>
      encodeFrame({ envelope: lone.envelope(other, { status: 'source' }), bodies }),
    )
    const before = await stateOf(lone)
    const { framesRefused } = lone.member.counters
    let refused = 0
    for (let n = 0; n < (isDeep ? 200_000 : 20_000); n++) {
      const base = frames[n % frames.length]!
      const bad =
        n % 2 === 0
          ? mutateBytes(base, frames[random(frames.length)]!, random)
          : encodeCbor(mutateValue(fieldsOf(base), random))
      if (decodeFrame(bad, limits.streamFrameBytesMax).ok) continue
      refused += 1
      if (n % 3 === 0) lone.network.listener!.gossip(other, bad)
      else await lone.network.listener!.frame(other, 'main', bad)
    }
    expect(refused).toBeGreaterThan(5000)
    expect(lone.member.counters.framesRefused).toBe(framesRefused + refused)
    expect(await stateOf(lone)).toBe(before)
    expect(problemsOf(lone)).toMatchObject([{ reason: 'peer', peer: other }])
    expect(lone.fatal).toEqual([])
  })

  it('S003-34: that sends frames with changed values in whole form ends nothing and adds no false fact', async () => {
    const lone = await withPeer()
    const random = randomFrom(35)
    const frames = Object.values(samples).map(({ bodies }) =>
      fieldsOf(encodeFrame({ envelope: lone.envelope(other, { status: 'source' }), bodies })),
    )
    let taken = 0
    for (let n = 0; n < (isDeep ? 50_000 : 5000); n++) {
      const fields = frames[n % frames.length]!
      // The envelope stays whole, so that the bodies get as far as they can.
      const bad = encodeCbor(fields.with(10, mutateValue(fields[10]!, random)))
      if (decodeFrame(bad, limits.streamFrameBytesMax).ok) taken += 1
      const work = lone.network.listener!.frame(other, 'main', bad)
      if (n % 100 === 0) await lone.clock.pass(100)
      await work
    }
    await lone.clock.pass(20_000)
    expect(taken).toBeGreaterThan(300)
    expect(lone.fatal).toEqual([])
    for await (const page of lone.store.allItems())
      for (const { id } of page)
        for (const { fact } of await lone.store.factsOf(id))
          if (!id.startsWith('~')) expect([fact, checkFact(fact)]).toEqual([fact, { ok: true }])
    for (let n = 0; n < 5; n++) {
      const [summary] = await lone.store.items([`mine/${n}`])
      expect(summary).toMatchObject({ facts: 1 })
    }
  })

  const payload = utf8('what the fact names')
  const honest = factOf('theirs', payload, stampOf(BEGIN_MS))
  const next = factOf('next', payload, stampOf(BEGIN_MS))
  const lies: readonly (readonly [string, Fact, Uint8Array, RegExp])[] = [
    ['bytes of another hash', honest, utf8('what the fact nameS'), /hash|payload|bytes/i],
    ['a forged lineage', { ...next, parents: [honest.version] }, payload, /version|chain|lineage/i],
    ['a version of another item', { ...honest, id: 'mine/0' }, payload, /version/i],
    ['another size', { ...honest, size: 1 }, payload, /size|data|hash/i],
  ]
  for (const [what, fact, bytes, why] of lies) {
    it(`S003-34, S003-3: ${what} is refused, and who sent it is named`, async () => {
      const lone = await withPeer()
      const facts = lone.store.counts().facts
      const root = lone.member.ledger.sets.liveTree().root()
      await say(lone, [
        { kind: 'adds', adds: [{ sequence: 1, added: stampOf(BEGIN_MS), fact, payload: bytes }] },
      ])
      expect(problemsOf(lone)).toEqual([
        { reason: 'peer', peer: other, sentence: expect.stringMatching(why) },
      ])
      expect(lone.member.counters.factsRefused).toBe(1)
      expect(lone.store.counts().facts).toBe(facts)
      expect(lone.member.ledger.sets.liveTree().root()).toBe(root)
      await say(lone, [
        {
          kind: 'adds',
          adds: [{ sequence: 2, added: stampOf(BEGIN_MS, 1), fact: honest, payload }],
        },
      ])
      expect(lone.store.counts().facts).toBe(facts + 1)
    })
  }
})
