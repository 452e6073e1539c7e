/**
 * What a member that errs, or that was taken over, can make another one keep, compute or tell: a
 * whole member, and frames that decode. That it changes nothing that does not verify is shown in
 * test/rows/hostile-peer.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../src/base/bytes.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import { stampOf } from '../../src/base/stamp.ts'
import type { Body } from '../../src/consensus/messages.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { heldBytes } from '../support/held-memory.ts'
import { BEGIN_MS, foreignFact, Lone, settled } from '../support/lone-member.ts'

const MIB = 1024 * 1024

/** A member with a large payload, beside one that is reached and takes nothing that is said to it. */
async function withDeafPeer(): Promise<{ lone: Lone; blob: string }> {
  const lone = await Lone.open({ others: ['b'] })
  await lone.start()
  const bytes = concatBytes([utf8('large'), new Uint8Array(MIB)])
  const blob = hashBytes(bytes)
  const writer = await lone.store.payloadWriter({ blob, size: bytes.length })
  await writer.write(bytes)
  await writer.finish()
  lone.reach('b', { status: 'source' })
  lone.network.send = () => new Promise(() => undefined)
  return { lone, blob }
}

async function hear(lone: Lone, bodies: readonly Body[]): Promise<void> {
  const frame = encodeFrame({ envelope: lone.envelope('b', { status: 'source' }), bodies })
  void lone.network.listener!.frame('b', 'main', frame)
  await settled()
}

describe('a member that asks and takes no answer', () => {
  const questions: readonly (readonly [string, (request: number, blob: string) => Body])[] = [
    [
      'pieces of payloads',
      (request, blob) => ({
        kind: 'askChunk',
        request,
        blob,
        offset: 0,
        length: limits.pieceBytes,
      }),
    ],
    ['system facts', request => ({ kind: 'askSystem', request })],
    ['whether one is there', number => ({ kind: 'probe', number })],
  ]
  for (const [what, question] of questions) {
    test(`makes nobody keep more than the bound of its link: ${what}`, async () => {
      const { lone, blob } = await withDeafPeer()
      const before = heldBytes()
      for (let frame = 0; frame < 3; frame++) {
        const bodies = Array.from({ length: limits.listMax }, (_, n) =>
          question(1 + frame * limits.listMax + n, blob),
        )
        await hear(lone, bodies)
        await lone.clock.pass(1)
      }
      for (let n = 0; n < 100; n++) await settled()
      const { links } = lone.member
      expect(links.waitingBytes('b')).toBeGreaterThan(0)
      expect(links.waitingBytes('b')).toBeLessThanOrEqual(2 * limits.outboxBytesMax)
      expect(heldBytes() - before).toBeLessThan(limits.memberBytesMax)
      expect(lone.fatal).toEqual([])
      await lone.member.stop()
    })
  }

  test('is named when it asks for more than it can take', async () => {
    const { lone, blob } = await withDeafPeer()
    for (let frame = 0; frame < 3; frame++) {
      const bodies = Array.from(
        { length: limits.listMax },
        (_, n): Body => ({
          kind: 'askChunk',
          request: n + 1,
          blob,
          offset: 0,
          length: 1,
        }),
      )
      await hear(lone, bodies)
    }
    expect(lone.member.problems.list()).toContainEqual(
      expect.objectContaining({
        reason: 'peer',
        member: 'b',
        sentence: 'This member asks for more than it can take.',
      }),
    )
  })
})

describe('what is added while a member takes nothing', () => {
  test('is kept for it up to the bound, and acknowledged to clients all the same', async () => {
    const { lone } = await withDeafPeer()
    const payload = new Uint8Array(limits.inlinePayloadBytesMax)
    const content = (n: number) => {
      new DataView(payload.buffer).setUint32(0, n)
      return payload.slice()
    }
    const { facts } = lone.store.counts()
    for (let n = 0; n < 3000; n++) {
      lone.member.links.send('b', {
        kind: 'chunk',
        request: n + 1,
        bytes: content(n),
      })
    }
    expect(lone.member.links.waitingBytes('b')).toBeLessThanOrEqual(limits.outboxBytesMax)
    const written = await lone.put('mine', 'still written')
    expect(written.fact.id).toBe('mine')
    expect(lone.store.counts().facts).toBe(facts + 1)
  })
})

describe('a member that breaks the rules a thousand times a second', () => {
  test('is told of once a second, and its events do not push out those of others', async () => {
    const { lone } = await withDeafPeer()
    const told: string[] = []
    const append = lone.member.feed.append.bind(lone.member.feed)
    lone.member.feed.append = events => {
      told.push(...events.map(({ kind }) => kind))
      return append(events)
    }
    for (let n = 0; n < 5000; n++) {
      lone.network.listener!.gossip('b', new Uint8Array(n % 50))
      if (n % 2 === 0) lone.network.listener!.gossip('b', utf8('no frame'))
      if (n % 1000 === 999) await lone.clock.pass(500)
    }
    expect(lone.member.counters.framesRefused).toBe(7500)
    expect(told.filter(kind => kind === 'problem').length).toBeLessThanOrEqual(4)
    expect(told).toContain('problem')
  })
})

test('in the name of another is refused and counted', async () => {
  const lone = await Lone.open({ others: ['b', 'c'] })
  await lone.start()
  lone.reach('b', { status: 'source' })
  const heardAt = lone.member.agreement.peers.get('c')?.heardAt
  const { fact, payload } = foreignFact('theirs')
  const adds: Body = { kind: 'adds', adds: [{ sequence: 1, added: fact.at, fact, payload }] }
  const { facts } = lone.store.counts()
  const frame = encodeFrame({ envelope: lone.envelope('c', { status: 'source' }), bodies: [adds] })
  await lone.network.listener!.frame('b', 'main', frame)
  lone.network.listener!.gossip('b', frame)
  expect(lone.member.counters.framesRefused).toBe(2)
  expect(lone.store.counts().facts).toBe(facts)
  expect(lone.member.agreement.peers.get('c')?.heardAt).toBe(heardAt)
})

describe('a stamp or a clock far in the future', () => {
  const far = stampOf(BEGIN_MS + 10 * limits.clockAheadMs)

  test('moves the clock here by a minute at most, however often it is told, and who shows it is named', async () => {
    const { lone } = await withDeafPeer()
    const before = lone.member.time.nowMs()
    for (let n = 0; n < 100; n++) {
      const envelope = lone.envelope('b', { status: 'source', clock: far })
      await lone.network.listener!.frame('b', 'main', encodeFrame({ envelope, bodies: [] }))
    }
    expect(lone.member.time.nowMs() - before).toBeLessThanOrEqual(limits.clockAheadMs)
    expect(lone.member.problems.list()).toContainEqual(
      expect.objectContaining({ reason: 'clock', member: 'b' }),
    )
  })

  test('of a fact does not move the stamps of what is written here', async () => {
    const { lone } = await withDeafPeer()
    const { fact, payload } = foreignFact('theirs')
    const adds = [{ sequence: 1, added: far, fact: { ...fact, at: far }, payload }]
    await hear(lone, [{ kind: 'adds', adds }])
    for (let n = 0; n < 20; n++) await settled()
    const { fact: mine } = await lone.put('mine', 'now')
    expect(mine.at < stampOf(BEGIN_MS + limits.clockAheadMs)).toBe(true)
    expect(lone.fatal).toEqual([])
  })
})
