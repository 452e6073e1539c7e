/**
 * A peer that breaks the rules is cut and named; the others notice nothing.
 */
import { zstdCompressSync } from 'node:zlib'
import { encode } from 'it-length-prefixed'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { limits } from '../../../src/base/limits.ts'
import { startHostile } from './hostile.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

/** What stands on the stream instead of a frame. */
const breaches: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  [
    'a frame above the limit',
    encode.single(new Uint8Array(limits.streamFrameBytesMax + 1)).subarray(0, 5),
  ],
  ['a packed frame that is none', encode.single(Uint8Array.of(0, 1, 2, 3)).subarray()],
  [
    'a packed frame above the limit',
    encode
      .single(Buffer.concat([Uint8Array.of(0), zstdCompressSync(Buffer.alloc(64 * 2 ** 20))]))
      .subarray(),
  ],
  ['a length that never ends', new Uint8Array(64).fill(0xff)],
]

for (const [name, bytes] of breaches) {
  test(`S003-34: ${name} cuts its sender, which is named in the log, and nobody else`, async () => {
    const [a, b] = await scene.members(2)
    const hostile = await startHostile(scene)
    a!.admits.set(hostile.id, 'member')
    const stream = await hostile.stream(a!, 'main')
    stream.send(encode.single(utf8('good so far')))
    await scene.until('the link stands', () => a!.frames.length === 1)
    stream.send(bytes)
    await scene.until('it is cut', () => a!.events.includes(`disconnected ${hostile.id}`))
    await scene.until('it sees that', () => stream.status !== 'open')
    expect(
      a!.logs.filter(line => line.startsWith('warn') && line.includes(hostile.id)),
    ).toHaveLength(1)
    await a!.network.send(b!.id, 'main', utf8('we go on'))
    await scene.until('the frame came', () => b!.frames.length === 1)
    expect(a!.events.filter(event => event.endsWith(b!.id))).toEqual([`connected ${b!.id}`])
  })
}

test('S003-34: gossip above the limit, and gossip of a peer that is no member, is not heard', async () => {
  const [a, b] = await scene.members(2)
  const hostile = await startHostile(scene)
  a!.admits.set(hostile.id, 'member')
  await hostile.stream(a!, 'main')
  await scene.until('gossip of the third arrives', () => {
    void hostile.publish(utf8('small'))
    return a!.gossip.some(({ text }) => text === 'small')
  })
  await hostile.publish(new Uint8Array(limits.gossipFrameBytesMax + 1))
  await hostile.publish(utf8('the last word'))
  await scene.until('what came after is heard', () =>
    a!.gossip.some(({ text }) => text === 'the last word'),
  )
  const heard = a!.gossip.filter(({ from }) => from === hostile.id).map(({ text }) => text)
  expect(new Set(heard)).toEqual(new Set(['small', 'the last word']))
  // B does not admit it: not even passed on by A is it heard there.
  const before = b!.gossip.length
  await scene.until('B hears A', () => b!.gossip.length > before + 2)
  expect(b!.gossip.some(({ from }) => from === hostile.id)).toBe(false)
})

test('S003-34: a knock above the limit is not answered', async () => {
  const a = await scene.member()
  const hostile = await startHostile(scene)
  a.admits.set(hostile.id, 'door')
  let asked = 0
  a.door = async () => {
    asked++
    return utf8('yes')
  }
  const stream = await hostile.stream(a, 'door')
  stream.send(encode.single(new Uint8Array(limits.doorRequestBytesMax + 1)))
  await scene.until('it is cut', () => stream.status !== 'open')
  expect(asked).toBe(0)
  expect(a.logs.some(line => line.startsWith('warn') && line.includes(hostile.id))).toBe(true)
})

test('S003-34: a peer at the door that opens a lane is cut off from it', async () => {
  const a = await scene.member()
  const hostile = await startHostile(scene)
  a.admits.set(hostile.id, 'door')
  const stream = await hostile.stream(a, 'main')
  await scene.until('the stream is cut', () => stream.status !== 'open')
  expect(a.frames).toEqual([])
  expect(a.events).toEqual([])
})

test('a busy receiver holds the sender back after a few MiB, while gossip goes on', async () => {
  const [a, b] = await scene.members(2)
  const gate = Promise.withResolvers<void>()
  const order: number[] = []
  b!.onFrame = async (_, __, frame) => {
    await gate.promise
    order.push(frame[0]!)
    scene.changed()
  }
  const count = 128
  const bytes = 256 * 1024
  let taken = 0
  const all = (async () => {
    for (let i = 0; i < count; i++) {
      await a!.network.send(b!.id, 'bulk', new Uint8Array(bytes).fill(i))
      taken++
    }
  })()
  const before = b!.gossip.length
  await scene.until('time passes by pulses', () => b!.gossip.length > before + 6)
  expect(taken * bytes).toBeLessThan(6 * 1024 * 1024)
  gate.resolve()
  await all
  await scene.until('all came', () => order.length === count)
  expect(order).toEqual(Array.from({ length: count }, (_, i) => i))
})
