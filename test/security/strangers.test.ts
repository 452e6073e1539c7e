/**
 * Who has no key, and who has the key and is no member: what each of them can make a member do. On
 * loopback, with real networks; the strangers come from another address of it.
 */
import { connect, type Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { utf8, utf8Text } from '../../src/base/bytes.ts'
import { limits } from '../../src/base/limits.ts'
import { Unproven } from '../../src/node/libp2p/unproven.ts'
import { type Member, Scene } from '../node/libp2p/scene.ts'
import { heldBytes } from '../support/held-memory.ts'
import { type RawPeer, rawPeer, yamuxFlag, yamuxHead, yamuxType } from './raw-peer.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n', 'latin1')

/** Connections from 127.0.0.2 that are opened anew whenever they are closed. */
class Flood {
  readonly open = new Set<Socket>()
  closed = 0
  #isOver = false

  constructor(port: number, count: number, says: Uint8Array) {
    for (let n = 0; n < count; n++) this.#open(port, says)
    scene.onEnd(() => {
      this.#isOver = true
      for (const socket of this.open) socket.destroy()
    })
  }

  #open(port: number, says: Uint8Array): void {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    socket.on('connect', () => {
      this.open.add(socket)
      if (says.length > 0) socket.write(says)
    })
    socket.on('data', () => undefined)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.open.delete(socket)
      this.closed += 1
      scene.changed()
      if (!this.#isOver) setTimeout(() => this.#isOver || this.#open(port, says), 20)
    })
  }
}

