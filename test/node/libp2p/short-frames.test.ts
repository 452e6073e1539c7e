/**
 * The short way through the multiplexer is held against the library's own: two of them, one shortened,
 * are given the same to send and to read, and put the same bytes on the wire and the same in the streams.
 */
import type { Logger, MultiaddrConnection, Stream } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sendWhole, shortenFrames } from '../../../src/node/libp2p/short-frames.ts'

const quiet = () => undefined
const silent = Object.assign(quiet, {
  error: quiet,
  trace: quiet,
  newScope: () => silent,
}) as unknown as Logger

/** The first window of a stream, as the multiplexer has it. */
const WINDOW_BYTES = 256 * 1024

/** A connection that keeps what is written, and hands on what it is given to read. */
class Wire extends EventTarget {
  readonly log = silent
  readonly direction = 'outbound'
  readonly written: Uint8Array[] = []

  send(data: { subarray(): Uint8Array }): boolean {
    this.written.push(Uint8Array.from(data.subarray()))
    return true
  }

  abort(error: Error): void {
    this.written.push(Buffer.from(String(error)))
  }

  read(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

interface Side {
  readonly wire: Wire
  readonly streams: Stream[]
  readonly heard: string[]
}

async function side(isShort: boolean): Promise<Side> {
  const wire = new Wire()
  const init = { enableKeepAlive: false }
  const made = yamux(init)().createStreamMuxer(wire as unknown as MultiaddrConnection)
  const muxer = isShort ? shortenFrames(made) : made
  const heard: string[] = []
  const streams: Stream[] = []
  const listen = (stream: Stream) => {
    const name = `${streams.length}`
    if (isShort) sendWhole(stream)
    stream.addEventListener('message', ({ data }) => {
      heard.push(`${name} ${Buffer.from(data.subarray()).toString('hex')}`)
    })
    stream.addEventListener('close', ({ error }) => heard.push(`${name} closed ${error}`))
    streams.push(stream)
  }
  muxer.addEventListener('stream', (event: CustomEvent<Stream>) => listen(event.detail))
  listen(await muxer.createStream())
  listen(await muxer.createStream())
  return { wire, streams, heard }
}

function frame(type: number, flag: number, stream: number, length: number, data = 0): Uint8Array {
  const head = Buffer.alloc(12 + data)
  head.writeUInt8(type, 1)
  head.writeUInt16BE(flag, 2)
  head.writeUInt32BE(stream, 4)
  head.writeUInt32BE(length, 8)
  return head.fill(length, 12)
}

const at = fc.nat({ max: 2 })
const id = fc.constantFrom(1, 3, 2, 2, 2, 5)
/** Mostly none; else that the stream is new, known there, ended, or broken. */
const flag = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(1, 1, 1, 2, 4, 8))
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 16_000, max: 16_500 }),
  fc.integer({ min: 1, max: WINDOW_BYTES + 100 }),
)

type Step = readonly ['send', number, number] | readonly ['read', Uint8Array]

const good = fc.oneof(
  fc
    .tuple(flag, id, fc.integer({ min: 0, max: 200 }))
    .map(([flags, stream, length]) => frame(0, flags, stream, length, length)),
  fc
    .tuple(flag, id, fc.integer({ min: 0, max: WINDOW_BYTES }))
    .map(([flags, stream, length]) => frame(1, flags, stream, length)),
  fc.constant(frame(2, 1, 0, 7)), // a ping
)

/** A farewell, a ping's answer that nobody asked for, what no stream knows, a window of no stream, no version. */
const last = fc.constantFrom(
  frame(3, 0, 0, 0),
  frame(2, 2, 0, 9),
  frame(9, 0, 1, 0),
  frame(1, 0, 0, 5),
  Buffer.alloc(12, 1),
)

/** Several frames, in two parts wherever they come apart. */
const parts = fc
  .tuple(fc.array(good, { minLength: 1, maxLength: 4 }), fc.nat({ max: 100 }))
  .map(([frames, percent]) => {
    const bytes = Buffer.concat(frames)
    const cut = Math.floor((bytes.length * percent) / 100)
    return [bytes.subarray(0, cut), bytes.subarray(cut)].map(part => ['read', part] as const)
  })

const step: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(at, sizes).map(([to, size]) => [['send', to, size]] as const) },
  { weight: 10, arbitrary: parts },
  { weight: 1, arbitrary: last.map(bytes => [['read', bytes]] as const) },
)

async function run({ wire, streams, heard }: Side, steps: readonly Step[]): Promise<string[]> {
  for (const [what, first, size] of steps) {
    try {
      if (what === 'read') wire.read(first)
      else heard.push(`${streams[first]?.send(new Uint8Array(size).fill(size & 255))}`)
    } catch (error) {
      heard.push(String(error))
    }
    await new Promise(resolve => setImmediate(resolve))
    heard.push(streams.map(({ status, writeBufferLength }) => [status, writeBufferLength]).join())
  }
  return [...heard, Buffer.concat(wire.written).toString('hex')]
}

test('a multiplexer whose way is short writes the library’s bytes, and reads the same, whatever comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async lists => {
      const steps = lists.flat()
      const [own, short] = [await side(false), await side(true)]
      expect(await run(short, steps)).toEqual(await run(own, steps))
    }),
    { numRuns: 500 },
  )
})
