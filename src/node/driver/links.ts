/**
 * Sending: for each member and lane a queue of bodies, and one frame on its way. What gathers while
 * a frame is being taken by the transport goes out in the next one; an idle link waits for nothing.
 * Also asking: a request is answered by one body with its number, or by silence (`undefined`).
 *
 * Nothing here is a promise to the other side: when a link breaks the queue is dropped, and what
 * was in it is noticed by sequence, by ping or by comparison.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Answering, Asking, Body, Envelope } from '../../consensus/messages.ts'
import { encodeBody } from '../../wire/body.ts'
import { sealFrame } from '../../wire/frame.ts'
import { type Clock, type Lane, type Log, type Network, NetworkError } from '../ports.ts'

/** Made when its turn comes, so that it says what is true then; `null`: nothing to say any more. */
type Lazy = () => Body | null

interface Outbox {
  readonly peer: MemberId
  readonly lane: Lane
  queue: (Bytes | Lazy)[]
  /** Of what is in the queue encoded. */
  bytes: number
  /** More was to be said than fits; told once until the queue is empty again. */
  isOver: boolean
  /** Lazy bodies that wait, by key: one of each is enough. */
  readonly waiting: Set<string>
  sending: boolean
}

interface Asked {
  readonly peer: MemberId
  readonly resolve: (answer: Answering | undefined) => void
  readonly timer: { cancel(): void }
}

/** Bodies of an asking without the number, which is given here. */
type WithoutRequest<T> = T extends Asking ? Omit<T, 'request'> : never
export type Question = WithoutRequest<Asking>

/** What all bodies of a frame may take. */
const BODY_BYTES_MAX = limits.streamFrameBytesMax - limits.envelopeBytesMax
/** A request that is not answered within this time is given up. */
export const ASK_TIMEOUT_MS = 5000

export class Links {
  readonly #network: Network
  readonly #clock: Clock
  readonly #log: Log
  readonly #envelope: () => Envelope
  readonly #outboxes = new Map<string, Outbox>()
  readonly #asked = new Map<number, Asked>()
  readonly #encoded = new WeakMap<Body, Bytes>()
  #nextRequest = 1

  constructor(options: {
    network: Network
    clock: Clock
    log: Log
    envelope: () => Envelope
  }) {
    this.#network = options.network
    this.#clock = options.clock
    this.#log = options.log
    this.#envelope = options.envelope
  }

  /** Queues a body for a member; dropped when there is no link. */
  send(peer: MemberId, body: Body, lane: Lane = 'main'): void {
    if (!this.#network.isConnected(peer)) return
    this.#push(this.#outbox(peer, lane), body)
  }

  /** Whether no more can be said to a member that takes nothing. */
  isFull(peer: MemberId, lane: Lane): boolean {
    const outbox = this.#outboxes.get(key(peer, lane))
    return outbox !== undefined && outbox.bytes >= limits.outboxBytesMax
  }

  /** Bytes that wait to be sent to a member. */
  waitingBytes(peer: MemberId): number {
    const lanes = (['main', 'bulk'] as const).map(lane => this.#outboxes.get(key(peer, lane)))
    return lanes.reduce((sum, outbox) => sum + (outbox?.bytes ?? 0), 0)
  }

  /** Queues a body that is made when its turn comes; at most one of a key waits. */
  sendLatest(peer: MemberId, key: string, body: Lazy): void {
    if (!this.#network.isConnected(peer)) return
    const outbox = this.#outbox(peer, 'main')
    if (outbox.waiting.has(key)) return
    outbox.waiting.add(key)
    this.#queue(outbox, () => {
      outbox.waiting.delete(key)
      return body()
    })
  }

  /** Asks a member; `undefined` when it did not answer in time or the link broke. */
  ask(
    peer: MemberId,
    question: Question,
    options: { readonly timeoutMs?: number; readonly lane?: Lane } = {},
  ): Promise<Answering | undefined> {
    if (!this.#network.isConnected(peer)) return Promise.resolve(undefined)
    const request = this.#nextRequest++
    const { promise, resolve } = Promise.withResolvers<Answering | undefined>()
    const timer = this.#clock.after(options.timeoutMs ?? ASK_TIMEOUT_MS, () => {
      this.#asked.delete(request)
      resolve(undefined)
    })
    this.#asked.set(request, { peer, resolve, timer })
    this.send(peer, { ...question, request } as Asking, options.lane)
    return promise
  }

  /** Takes an answer; one that nobody waits for any more is passed over. */
  answered(from: MemberId, answer: Answering): void {
    const asked = this.#asked.get(answer.request)
    if (asked === undefined || asked.peer !== from) return
    this.#asked.delete(answer.request)
    asked.timer.cancel()
    asked.resolve(answer)
  }

