/**
 * A network that lies in every way that a real one may, on virtual time. Between two members stands
 * one link with two lanes each way; a lane gives its frames in order or breaks, as TCP does. Gossip
 * floods from member to member over links that stand, and may be lost, late, or come twice.
 *
 * A direction that is cut swallows what is sent until it is healed; a link over which nothing came
 * for three seconds is given up by who hears nothing, and dialled again. Frames are bytes: the
 * members encode and decode them.
 */
import type { Bytes } from '../src/base/bytes.ts'
import type { MemberId } from '../src/base/fact.ts'
import { limits } from '../src/base/limits.ts'
import {
  type Contact,
  type Lane,
  type Network,
  NetworkError,
  type NetworkListener,
} from '../src/node/ports.ts'
import type { Life, Timeline } from './clock.ts'
import { type End, type Link, openLink, sendOver } from './link.ts'
import type { Random } from './random.ts'
import { type Way, Ways } from './ways.ts'

/** What the network does without any fault; changed by faults while a run goes on. */
export interface Weather {
  /** One way, per frame. */
  latencyMs: readonly [number, number]
  bytesPerMs: number
  /** Per hop of gossip. */
  gossipLoss: number
  gossipDuplicate: number
  /** Added to the latency of a hop of gossip, so that it overtakes and is overtaken. */
  gossipExtraMs: number
}

export const FAIR: Readonly<Weather> = {
  latencyMs: [0.2, 2],
  bytesPerMs: 50_000,
  gossipLoss: 0,
  gossipDuplicate: 0,
  gossipExtraMs: 0,
}

/** Dials are tried anew after such a pause. */
const REDIAL_MS = [100, 600] as const

/** One member's place in the network, for one life. */
interface Endpoint {
  readonly self: MemberId
  readonly life: Life
  listener: NetworkListener | null
  contacts: ReadonlySet<MemberId>
  readonly ends: Map<MemberId, End>
}

export class SimNetwork {
  readonly weather: Weather = { ...FAIR }
  /** Frames and bytes that were handed over, for the report. */
  readonly counts = { frames: 0, bytes: 0, gossip: 0, lost: 0, links: 0, broken: 0 }
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #trace: (member: MemberId, what: string) => void
  readonly #endpoints = new Map<MemberId, Endpoint>()
  readonly #cuts = new Set<string>()
  /** How many faults hold a direction cut, beside `#cuts`. */
  #blocks = new Map<string, number>()
  readonly #links = new Map<string, Link>()
  readonly #ways = new Ways()
  readonly #dialling = new Set<string>()

  constructor(options: {
    timeline: Timeline
    random: Random
    trace: (member: MemberId, what: string) => void
  }) {
    this.#timeline = options.timeline
    this.#random = options.random
    this.#trace = options.trace
  }

  /** The network port of a member's new life. */
  port(self: MemberId, life: Life): Network {
    const endpoint: Endpoint = {
      self,
      life,
      listener: null,
      contacts: new Set(),
      ends: new Map(),
    }
    return {
      self,
      addresses: () => [addressOf(self)],
      start: async listener => {
        endpoint.listener = listener
        this.#endpoints.set(self, endpoint)
      },
      stop: async () => this.leave(self, 'stop'),
      setContacts: contacts => this.#setContacts(endpoint, contacts),
      publish: frame => this.#publish(endpoint, frame),
      send: (peer, lane, frame) => this.#send(endpoint, peer, lane, frame),
      isConnected: peer => endpoint.ends.has(peer),
      reconnect: peer => this.breakLink(self, peer),
      knock: (contact, request) => this.#knock(endpoint, contact, request),
    }
  }

  /** A member's process ended. After a kill its machine says so; after a power loss nobody does. */
  leave(member: MemberId, how: 'stop' | 'kill' | 'power'): void {
    const endpoint = this.#endpoints.get(member)
    if (endpoint === undefined) return
    this.#endpoints.delete(member)
    for (const [peer, end] of [...endpoint.ends]) {
      endpoint.ends.delete(peer)
      end.abandon()
      const isTold = how !== 'power' && !this.isCut(member, peer)
      this.#timeline.after(isTold ? this.#latency() : this.#silence(), () => this.#close(end.other))
    }
  }

  isCut(from: MemberId, to: MemberId): boolean {
    const direction = `${from} ${to}`
    return this.#cuts.has(direction) || this.#blocks.has(direction)
  }

  /** Nothing passes from one member to another until `heal`. */
  cut(from: MemberId, to: MemberId): void {
    if (this.isCut(from, to)) return
    this.#cuts.add(`${from} ${to}`)
    this.watchSilence(from, to)
  }

