/**
 * Real members' networks on 127.0.0.1 for the tests of this folder. A scene knows all of them,
 * wakes whoever waits at every event, and stops all at the end. Nothing here waits for a time to
 * pass: `until` waits for a fact, with a deadline.
 */
import { randomBytes } from 'node:crypto'
import type { Bytes } from '../../../src/base/bytes.ts'
import { utf8, utf8Text } from '../../../src/base/bytes.ts'
import { generatePrivateKey, memberIdOf } from '../../../src/node/libp2p/keys.ts'
import { createLibp2pNetwork } from '../../../src/node/libp2p/network.ts'
import type {
  Admission,
  Clock,
  Contact,
  Lane,
  Log,
  Network,
  NetworkListener,
} from '../../../src/node/ports.ts'

/** The clocks of this machine. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

export interface Heard {
  readonly from: string
  readonly text: string
}

/** One member: its network, what it heard, and how it answers. */
export interface Member {
  readonly key: Bytes
  readonly id: string
  readonly network: Network
  readonly gossip: Heard[]
  readonly frames: (Heard & { readonly lane: Lane; readonly bytes: number })[]
  readonly events: string[]
  readonly logs: string[]
  /** How far each peer is let in; whoever is not named is refused. */
  readonly admits: Map<string, Admission>
  door: (from: string, request: Bytes) => Promise<Bytes>
  onFrame: (from: string, lane: Lane, frame: Bytes) => void | Promise<void>
  contact(): Contact
}

export interface MemberOptions {
  readonly key?: Bytes
  readonly networkKey?: Bytes
  readonly listen?: readonly string[]
  /** Publishes so often, as every member does; default 400, 0 never. */
  readonly pulseMs?: number
}

export class Scene {
  readonly networkKey: Bytes = new Uint8Array(randomBytes(32))
  readonly #cleanups: (() => Promise<void> | void)[] = []
  readonly #waiters = new Set<() => void>()

  /** Something happened: everybody who waits looks again. */
  changed(): void {
    for (const look of [...this.#waiters]) look()
  }

  /** Resolves when the fact holds; rejects with its name at the deadline. */
  until(name: string, isTrue: () => boolean, deadlineMs = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => {
      if (!isTrue()) return
      this.#waiters.delete(look)
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      this.#waiters.delete(look)
      reject(new Error(`not within ${deadlineMs} ms: ${name}`))
    }, deadlineMs)
    this.#waiters.add(look)
    look()
    return promise
  }

  /** Runs when the scene ends. */
  onEnd(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup)
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
  }

  /** A member that is started and knows nobody. */
  async member(options: MemberOptions = {}): Promise<Member> {
    const key = options.key ?? (await generatePrivateKey())
    const logs: string[] = []
    const log: Log = (level, sentence, fields) => {
      logs.push(`${level} ${sentence} ${JSON.stringify(fields ?? {})}`)
      this.changed()
    }
    const network = await createLibp2pNetwork({
      privateKey: key,
      networkKey: options.networkKey ?? this.networkKey,
      listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      clock: realClock,
      log,
    })
    const member: Member = {
      key,
      id: memberIdOf(key),
      network,
      gossip: [],
      frames: [],
      events: [],
      logs,
      admits: new Map(),
      door: async () => utf8('nobody is here'),
      onFrame: () => undefined,
      contact: () => ({ peer: member.id, addresses: network.addresses() }),
    }
    await network.start(this.#listener(member))
    this.onEnd(() => network.stop())
    const pulseMs = options.pulseMs ?? 400
    if (pulseMs > 0) {
      const pulse = setInterval(() => network.publish(utf8('pulse')), pulseMs)
      this.onEnd(() => clearInterval(pulse))
    }
    return member
  }

  /** Members that know and admit each other, and are linked. */
  async members(count: number): Promise<Member[]> {
    const all: Member[] = []
    for (let i = 0; i < count; i++) all.push(await this.member())
    this.introduce(all)
    await this.linked(all)
    return all
  }

  /** Everybody admits everybody and has them as contacts. */
  introduce(all: readonly Member[]): void {
    for (const a of all) for (const b of all) a.admits.set(b.id, 'member')
    for (const a of all) {
      const others = all.filter(b => b !== a)
      a.network.setContacts(others.map(b => b.contact()))
    }
  }

  /** All pairs are linked and hear each other's gossip from now on. */
  async linked(all: readonly Member[], deadlineMs = 10_000): Promise<void> {
    const starts = new Map(all.map(a => [a, a.gossip.length]))
    const hears = (a: Member, b: Member) =>
      a.network.isConnected(b.id) && a.gossip.slice(starts.get(a)).some(({ from }) => from === b.id)
    await this.until(
      'all are linked and hear each other',
      () => all.every(a => all.every(b => a === b || hears(a, b))),
      deadlineMs,
    )
  }

  #listener(member: Member): NetworkListener {
    return {
      gossip: (from, frame) => {
        member.gossip.push({ from, text: utf8Text(frame) ?? '' })
        this.changed()
      },
      frame: (from, lane, frame) => {
        const text = frame.length <= 64 ? (utf8Text(frame) ?? '') : ''
        member.frames.push({ from, lane, text, bytes: frame.length })
        this.changed()
        return member.onFrame(from, lane, frame)
      },
      connected: peer => {
        member.events.push(`connected ${peer}`)
        this.changed()
      },
      disconnected: peer => {
        member.events.push(`disconnected ${peer}`)
        this.changed()
      },
      admit: peer => member.admits.get(peer) ?? 'refuse',
      door: (from, request) => member.door(from, request),
      discovered: () => this.changed(),
    }
  }
}
