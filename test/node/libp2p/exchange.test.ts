/**
 * What two and three real networks say to each other: gossip, frames in order, one at a time.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { limits } from '../../../src/base/limits.ts'
import { NetworkError } from '../../../src/node/ports.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

test('S003-17: what a member publishes reaches all others, each exactly once', async () => {
  const [a, b, c] = await scene.members(3)
  a!.network.publish(utf8('hello'))
  const heard = (m: typeof a) => m!.gossip.filter(({ text }) => text === 'hello')
  await scene.until('both heard', () => heard(b).length > 0 && heard(c).length > 0)
  b!.network.publish(utf8('after'))
  await scene.until('the next one too', () => c!.gossip.some(({ text }) => text === 'after'))
  expect(heard(b)).toEqual([{ from: a!.id, text: 'hello' }])
  expect(heard(c)).toEqual([{ from: a!.id, text: 'hello' }])
  expect(heard(a)).toEqual([])
})

test('frames arrive in the order sent, on both lanes, small and large, both ways', async () => {
  const [a, b] = await scene.members(2)
  const sizes = [0, 1, 100, 9000, 70_000, limits.streamFrameBytesMax, 5]
  const frames = sizes.map((size, i) => new Uint8Array(size).fill(i + 1))
  for (const [from, to] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    await Promise.all(
      frames.flatMap(frame => [
        from.network.send(to.id, 'main', frame),
        from.network.send(to.id, 'bulk', frame),
      ]),
    )
    await scene.until('all frames arrived', () => to.frames.length === 2 * sizes.length)
    for (const lane of ['main', 'bulk'] as const)
      expect(to.frames.filter(f => f.lane === lane).map(f => f.bytes)).toEqual(sizes)
  }
})

test('a frame that comes makes no error: one with its stack costs more than opening the frame', async () => {
  const [a, b] = await scene.members(2)
  let made = 0
  const counted = new Proxy(RangeError, {
    apply: (target, _, [text]: [string]) => {
      made += 1
      return new target(text)
    },
  })
  vi.stubGlobal('RangeError', counted)
  try {
    for (let n = 1; n <= 20; n++) {
      await a!.network.send(b!.id, 'main', new Uint8Array(1000).fill(1))
      await scene.until('it came', () => b!.frames.length === n)
    }
  } finally {
    vi.unstubAllGlobals()
  }
  expect(made).toBeLessThan(10) // gossip reads lengths of its own
})

test('frames of one lane are delivered one at a time, a plain Uint8Array each', async () => {
  const [a, b] = await scene.members(2)
  let atWork = 0
  let mostAtWork = 0
  const seen: number[] = []
  b!.onFrame = async (_, __, frame) => {
    atWork++
    mostAtWork = Math.max(mostAtWork, atWork)
    await new Promise(resolve => setImmediate(resolve))
    expect(Object.getPrototypeOf(frame)).toBe(Uint8Array.prototype)
    seen.push(frame[1]! + 256 * frame[2]!)
    atWork--
    scene.changed()
  }
  const count = 500
  for (let i = 0; i < count; i++)
    void a!.network.send(b!.id, 'main', new Uint8Array([1, i % 256, Math.floor(i / 256)]))
  await scene.until('all were dealt with', () => seen.length === count)
  expect(mostAtWork).toBe(1)
  expect(seen).toEqual(Array.from({ length: count }, (_, i) => i))
})

test('a frame to a member without a link is refused with a NetworkError', async () => {
  const a = await scene.member()
  const b = await scene.member()
  await expect(a.network.send(b.id, 'main', utf8('x'))).rejects.toThrow(NetworkError)
})

test('the port that was taken for port 0 is shown in the addresses and dialled by others', async () => {
  const [a] = await scene.members(2)
  const [address] = a!.network.addresses()
  expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*\/p2p\//)
  expect(address).toContain(a!.id)
})

test('listening on all interfaces shows addresses of interfaces, with the peer id', async () => {
  const a = await scene.member({ listen: ['/ip4/0.0.0.0/tcp/0'] })
  const addresses = a.network.addresses()
  expect(addresses.length).toBeGreaterThan(0)
  for (const address of addresses) {
    expect(address).not.toContain('0.0.0.0')
    expect(address).toContain(`/p2p/${a.id}`)
  }
})

test('a port in use is a clear refusal', async () => {
  const a = await scene.member()
  const listen = [a.network.addresses()[0]!.replace(/\/p2p\/.*/, '')]
  await expect(scene.member({ listen })).rejects.toMatchObject({ code: 'IN_USE' })
})