function portOf(member: Member): number {
  return Number(/\/tcp\/(\d+)\//.exec(member.network.addresses()[0]!)![1])
}

/** Everybody who is not named stands at the door. */
function openDoor(member: Member): void {
  const named = member.admits.get.bind(member.admits)
  member.admits.get = peer => named(peer) ?? 'door'
}

/** Reads all, and resolves when the other side has closed or cut. */
function closed(socket: Socket): Promise<void> {
  socket.on('data', () => undefined)
  socket.on('error', () => socket.destroy())
  return new Promise(resolve => socket.on('close', () => resolve()))
}

async function stranger(to: Member): Promise<RawPeer> {
  const raw = await rawPeer(to.contact(), scene.networkKey)
  raw.connection.addEventListener('close', () => scene.changed())
  scene.onEnd(() => raw.stop())
  return raw
}

describe('without the key', () => {
  const saying: readonly (readonly [string, Uint8Array])[] = [
    ['say nothing', new Uint8Array(0)],
    ['stop in the middle of the handshake', MULTISTREAM],
  ]
  for (const [what, bytes] of saying) {
    test(`150 connections from one address that ${what}, again and again, keep no member out`, async () => {
      const [a, b] = [await scene.member(), await scene.member()]
      const flood = new Flood(portOf(a), 150, bytes)
      await scene.until('the flood is there', () => flood.closed >= 150)
      scene.introduce([a, b])
      await scene.linked([a, b])
      expect(a.events).toEqual([`connected ${b.id}`])
      expect([...a.frames, ...a.gossip].filter(({ from }) => from !== b.id)).toEqual([])
    })
  }

  test('one address has room for 32 unproven connections, and each that is over makes room', () => {
    const unproven = new Unproven()
    const connection = (host: string) => {
      const events = new EventTarget()
      return Object.assign(events, {
        remoteAddr: multiaddr(`/ip4/${host}/tcp/1`),
      }) as unknown as MultiaddrConnection & EventTarget
    }
    const taken = Array.from({ length: 200 }, () => connection('10.0.0.1')).filter(
      one => !unproven.refuses(one),
    )
    expect(taken.length).toBe(limits.unprovenPerAddressMax)
    expect(unproven.refuses(connection('10.0.0.2'))).toBe(false)
    unproven.proved(taken[0]!)
    taken[1]!.dispatchEvent(new Event('close'))
    const next = [1, 2, 3].map(() => unproven.refuses(connection('10.0.0.1')))
    expect(next).toEqual([false, false, true])
    for (const one of taken) unproven.proved(one)
    expect(unproven.count).toBe(3)
  })

  const garbage: readonly (readonly [string, Uint8Array])[] = [
    ['text of another protocol', utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a length that never ends', new Uint8Array(64).fill(0xff)],
    ['1 MiB of a length that never ends', new Uint8Array(1024 * 1024).fill(0x80)],
    [
      '1 MiB of a length that never ends, after a good beginning',
      Buffer.concat([MULTISTREAM.subarray(0, 20), Buffer.alloc(1024 * 1024, 0x80)]),
    ],
    ['8 MiB of zeros', new Uint8Array(8 * 1024 * 1024)],
    [
      'a noise message of the largest length',
      Buffer.concat([MULTISTREAM, Buffer.alloc(65_537, 0xff)]),
    ],
  ]
  for (const [what, bytes] of garbage) {
    test(`${what} is cut, and nothing of it is heard`, async () => {
      const a = await scene.member()
      const socket = connect({ port: portOf(a), host: '127.0.0.1' })
      const over = closed(socket)
      socket.write(bytes)
      await over
      expect([a.events, a.frames, a.gossip]).toEqual([[], [], []])
    })
  }

  test('a handshake that is never ended is cut after three seconds', async () => {
    const a = await scene.member()
    const socket = connect({ port: portOf(a), host: '127.0.0.1' })
    const over = closed(socket)
    const began = performance.now()
    socket.write(MULTISTREAM)
    await over
    expect(performance.now() - began).toBeLessThan(limits.linkOpenMs + 2000)
  })
})

describe('with the key, at the door', () => {
  test('a frame of the multiplexer that promises 4 GiB is cut before any of it is kept', async () => {
    const a = await scene.member()
    openDoor(a)
    const raw = await stranger(a)
    raw.wire.send(yamuxHead(yamuxType.data, yamuxFlag.syn, 11, 0xffff_ffff))
    let sent = 0
    while (raw.wire.status === 'open' && sent < 64 * limits.streamWindowBytes) {
      const bytes = new Uint8Array(256 * 1024)
      sent += bytes.length
      if (raw.wire.send(bytes)) await new Promise(resolve => setImmediate(resolve))
      else await raw.wire.onDrain().catch(() => undefined) // it is cut meanwhile
    }
    expect(raw.connection.status).not.toBe('open')
    expect(sent).toBeLessThan(32 * limits.streamWindowBytes) // what the system's own buffers take
  })

  test('a thousand streams are answered with resets from the 65th on', async () => {
    const a = await scene.member()
    openDoor(a)
    const raw = await stranger(a)
    let resets = 0
    raw.wire.addEventListener('message', ({ data }) => {
      const bytes = data.subarray()
      for (let at = 0; at + 12 <= bytes.length; at += 12)
        if (bytes[at + 1] === yamuxType.window && ((bytes[at + 3] ?? 0) & yamuxFlag.rst) !== 0)
          resets += 1
      scene.changed()
    })
    const frames = Array.from({ length: 1000 }, (_, n) =>
      yamuxHead(yamuxType.window, yamuxFlag.syn, 10_001 + 2 * n, 0),
    )
    raw.wire.send(Buffer.concat(frames))
    await scene.until('the rest is reset', () => resets >= 1000 - limits.connectionStreamsMax)
  })

  test('a stranger that fills all its streams holds no more memory than its bound', async () => {
    const a = await scene.member()
    openDoor(a)
    const raw = await stranger(a)
    const before = heldBytes()
    const full = new Uint8Array(255 * 1024).fill(0x80)
    for (let n = 0; n < 4 * limits.connectionStreamsMax && raw.wire.status === 'open'; n++) {
      const id = 10_001 + 2 * n
      raw.wire.send(yamuxHead(yamuxType.window, yamuxFlag.syn, id, 0))
      raw.wire.send(yamuxHead(yamuxType.data, yamuxFlag.none, id, full.length))
      if (!raw.wire.send(full.slice())) await raw.wire.onDrain().catch(() => undefined) // cut
    }
    // Both ends are in this process: what the stranger still has to send, or is given back after
    // its connection was cut, is its own and passes; what the member holds would stay.
    await vi.waitFor(() => expect(heldBytes() - before).toBeLessThan(limits.strangerBytesMax), {
      timeout: 20_000,
      interval: 250,
    })
    expect(a.events).toEqual([])
  })

  test('strangers that fill the door make room for the next one, who gets its answer', async () => {
    const a = await scene.member()
    openDoor(a)
    a.door = async (_, request) => request
    const many: RawPeer[] = []
    for (let n = 0; n < limits.strangersMax + 20; n++) many.push(await stranger(a))
    const isOpen = ({ connection }: RawPeer) => connection.status === 'open'
    await scene.until('the oldest are cut', () => many.filter(isOpen).length <= limits.strangersMax)
    expect(many.slice(0, 15).some(isOpen)).toBe(false)
    const guest = await scene.member()
    const answer = await guest.network.knock(a.contact(), utf8('let me in'))
    expect(utf8Text(answer)).toBe('let me in')
  })

  test('members keep their links while strangers come and go', async () => {
    const [a, b] = await scene.members(2)
    openDoor(a!)
    for (let n = 0; n < 30; n++) await (await rawPeer(a!.contact(), scene.networkKey)).stop()
    await a!.network.send(b!.id, 'main', utf8('still here'))
    await scene.until('the frame came', () => b!.frames.length === 1)
    expect(a!.events).toEqual([`connected ${b!.id}`])
  })
})
