/**
 * What a member that errs, or anybody on the local network, can pour over another: gossip, streams,
 * addresses. The rules on a clock of the test, and the same on real networks.
 */

import type { PeerId } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import { limits } from '../../src/base/limits.ts'
import { Dialer } from '../../src/node/libp2p/dialer.ts'
import { GossipBudget } from '../../src/node/libp2p/gossip-budget.ts'
import { Strangers } from '../../src/node/libp2p/strangers.ts'
import { startHostile } from '../node/libp2p/hostile.ts'
import { Scene } from '../node/libp2p/scene.ts'
import { HandClock } from '../support/lone-member.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

const burst = limits.gossipPerSecondMax * limits.gossipBurstSeconds

describe('gossip above the budget of a member', () => {
  test('is not heard, and what others say is', () => {
    let now = 0
    const budget = new GossipBudget(() => now)
    const heard = () => Array.from({ length: 800 }, () => budget.take('b', 'b', 100))
    expect(heard().filter(verdict => verdict === 'good')).toHaveLength(burst)
    expect(budget.take('c', 'b', 100)).toBe('good')
    now = 1000
    expect(heard().filter(verdict => verdict === 'good')).toHaveLength(limits.gossipPerSecondMax)
    now = 3_600_000
    expect(heard().filter(verdict => verdict === 'good')).toHaveLength(burst)
  })

  test('is counted in bytes, too', () => {
    const budget = new GossipBudget(() => 0)
    const large = Array.from({ length: 200 }, () =>
      budget.take('b', 'b', limits.gossipFrameBytesMax),
    )
    const bytes = large.filter(verdict => verdict === 'good').length * limits.gossipFrameBytesMax
    expect(bytes).toBe(limits.gossipBytesPerSecondMax * limits.gossipBurstSeconds)
  })

  test('costs the neighbour that brings very much of it its link, and no other one', () => {
    let now = 0
    const budget = new GossipBudget(() => now)
    const verdicts = () => Array.from({ length: 5000 }, () => budget.take('b', 'c', 1))
    expect(verdicts().indexOf('flood')).toBe(burst + limits.gossipFloodMax - 1)
    expect(budget.take('b', 'd', 1)).toBe('excess')
    now = 1000
    expect(budget.take('b', 'c', 1)).toBe('good')
  })

  test('is not heard on real networks, and the others hear each other meanwhile', async () => {
    const [a, b] = await scene.members(2)
    const hostile = await startHostile(scene)
    for (const member of [a!, b!]) member.admits.set(hostile.id, 'member')
    await hostile.stream(a!, 'main')
    await scene.until('gossip of the third arrives', () => {
      void hostile.publish(utf8('first'))
      return a!.gossip.some(({ from }) => from === hostile.id)
    })
    const began = performance.now()
    for (let n = 0; n < 2000; n++) await hostile.publish(utf8(`flood ${n}`))
    await hostile.publish(utf8('last'))
    const before = a!.gossip.filter(({ from }) => from === b!.id).length
    const fromOther = () => a!.gossip.filter(({ from }) => from === b!.id).length
    await scene.until('the others go on', () => fromOther() > before + 3)
    const seconds = Math.ceil((performance.now() - began) / 1000)
    const heard = a!.gossip.filter(({ from }) => from === hostile.id).length
    expect(heard).toBeGreaterThan(100)
    expect(heard).toBeLessThanOrEqual(burst + seconds * limits.gossipPerSecondMax)
  })
})

test('a member that opens one stream after the other is cut, and what it left is dropped', async () => {
  const [a] = await scene.members(2)
  const hostile = await startHostile(scene)
  a!.admits.set(hostile.id, 'member')
  const gate = Promise.withResolvers<void>()
  a!.onFrame = () => gate.promise
  const first = await hostile.stream(a!, 'main')
  first.send(encode.single(utf8('busy')))
  await scene.until('it is at work', () => a!.frames.length === 1)
  for (let n = 0; n < 30; n++) {
    const stream = await hostile.stream(a!, 'main').catch(() => undefined) // it was cut
    if (stream === undefined || stream.status !== 'open') break
    stream.send(new Uint8Array(128 * 1024))
    if (a!.events.includes(`disconnected ${hostile.id}`)) break
  }
  await scene.until('it is cut', () => a!.events.includes(`disconnected ${hostile.id}`))
  expect(a!.logs.filter(line => line.includes('one stream after the other'))).toHaveLength(1)
  gate.resolve()
})

describe('addresses that anybody announces on the local network', () => {
  const fake = Array.from({ length: 40 }, (_, n) => `/ip4/10.9.9.${n}/tcp/1`)

  function loop() {
    const clock = new HandClock()
    const dials: (readonly string[])[] = []
    const dialer = new Dialer({
      self: 'a',
      clock,
      log: () => undefined,
      isConnected: () => false,
      chance: () => 0.5,
      dial: ({ addresses }) => {
        dials.push(addresses)
        return Promise.reject(new Error('refused'))
      },
    })
    dialer.start()
    dialer.setContacts([{ peer: 'b', addresses: ['told'] }])
    return { clock, dials, dialer }
  }

  test('never stand before more than one of those that the member told', async () => {
    const { clock, dials, dialer } = loop()
    dialer.found({ peer: 'b', addresses: fake })
    await clock.pass(5000)
    expect(dials.length).toBeGreaterThan(5)
    for (const addresses of dials) {
      expect(addresses.indexOf('told')).toBeLessThan(2)
      expect(addresses.length).toBeLessThanOrEqual(limits.addressesMax + 1)
    }
  })

  test('make us dial at once no more than once a second', async () => {
    const { clock, dials, dialer } = loop()
    for (let n = 0; n < 2000; n++) {
      dialer.found({ peer: 'b', addresses: [fake[n % fake.length]!] })
      await clock.pass(5)
    }
    const usual = 10_000 / 250
    expect(dials.length).toBeLessThan(usual + 12)
  })
})

test('what libp2p keeps of strangers is forgotten, and members are not', async () => {
  const clock = new HandClock()
  const forgotten: string[] = []
  const strangers = new Strangers({
    clock,
    isKnown: peer => peer === 'member',
    forget: async peer => void forgotten.push(String(peer)),
  })
  const left = (name: string) => strangers.left({ toString: () => name } as PeerId)
  for (let n = 0; n < 1000; n++) left(`stranger ${n}`)
  left('member')
  await clock.pass(limits.forgetStrangersMs)
  expect(forgotten).toHaveLength(1000)
  expect(forgotten).not.toContain('member')
  left('one more')
  await clock.pass(limits.forgetStrangersMs)
  expect(forgotten.at(-1)).toBe('one more')
})