  heal(from: MemberId, to: MemberId): void {
    if (this.#cuts.delete(`${from} ${to}`)) this.#opened(from, to)
  }

  /** As `cut`, for one of several that may hold it; what is answered lets it go. */
  block(from: MemberId, to: MemberId): () => void {
    const blocks = this.#blocks
    const direction = `${from} ${to}`
    const wasCut = this.isCut(from, to)
    blocks.set(direction, (blocks.get(direction) ?? 0) + 1)
    if (!wasCut) this.watchSilence(from, to)
    let isHeld = true
    return () => {
      if (!isHeld || this.#blocks !== blocks) return
      isHeld = false
      const left = blocks.get(direction)! - 1
      if (left > 0) blocks.set(direction, left)
      else {
        blocks.delete(direction)
        this.#opened(from, to)
      }
    }
  }

  /** One hold on a direction is gone: unless there is another, all goes through again. */
  #opened(from: MemberId, to: MemberId): void {
    if (this.isCut(from, to)) return
    const link = this.#links.get(pairKey(from, to))
    if (link !== undefined) for (const flow of link.flowsFrom(from)) flow.flush(this.#latency())
    this.#dial(from, to)
  }

  /** Makes the way between two members worse; what is answered ends it. */
  worsen(one: MemberId, other: MemberId, way: Way): () => void {
    return this.#ways.worsen(pairKey(one, other), way)
  }

  /** Whether no way is worse than the weather. */
  get hasFairWays(): boolean {
    return this.#ways.areFair
  }

  healAll(): void {
    this.#ways.heal()
    const held = [...this.#cuts, ...this.#blocks.keys()]
    this.#cuts.clear()
    this.#blocks = new Map()
    for (const cut of held) {
      const [from, to] = cut.split(' ')
      this.#opened(from!, to!)
    }
  }

  /** Somebody fell silent for another: given up when that lasts three seconds. */
  watchSilence(from: MemberId, to: MemberId): void {
    const end = this.#endpoints.get(to)?.ends.get(from)
    if (end === undefined) return
    this.#timeline.after(this.#silence(), () => {
      const sender = this.#endpoints.get(from)
      const isSilent = this.isCut(from, to) || sender === undefined || sender.life.isStill
      if (!isSilent || !end.isOpen) return
      this.#close(end)
      if (!this.isCut(to, from)) this.#closeLater(end.other)
    })
  }

  /** A connection breaks for both (RST); it is dialled again. Answers whether there was one. */
  breakLink(one: MemberId, other: MemberId): boolean {
    const end = this.#endpoints.get(one)?.ends.get(other)
    if (end === undefined) return false
    this.counts.broken += 1
    this.#close(end)
    this.#closeLater(end.other)
    return true
  }

  #closeLater(end: End): void {
    this.#timeline.after(this.#latency(), () => this.#close(end))
  }

