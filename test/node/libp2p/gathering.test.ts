/**
 * What small frames cost: calls to the operating system, and bytes that come back over the wire.
 */
import { Writable } from 'node:stream'
import type { MultiaddrConnection } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gatherWrites } from '../../../src/node/libp2p/gathering.ts'
import { startProxy } from './proxy.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

/** Bytes that were not joined, as libp2p hands them on. */
class Pieces {
  readonly #pieces: readonly Buffer[]

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces
  }

  get byteLength(): number {
    return this.subarray().length
  }

  subarray(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  [Symbol.iterator](): Iterator<Buffer> {
    return this.#pieces[Symbol.iterator]()
  }
}

const list = (...sizes: number[]) =>
  new Pieces(sizes.map((size, at) => Buffer.alloc(size, at + size)))

const FRAMES = 300
const FRAME_BYTES = 3000

test('small frames that are read are not each answered by a window that opens', async () => {
  const a = await scene.member({ pulseMs: 0 })
  const b = await scene.member({ pulseMs: 0 })
  const [dialler, dialled] = a.id < b.id ? [a, b] : [b, a]
  const port = Number(/\/tcp\/(\d+)/.exec(dialled.network.addresses()[0]!)?.[1])
  const proxy = await startProxy(port)
  scene.onEnd(() => proxy.close())
  dialler.admits.set(dialled.id, 'member')
  dialled.admits.set(dialler.id, 'member')
  dialler.network.setContacts([
    { peer: dialled.id, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] },
  ])
  await scene.until('the link stands', () =>
    [a, b].every(m => m.network.isConnected(m === a ? b.id : a.id)),
  )
  const before = proxy.passed()
  for (let sent = 1; sent <= FRAMES; sent++) {
    await dialler.network.send(dialled.id, 'main', new Uint8Array(FRAME_BYTES).fill(1))
    await scene.until('it arrived', () => dialled.frames.length === sent)
  }
  const after = proxy.passed()
  // A window is opened again with each half of it; beside that a few pings.
  expect(after.there - before.there).toBeGreaterThan(FRAMES * FRAME_BYTES)
  expect(after.back - before.back).toBeLessThan(10 * FRAMES)
})

test('what is written in one turn goes out in one call, in order; a full socket is heard', async () => {
  const calls: Buffer[] = []
  const socket = new Writable({
    highWaterMark: 100_000,
    write: (bytes, _, done) => {
      calls.push(bytes)
      done()
    },
    writev: (pieces, done) => {
      calls.push(Buffer.concat(pieces.map(({ chunk }) => chunk)))
      done()
    },
  })
  // As libp2p's TCP connection writes.
  const connection = {
    socket,
    sendData(data: Pieces) {
      let sentBytes = 0
      let canSendMore = true
      for (const piece of data) {
        sentBytes += piece.byteLength
        canSendMore = socket.write(piece)
        if (!canSendMore) break
      }
      return { sentBytes, canSendMore }
    },
  }
  gatherWrites(connection as unknown as MultiaddrConnection)
  const small = list(2, 12, 1000, 16)
  const large = list(2, 40_000, 16)
  expect(connection.sendData(small)).toEqual({ sentBytes: 1030, canSendMore: true })
  expect(connection.sendData(large)).toEqual({ sentBytes: 40_018, canSendMore: true })
  expect(connection.sendData(small)).toEqual({ sentBytes: 1030, canSendMore: true })
  expect(calls).toEqual([])
  await new Promise(resolve => setImmediate(resolve))
  const expected = [small, large, small].map(data => data.subarray())
  expect(calls.map(call => call.toString('hex'))).toEqual([Buffer.concat(expected).toString('hex')])
  expect(connection.sendData(list(99_999, 2, 7))).toEqual({
    sentBytes: 100_001,
    canSendMore: false,
  })
})