  /** The link to a member broke: its queue and its open questions end. */
  drop(peer: MemberId): void {
    for (const lane of ['main', 'bulk'] as const) {
      const outbox = this.#outboxes.get(key(peer, lane))
      if (outbox === undefined) continue
      empty(outbox)
    }
    for (const [request, asked] of this.#asked) {
      if (asked.peer !== peer) continue
      this.#asked.delete(request)
      asked.timer.cancel()
      asked.resolve(undefined)
    }
  }

  /** Ends everything; open questions are answered by silence. */
  stop(): void {
    for (const asked of this.#asked.values()) {
      asked.timer.cancel()
      asked.resolve(undefined)
    }
    this.#asked.clear()
    for (const outbox of this.#outboxes.values()) empty(outbox)
  }

  /** Takes bodies from the queue, encoded, up to the size of a batch; at least one that fits. */
  #takeBatch(outbox: Outbox): Bytes[] {
    const bodies: Bytes[] = []
    let bytes = 0
    let taken = 0
    for (const entry of outbox.queue) {
      const encoded = typeof entry === 'function' ? this.#made(entry) : entry
      if (encoded !== null) {
        if (bodies.length > 0 && bytes + encoded.length > BODY_BYTES_MAX) break
        bodies.push(encoded)
        bytes += encoded.length
      }
      if (typeof entry !== 'function') outbox.bytes -= entry.length
      taken += 1
      if (bytes >= limits.batchBytes || bodies.length >= limits.listMax) break
    }
    outbox.queue.splice(0, taken)
    if (outbox.queue.length === 0) outbox.isOver = false
    return bodies
  }

  #made(entry: Lazy): Bytes | null {
    const body = entry()
    return body === null ? null : this.#encode(body)
  }

  /** A body that goes to several members is encoded once. Null: larger than any frame. */
  #encode(body: Body): Bytes | null {
    let bytes = this.#encoded.get(body)
    if (bytes === undefined) {
      bytes = encodeBody(body)
      this.#encoded.set(body, bytes)
    }
    if (bytes.length <= BODY_BYTES_MAX) return bytes
    // Lists are cut before they come here, so this is a fault; what is lost heals by itself.
    const fields = { kind: body.kind, bytes: bytes.length }
    this.#log('error', 'A message is above its limit and was not sent.', fields)
    return null
  }

  #outbox(peer: MemberId, lane: Lane): Outbox {
    const name = key(peer, lane)
    let outbox = this.#outboxes.get(name)
    if (outbox === undefined) {
      outbox = {
        peer,
        lane,
        queue: [],
        bytes: 0,
        isOver: false,
        waiting: new Set(),
        sending: false,
      }
      this.#outboxes.set(name, outbox)
    }
    return outbox
  }

  /** What does not fit any more is not said: it is noticed like anything that a link loses. */
  #push(outbox: Outbox, body: Body): void {
    const bytes = this.#encode(body)
    if (bytes === null) return
    const isOver =
      outbox.bytes + bytes.length > limits.outboxBytesMax ||
      outbox.queue.length >= limits.outboxBodiesMax
    if (!isOver) {
      outbox.bytes += bytes.length
      this.#queue(outbox, bytes)
    } else if (!outbox.isOver) {
      outbox.isOver = true
      this.#log(
        'warn',
        'A member takes less than there is to tell it; the rest waits for it to ask.',
        {
          peer: outbox.peer,
          lane: outbox.lane,
        },
      )
    }
  }

  #queue(outbox: Outbox, entry: Bytes | Lazy): void {
    outbox.queue.push(entry)
    if (outbox.sending) return
    outbox.sending = true
    queueMicrotask(() => void this.#pump(outbox))
  }

  async #pump(outbox: Outbox): Promise<void> {
    try {
      while (outbox.queue.length > 0) {
        const bodies = this.#takeBatch(outbox)
        if (bodies.length === 0) continue
        const frame = sealFrame(this.#envelope(), bodies)
        await this.#network.send(outbox.peer, outbox.lane, frame)
      }
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      this.#log('debug', 'a link broke while sending', { peer: outbox.peer, why: error.message })
      this.drop(outbox.peer)
    } finally {
      outbox.sending = false
    }
  }
}

function empty(outbox: Outbox): void {
  outbox.queue = []
  outbox.bytes = 0
  outbox.isOver = false
  outbox.waiting.clear()
}

function key(peer: MemberId, lane: Lane): string {
  return `${lane}/${peer}`
}