  /** One end is closed: its member is told, and dials again. */
  #close(end: End): void {
    if (!end.isOpen) return
    end.close()
    const endpoint = this.#endpoints.get(end.self)
    if (endpoint?.ends.get(end.peer) === end) {
      endpoint.ends.delete(end.peer)
      this.#trace(end.self, `disconnected ${end.peer}`)
      endpoint.life.run(() => endpoint.listener?.disconnected(end.peer))
    }
    this.#dial(end.self, end.peer)
  }

  #setContacts(endpoint: Endpoint, contacts: readonly Contact[]): void {
    endpoint.contacts = new Set(contacts.map(contact => contact.peer))
    for (const peer of endpoint.contacts) this.#dial(endpoint.self, peer)
    for (const [peer, end] of endpoint.ends) {
      if (endpoint.contacts.has(peer)) continue
      this.#close(end)
      this.#closeLater(end.other)
    }
  }

  /** Tries to open a link after a pause, again and again while both are there and it is down. */
  #dial(one: MemberId, other: MemberId): void {
    const key = pairKey(one, other)
    if (this.#dialling.has(key)) return
    this.#dialling.add(key)
    this.#timeline.after(this.#random.between(...REDIAL_MS), () => {
      this.#dialling.delete(key)
      const a = this.#endpoints.get(one)
      const b = this.#endpoints.get(other)
      if (a === undefined || b === undefined) return
      if (!a.contacts.has(other) && !b.contacts.has(one)) return
      if (a.ends.has(other) && b.ends.has(one)) return
      const isBlocked = this.isCut(one, other) || this.isCut(other, one)
      if (isBlocked || a.life.isStill || b.life.isStill) return this.#dial(one, other)
      const isLetIn = [a.listener?.admit(other), b.listener?.admit(one)].every(x => x === 'member')
      if (isLetIn) this.#open(a, b, key)
      else this.#dial(one, other)
    })
  }

  #open(a: Endpoint, b: Endpoint, key: string): void {
    for (const end of this.#links.get(key)?.ends ?? []) this.#close(end)
    const link = openLink({
      members: [a.self, b.self],
      isCut: (from, to) => this.isCut(from, to),
      timeline: this.#timeline,
      latencyMs: () => this.#latencyOf(a.self, b.self),
      bytesPerMs: () => this.#ways.of(key)?.bytesPerMs ?? this.weather.bytesPerMs,
      give: (from, to, lane, frame) => this.#give(from, to, lane, frame),
    })
    this.#links.set(key, link)
    this.counts.links += 1
    a.ends.set(b.self, link.ends[0])
    b.ends.set(a.self, link.ends[1])
    for (const [self, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#trace(self.self, `connected ${peer.self}`)
      self.life.run(() => self.listener?.connected(peer.self))
    }
  }

  /** Hands a frame to the process of its receiver; answers when that is ready for the next. */
  #give(end: End, from: MemberId, lane: Lane, frame: Bytes): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const endpoint = this.#endpoints.get(end.self)
    endpoint?.life.run(() => {
      if (endpoint.ends.get(from) !== end) return
      this.counts.frames += 1
      this.counts.bytes += frame.length
      this.#trace(end.self, `frame ${from} ${lane} ${frame.length}`)
      const work = endpoint.listener?.frame(from, lane, frame)
      if (work === undefined) resolve()
      else void work.then(resolve)
    })
    return promise
  }

  #send(endpoint: Endpoint, peer: MemberId, lane: Lane, frame: Bytes): Promise<void> {
    const end = endpoint.ends.get(peer)
    if (end === undefined) return Promise.reject(new NetworkError(`no link to ${peer}`))
    return sendOver(end, lane, frame)
  }

  /** Each member hears it once, by the way on which it comes first; sometimes once more, later. */
  #publish(origin: Endpoint, frame: Bytes): void {
    const arrivals = this.#flood(origin)
    for (const [member, delayMs] of arrivals) {
      this.#hearLater(origin.self, member, delayMs, frame)
      if (!this.#random.chance(this.weather.gossipDuplicate)) continue
      this.#hearLater(origin.self, member, delayMs + this.#random.between(1, 3000), frame)
    }
  }

  #hearLater(from: MemberId, member: MemberId, delayMs: number, frame: Bytes): void {
    this.#timeline.after(delayMs, () => {
      const endpoint = this.#endpoints.get(member)
      endpoint?.life.run(() => {
        this.counts.gossip += 1
        this.#trace(member, `gossip ${from} ${frame.length}`)
        endpoint.listener?.gossip(from, frame)
      })
    })
  }

  /** When a message reaches each member: the nearest first, each passes it on. */
  #flood(origin: Endpoint): [MemberId, number][] {
    const open = new Map<MemberId, number>([[origin.self, 0]])
    const reached = new Map<MemberId, number>()
    while (open.size > 0) {
      let nearest: MemberId | null = null
      for (const [member, at] of open) {
        if (nearest === null || at < open.get(nearest)!) nearest = member
      }
      const member = nearest!
      const at = open.get(member)!
      open.delete(member)
      reached.set(member, at)
      const endpoint = this.#endpoints.get(member)
      if (endpoint === undefined || (endpoint.life.isStill && endpoint !== origin)) continue
      for (const peer of endpoint.ends.keys()) {
        if (reached.has(peer) || this.isCut(member, peer)) continue
        if (this.#random.chance(this.weather.gossipLoss)) {
          this.counts.lost += 1
          continue
        }
        const extraMs = this.#random.between(0, this.weather.gossipExtraMs)
        const arrival = at + this.#latencyOf(member, peer) + extraMs
        if (arrival < (open.get(peer) ?? Number.POSITIVE_INFINITY)) open.set(peer, arrival)
      }
    }
    reached.delete(origin.self)
    return [...reached]
  }

  async #knock(from: Endpoint, contact: Contact, request: Bytes): Promise<Bytes> {
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>()
    const asked = this.#endpoints.get(contact.peer)
    const isAway = asked === undefined || this.isCut(from.self, contact.peer)
    if (isAway || asked.listener?.admit(from.self) === 'refuse') {
      from.life.after(isAway ? limits.dialMs : this.#latency(), () =>
        reject(new NetworkError(`nobody opens at ${contact.peer}`)),
      )
      return promise
    }
    // Whoever dies with the question under its hands answers nothing.
    from.life.after(limits.doorMs, () => reject(new NetworkError(`${contact.peer} says nothing`)))
    asked.life.after(this.#latency(), () => {
      void asked.listener?.door(from.self, request).then(
        answer => from.life.after(this.#latency(), () => resolve(answer)),
        error => from.life.after(this.#latency(), () => reject(new NetworkError(String(error)))),
      )
    })
    return promise
  }

  #latency(): number {
    return this.#random.between(...this.weather.latencyMs)
  }

  #latencyOf(one: MemberId, other: MemberId): number {
    const way = this.#ways.of(pairKey(one, other))
    return this.#latency() + (way === undefined ? 0 : this.#random.between(...way.extraMs))
  }

  /** How long a silence lasts until it is noticed. */
  #silence(): number {
    return limits.linkSilenceMs + this.#random.between(0, 500)
  }
}

/** Members are named by letters, so that a trace can be read. */
export function memberId(index: number): MemberId {
  return index < 26 ? String.fromCharCode(97 + index) : `m${index}`
}

/** Where a simulated member can be dialled. */
export function addressOf(member: MemberId): string {
  return `/memory/${member}`
}

function pairKey(one: MemberId, other: MemberId): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`
}
