/**
 * The short way is held against the library's own way: two streams, one of them shortened, go through the
 * same life, and say, hear and are the same after each step. A frame of the multiplexer has the library's bytes.
 */
import type { Logger } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shorten } from '../../../src/node/libp2p/short-way.ts'

type Pieces = Parameters<AbstractMessageStream['onData']>[0]

const hex = (bytes: Pieces) => Buffer.from(bytes.subarray()).toString('hex')

const quiet = () => undefined
const silent = Object.assign(quiet, {
  error: quiet,
  trace: quiet,
  enabled: false,
}) as unknown as Logger

/** A stream over something that takes so many bytes, until it is drained. */
class Life extends AbstractMessageStream {
  readonly told: string[] = []
  room = 100
  failing = false
  /** What is sent by whoever is told of the next sending. */
  nested: Uint8Array | null = null
  #bytes = 0

  constructor(maxMessageSize: number | undefined, isShort: boolean) {
    super({
      log: silent,
      maxWriteBufferLength: 200,
      ...(maxMessageSize === undefined ? {} : { maxMessageSize }),
    })
    if (isShort) shorten(this)
    for (const type of ['close', 'remoteCloseWrite', 'end'] as const)
      this.addEventListener(type, () => this.told.push(type))
  }

  sendData(data: Pieces): { sentBytes: number; canSendMore: boolean } {
    if (this.failing) throw new Error('It is gone.')
    const sentBytes = Math.min(this.room, data.byteLength)
    this.room -= sentBytes
    this.told.push(`sent ${hex(data).slice(0, sentBytes * 2)} of ${data.byteLength}`)
    const { nested } = this
    this.nested = null
    if (nested !== null) this.told.push(`nested ${this.send(nested)}`)
    return { sentBytes, canSendMore: this.room > 20 }
  }

  async close(): Promise<void> {
    throw new Error('The streams of this test end otherwise.')
  }

  sendReset(): void {
    this.told.push('reset')
  }

  sendPause(): void {
    this.told.push('pause')
  }

  sendResume(): void {
    this.told.push('resume')
  }

  /** Bytes of which no two are alike nearby. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#bytes++ & 255)
  }

  state(): string {
    const { status, readStatus, writeStatus, remoteReadStatus, remoteWriteStatus } = this
    const { readBufferLength, writeBufferLength, writableNeedsDrain, sendingData } = this
    const lengths = [readBufferLength, writeBufferLength, writableNeedsDrain, sendingData]
    return [status, readStatus, writeStatus, remoteReadStatus, remoteWriteStatus, lengths].join()
  }
}

/** What happens to a stream, in words and as an act. */
type Step = readonly [string, (life: Life) => void]

/** One listener of each name for a stream: who is added twice hears once. */
const hearing = new WeakMap<Life, Map<string, (event: { data: Pieces }) => void>>()

/** Who hears; the last one makes the other side end meanwhile. */
function listener(life: Life, name: string): (event: { data: Pieces }) => void {
  const known = hearing.get(life) ?? new Map()
  hearing.set(life, known)
  const hears =
    known.get(name) ??
    ((event: { data: Pieces }) => {
      life.told.push(`${name} ${hex(event.data)}`)
      if (name === 'last') life.onRemoteCloseWrite()
    })
  known.set(name, hears)
  return hears
}

function happens<Value>(
  weight: number,
  what: string,
  values: fc.Arbitrary<Value>,
  act: (life: Life, value: Value) => void,
): fc.WeightedArbitrary<Step> {
  const step = (value: Value): Step => [`${what} ${value}`, life => act(life, value)]
  return { weight, arbitrary: values.map(step) }
}

const nothing = fc.constant('')
const name = fc.constantFrom('first', 'second')
const length = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60, max: 400 }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  happens(8, 'send', length, (life, n) => life.told.push(`${life.send(life.bytes(n))}`)),
  happens(8, 'data', length, (life, n) => life.onData(life.bytes(n))),
  happens(4, 'drain', length, (life, n) => {
    life.room += n
    life.safeDispatchEvent('drain')
  }),
  happens(2, 'nest', length, (life, n) => {
    life.nested = life.bytes(n)
  }),
  happens(3, 'listen', name, (life, n) => life.addEventListener('message', listener(life, n))),
  happens(1, 'last', nothing, life => life.addEventListener('message', listener(life, 'last'))),
  happens(1, 'deaf', name, (life, n) => life.removeEventListener('message', listener(life, n))),
  happens(1, 'once', nothing, life =>
    life.addEventListener('message', event => life.told.push(`once ${hex(event.data)}`), {
      once: true,
    }),
  ),
  happens(1, 'idle', nothing, life => life.addEventListener('idle', () => life.told.push('idle'))),
  happens(1, 'pause', nothing, life => life.pause()),
  happens(2, 'resume', nothing, life => life.resume()),
  happens(1, 'unshift', length, (life, n) => life.unshift(life.bytes(n))),
  happens(1, 'ended there', nothing, life => life.onRemoteCloseWrite()),
  happens(1, 'fails', nothing, life => {
    life.failing = true
  }),
  happens(1, 'abort', nothing, life => life.abort(new Error('enough'))),
  happens(1, 'closed below', nothing, life => life.onTransportClosed()),
)

/** Everything that one stream says in a life. */
async function live(life: Life, steps: readonly Step[]): Promise<string[]> {
  for (const [what, act] of steps) {
    life.told.push(`-- ${what}`)
    try {
      act(life)
    } catch (error) {
      life.told.push(String(error))
    }
    await Promise.resolve()
    life.told.push(life.state())
  }
  await new Promise(resolve => setTimeout(resolve, 1)) // what was put back is told by a timer
  life.told.push(life.state())
  return life.told
}

test('a stream whose way is short says, hears and is what the library’s is, whatever happens to it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      fc.array(step, { maxLength: 30 }),
      async (maxMessageSize, steps) => {
        const [own, short] = [new Life(maxMessageSize, false), new Life(maxMessageSize, true)]
        expect(await live(short, steps)).toEqual(await live(own, steps))
      },
    ),
    { numRuns: 1000 },
  )
})

test('who listens and fails keeps nobody from hearing, and the process is told', async () => {
  const life = new Life(undefined, true)
  const thrown: unknown[] = []
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', error => thrown.push(error))
  try {
    life.addEventListener('message', () => {
      throw new Error('not for me')
    })
    life.addEventListener('message', listener(life, 'second'))
    life.onData(new Uint8Array([7]))
    expect(life.told).toEqual(['second 07'])
    await new Promise(resolve => setImmediate(resolve))
    expect(String(thrown)).toBe('Error: not for me')
  } finally {
    for (const each of before) process.on('uncaughtException', each)
  }
})
