/**
 * Listens at the network ports of a world's members: what was sent to whom, when, and when it came.
 * A frame is known again by its bytes' identity; it is decoded only to name what is in it. Nothing
 * that passes is changed. Memory is bounded: beyond `MESSAGES_MAX` every second one is let go.
 */
import type { Bytes } from '../../src/base/bytes.ts'
import { limits } from '../../src/base/limits.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import type { World } from '../world.ts'
import type { Message, MessageGroup } from './data.ts'

/** About 40 bytes each in the page: four megabytes. */
const MESSAGES_MAX = 100_000

/** What is not here is about the roster. */
const groups: Readonly<Record<string, MessageGroup>> = {
  ping: 'pings',
  probe: 'probes',
  probed: 'probes',
  twin: 'probes',
  adds: 'adds',
  ack: 'adds',
  relay: 'adds',
  offer: 'adds',
  offered: 'adds',
  adopt: 'adds',
  askSequences: 'adds',
  sequences: 'adds',
  askWalk: 'comparing',
  walked: 'comparing',
  askItems: 'comparing',
  items: 'comparing',
  askFacts: 'fetching',
  facts: 'fetching',
  askHolds: 'fetching',
  holds: 'fetching',
  askSystem: 'fetching',
  system: 'fetching',
  askChunk: 'payloads',
  chunk: 'payloads',
}

/** A frame names the group of what matters most in it: an acknowledgment rides along with much. */
const WEIGHT: readonly MessageGroup[] = [
  'roster',
  'comparing',
  'payloads',
  'fetching',
  'adds',
  'probes',
  'pings',
]

interface Sent {
  readonly atMs: number
  readonly kind: number
}

export class Messages {
  readonly kinds: { name: string; group: MessageGroup }[] = []
  kept: Message[] = []
  keptOneOf = 1
  readonly #world: World
  readonly #sent = new WeakMap<Bytes, Sent>()
  readonly #kindOf = new Map<string, number>()
  #count = 0

  constructor(world: World) {
    this.#world = world
    const { network } = world
    const port = network.port.bind(network)
    network.port = (self, life) => {
      const inner = port(self, life)
      return {
        ...inner,
        start: listener =>
          inner.start({
            discovered: contact => listener.discovered(contact),
            admit: peer => listener.admit(peer),
            door: (peer, request) => listener.door(peer, request),
            connected: peer => listener.connected(peer),
            disconnected: peer => listener.disconnected(peer),
            frame: (from, lane, frame) => {
              this.#came(from, self, frame)
              return listener.frame(from, lane, frame)
            },
            gossip: (from, frame) => {
              this.#came(from, self, frame)
              listener.gossip(from, frame)
            },
          }),
        publish: frame => {
          this.#left(frame)
          inner.publish(frame)
        },
        send: (peer, lane, frame) => {
          this.#left(frame)
          return inner.send(peer, lane, frame)
        },
      }
    }
  }

  #left(frame: Bytes): void {
    this.#sent.set(frame, { atMs: this.#world.nowMs, kind: this.#kind(frame) })
  }

  #came(from: string, to: string, frame: Bytes): void {
    this.#count += 1
    if (this.#count % this.keptOneOf !== 0) return
    const { nowMs } = this.#world
    const sent = this.#sent.get(frame)
    const sentMs = sent?.atMs ?? nowMs
    this.kept.push([
      tenth(sentMs),
      sent === undefined ? -1 : tenth(nowMs - sentMs),
      this.#place(from),
      this.#place(to),
      sent?.kind ?? this.#kind(frame),
      frame.length,
    ])
    if (this.kept.length < MESSAGES_MAX) return
    this.kept = this.kept.filter((_, at) => at % 2 === 0)
    this.keptOneOf *= 2
  }

  #kind(frame: Bytes): number {
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    const bodies = decoded.ok ? decoded.frame.bodies.map(body => body.kind) : []
    const names = [...new Set(bodies)].sort((a, b) => (a < b ? -1 : 1))
    const name = decoded.ok ? names.join(', ') || 'status alone' : 'not to be decoded'
    const known = this.#kindOf.get(name)
    if (known !== undefined) return known
    const mine = new Set(names.map(kind => groups[kind] ?? 'roster'))
    const group = WEIGHT.find(one => mine.has(one)) ?? 'pings'
    this.#kindOf.set(name, this.kinds.length)
    return this.kinds.push({ name, group }) - 1
  }

  #place(member: string): number {
    return this.#world.members.findIndex(({ id }) => id === member)
  }
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10
}
