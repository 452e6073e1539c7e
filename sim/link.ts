/**
 * One link between two members: two ends, and from each end a flow for each lane. A flow keeps
 * order, takes time for latency and for bytes, and stops taking when the other side does not read.
 * What is on its way when an end closes is lost.
 */
import type { Bytes } from '../src/base/bytes.ts'
import type { MemberId } from '../src/base/fact.ts'
import { type Lane, NetworkError } from '../src/node/ports.ts'
import type { Timeline } from './clock.ts'

/** What may be sent and not read yet, before a sender waits. */
const WINDOW_BYTES = 1024 * 1024

export interface LinkOptions {
  readonly members: readonly [MemberId, MemberId]
  readonly timeline: Timeline
  isCut(from: MemberId, to: MemberId): boolean
  latencyMs(): number
  bytesPerMs(): number
  /** Gives a frame to the process at an end; resolves when it reads on. */
  give(to: End, from: MemberId, lane: Lane, frame: Bytes): Promise<void>
}

export interface Link {
  readonly ends: readonly [End, End]
  flowsFrom(member: MemberId): Flow[]
}

/** What one of the two members holds of a link. */
export class End {
  readonly self: MemberId
  readonly peer: MemberId
  readonly flows: Readonly<Record<Lane, Flow>>
  isOpen = true
  other!: End

  constructor(self: MemberId, peer: MemberId, options: LinkOptions) {
    this.self = self
    this.peer = peer
    this.flows = { main: new Flow(this, 'main', options), bulk: new Flow(this, 'bulk', options) }
  }

  close(): void {
    this.isOpen = false
    for (const flow of [this.flows.main, this.flows.bulk]) flow.close()
  }

  /** Its process is gone: nobody waits here any more. */
  abandon(): void {
    this.isOpen = false
    for (const flow of [this.flows.main, this.flows.bulk]) flow.abandon()
  }
}

/** One direction of one lane. */
export class Flow {
  readonly #from: End
  readonly #lane: Lane
  readonly #options: LinkOptions
  /** Frames that a cut holds back, and frames that wait for their reader. */
  readonly #stuck: Bytes[] = []
  readonly #arrived: Bytes[] = []
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #unreadBytes = 0
  #sentAtMs = 0
  #arrivesAtMs = 0
  #isReading = false

  constructor(from: End, lane: Lane, options: LinkOptions) {
    this.#from = from
    this.#lane = lane
    this.#options = options
  }

  /** Resolves when the transport took the frame. */
  send(frame: Bytes): Promise<void> {
    this.#unreadBytes += frame.length
    this.#travel(frame)
    if (this.#unreadBytes <= WINDOW_BYTES) return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ resolve, reject })
    return promise
  }

  /** The cut is over: what it held back is sent again. */
  flush(delayMs: number): void {
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, this.#options.timeline.nowMs + delayMs)
    for (const frame of this.#stuck.splice(0)) this.#travel(frame)
  }

  close(): void {
    this.#stuck.length = 0
    this.#arrived.length = 0
    const broken = new NetworkError(`the link to ${this.#from.peer} broke`)
    for (const { reject } of this.#waiting.splice(0)) reject(broken)
  }

  abandon(): void {
    this.#stuck.length = 0
    this.#arrived.length = 0
    this.#waiting.length = 0
  }

  #travel(frame: Bytes): void {
    const { timeline, latencyMs, bytesPerMs } = this.#options
    this.#sentAtMs = Math.max(timeline.nowMs, this.#sentAtMs) + frame.length / bytesPerMs()
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, this.#sentAtMs + latencyMs())
    timeline.at(this.#arrivesAtMs, () => this.#arrive(frame))
  }

  #arrive(frame: Bytes): void {
    const { self, peer, other } = this.#from
    if (!other.isOpen) return
    if (this.#stuck.length > 0 || this.#options.isCut(self, peer)) {
      this.#stuck.push(frame)
      return
    }
    this.#arrived.push(frame)
    this.#read()
  }

  #read(): void {
    const { self, other } = this.#from
    if (this.#isReading || !other.isOpen) return
    const frame = this.#arrived.shift()
    if (frame === undefined) return
    this.#isReading = true
    void this.#options.give(other, self, this.#lane, frame).then(() => {
      this.#isReading = false
      this.#unreadBytes -= frame.length
      if (this.#unreadBytes <= WINDOW_BYTES) {
        for (const { resolve } of this.#waiting.splice(0)) resolve()
      }
      this.#read()
    })
  }
}

/** Opens a link: both ends stand. */
export function openLink(options: LinkOptions): Link {
  const [a, b] = options.members
  const ends = [new End(a, b, options), new End(b, a, options)] as const
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  return {
    ends,
    flowsFrom: member => {
      const { flows } = member === a ? ends[0] : ends[1]
      return [flows.main, flows.bulk]
    },
  }
}

/** Sends a frame from an end. */
export function sendOver(end: End, lane: Lane, frame: Bytes): Promise<void> {
  if (!end.isOpen) return Promise.reject(new NetworkError(`the link to ${end.peer} broke`))
  return end.flows[lane].send(frame)
}
