/**
 * A link: one connection with one member over which both lanes run. It stands when both sides have
 * opened their main stream to the other, which each does only for a member: so a peer that takes us
 * for a stranger, or that refused us after the dial had succeeded, never looks connected.
 *
 * Invariants: one stream per direction and lane, a newer one replaces the older; frames of a lane
 * are delivered one at a time, in order, and none before the link stands.
 */
import type { Connection, Stream } from '@libp2p/interface'
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { InvariantError } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import { pack, unpack } from '../packing.ts'
import { type Clock, type Lane, type Log, NetworkError } from '../ports.ts'
import { inLane } from './in-lane.ts'
import { OutLane } from './out-lane.ts'

/** The protocol of each lane, and of the door. */
export const protocols = {
  main: '/veche/main/1',
  bulk: '/veche/bulk/1',
  door: '/veche/door/1',
} as const

/** Streams of one lane that took the place of another, in the life of one link. */
const REPLACED_MAX = 8

const laneStreams = { maxInboundStreams: 2, maxOutboundStreams: 2 } as const

export interface LinkOptions {
  readonly peer: MemberId
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly deliver: (lane: Lane, frame: Bytes) => void | Promise<void>
  readonly onUp: () => void
  /** Called once, also when the link never stood. */
  readonly onDown: (error: NetworkError) => void
}

export class Link {
  readonly peer: MemberId
  readonly connection: Connection
  /** Monotonic milliseconds. */
  upAt: number | null = null
  heardAt: number
  gossipHeardAt: number
  readonly #options: LinkOptions
  readonly #up = Promise.withResolvers<boolean>()
  readonly #out: Record<Lane, OutLane | null> = { main: null, bulk: null }
  readonly #in: Record<Lane, { stream: Stream; done: Promise<void> } | null> = {
    main: null,
    bulk: null,
  }
  readonly #replaced: Record<Lane, number> = { main: 0, bulk: 0 }
  #isMainOpen = false
  #isDown = false

  constructor(options: LinkOptions) {
    this.#options = options
    this.peer = options.peer
    this.connection = options.connection
    this.heardAt = options.clock.monotonicMs()
    this.gossipHeardAt = this.heardAt
    const main = this.#open('main')
    void main.opened.then(() => {
      this.#isMainOpen = true
      this.#standIfBoth()
    })
    const timer = options.clock.after(limits.linkOpenMs, () => {
      if (this.upAt === null)
        this.down(new NetworkError('The other side does not take us for a member.'))
    })
    void this.#up.promise.then(() => timer.cancel())
  }

  /** See Network.send. */
  send(lane: Lane, frame: Bytes): Promise<void> {
    if (this.#isDown) return Promise.reject(new NetworkError('The link is down.'))
    const bytes = lane === 'main' ? pack(frame) : frame
    return (this.#out[lane] ?? this.#open(lane)).send(bytes)
  }

  /** Takes over a stream that the member opened. */
  accept(lane: Lane, stream: Stream): void {
    if (this.#isDown) {
      stream.abort(new NetworkError('The link is down.'))
      return
    }
    const before = this.#in[lane]
    // A member replaces a stream once at most; whoever heaps them up makes us keep what is unread.
    if (before !== null && this.#replaced[lane] >= REPLACED_MAX) {
      const sentence = 'A member opened one stream after the other.'
      this.#options.log('warn', sentence, { peer: this.peer, lane })
      stream.abort(new NetworkError(sentence))
      this.down(new NetworkError(sentence))
      return
    }
    if (before !== null) this.#replaced[lane] += 1
    before?.stream.abort(new NetworkError('A newer stream took its place.'))
    const { read } = inLane(stream, () => this.heard())
    this.#in[lane] = { stream, done: this.#receive(lane, stream, before?.done, read) }
    this.#standIfBoth()
  }

  /** Something came over this connection. */
  heard(): void {
    this.heardAt = this.#options.clock.monotonicMs()
  }

  /** Ends the link: lanes are rejected and cut; the connection is left to the caller. */
  down(error: NetworkError): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#up.resolve(false)
    for (const lane of ['main', 'bulk'] as const) {
      this.#out[lane]?.end(error)
      this.#in[lane]?.stream.abort(error)
    }
    this.#options.onDown(error)
  }

  #open(lane: Lane): OutLane {
    const open = () =>
      this.connection.newStream(protocols[lane], {
        signal: AbortSignal.timeout(limits.linkOpenMs),
        ...laneStreams,
      })
    const out = new OutLane(open, error => this.down(error))
    this.#out[lane] = out
    return out
  }

  #standIfBoth(): void {
    if (this.upAt !== null || this.#isDown) return
    if (!this.#isMainOpen || this.#in.main === null) return
    this.upAt = this.#options.clock.monotonicMs()
    this.#options.onUp()
    this.#up.resolve(true)
  }

  async #receive(
    lane: Lane,
    stream: Stream,
    before: Promise<void> | undefined,
    read: ReturnType<typeof inLane>['read'],
  ): Promise<void> {
    const { log, deliver } = this.#options
    try {
      await before
      if (!(await this.#up.promise)) return
      const isPacking = lane === 'main'
      await read(bytes => {
        if (!this.#isDown) return deliver(lane, isPacking ? unpack(bytes) : bytes)
      })
      this.down(new NetworkError('The other side closed the stream.'))
    } catch (error) {
      // A broken invariant is a bug of ours, wherever it shows: it ends the process.
      if (error instanceof InvariantError) throw error
      const wasReplaced = this.#in[lane]?.stream !== stream
      if (this.#isDown || wasReplaced) return
      const level = isHostile(error) ? 'warn' : 'debug'
      log(level, 'A stream from a member broke.', { peer: this.peer, lane, error: String(error) })
      stream.abort(error instanceof Error ? error : new Error(String(error)))
      this.down(new NetworkError('A stream from the other side broke.', { cause: error }))
    }
  }
}

/** Whether the other side sent what no member sends: a bad length, or what cannot be unpacked. */
function isHostile(error: unknown): boolean {
  return error instanceof Error && /^Invalid|^UnexpectedEOF|^StreamBuffer/.test(error.name)
}
