/**
 * One whole member on a store in memory, with ports that a test moves by hand: for tests of one
 * part of the driver, where a world of members would hide what is looked at. The network delivers
 * nothing by itself: it keeps what was sent, and answers as the test says.
 */

import { utf8 } from '../../src/base/bytes.ts'
import type { Fact, MemberId } from '../../src/base/fact.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { stampOf } from '../../src/base/stamp.ts'
import type { Quorum } from '../../src/consensus/agreement/state.ts'
import { dataHashOf, versionOf } from '../../src/consensus/items/version.ts'
import type { Envelope, Ping } from '../../src/consensus/messages.ts'
import { EMPTY_ROOT } from '../../src/merkle/tree.ts'
import { Member } from '../../src/node/driver/member.ts'
import { systemFact, systemId } from '../../src/node/driver/system.ts'
import type { UserWrite, Written } from '../../src/node/ledger/changes.ts'
import {
  type Clock,
  type Contact,
  type Network,
  NetworkError,
  type NetworkListener,
  type Timer,
} from '../../src/node/ports.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { Store } from '../../src/storage/store.ts'

export const SELF: MemberId = 'me'
/** The wall clock when a test begins. */
export const BEGIN_MS = 1_900_000_000_000

/** Both clocks of a machine, moved by hand. */
export class HandClock implements Clock {
  nowMs = 0
  #due: { readonly at: number; readonly run: () => void; gone: boolean }[] = []

  monotonicMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return BEGIN_MS + this.nowMs
  }

  after(ms: number, run: () => void): Timer {
    const entry = { at: this.nowMs + ms, run, gone: false }
    this.#due.push(entry)
    return {
      cancel: () => {
        entry.gone = true
      },
    }
  }

  /** Lets time pass, and everything that it sets going. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms
    for (;;) {
      this.#due = this.#due.filter(entry => !entry.gone).sort((a, b) => a.at - b.at)
      const next = this.#due[0]
      if (next === undefined || next.at > end) break
      this.#due.shift()
      this.nowMs = Math.max(this.nowMs, next.at)
      next.run()
      await settled()
    }
    this.nowMs = end
    await settled()
  }
}

/** Keeps what was sent; every member in `connected` has a link. */
export class QuietNetwork implements Network {
  readonly self = SELF
  readonly connected = new Set<MemberId>()
  readonly sent: { readonly to: MemberId; readonly frame: Uint8Array }[] = []
  contacts: readonly Contact[] = []
  /** Who takes what a test says in the name of others; null before the start. */
  listener: NetworkListener | null = null

  addresses(): readonly string[] {
    return ['/ip4/127.0.0.1/tcp/1']
  }
  async start(listener: NetworkListener): Promise<void> {
    this.listener = listener
    await settled()
  }
  async stop(): Promise<void> {
    await settled()
  }
  setContacts(contacts: readonly Contact[]): void {
    this.contacts = contacts
    const peers = new Set(contacts.map(contact => contact.peer))
    for (const peer of this.connected) if (!peers.has(peer)) this.connected.delete(peer)
  }
  publish(): void {
    return undefined
  }
  async send(to: MemberId, _lane: unknown, frame: Uint8Array): Promise<void> {
    if (!this.connected.has(to)) throw new NetworkError('no link')
    this.sent.push({ to, frame })
  }
  isConnected(peer: MemberId): boolean {
    return this.connected.has(peer)
  }
  reconnect(): void {
    return undefined
  }
  async knock(_contact: Contact, _request: Uint8Array): Promise<Uint8Array> {
    throw new NetworkError('nobody opens')
  }
}

export interface LoneOptions {
  readonly store?: Store
  readonly quorum?: Quorum
  /** Other members of the roster. */
  readonly others?: readonly MemberId[]
  readonly policyOf?: MemberOptions['policyOf']
}

type MemberOptions = Parameters<typeof Member.open>[0]

/** A member with its ports in the test's hands. */
export class Lone {
  readonly clock = new HandClock()
  readonly network = new QuietNetwork()
  readonly store: Store
  readonly fatal: Error[] = []
  member!: Member
  #envelopes = 0
  #drawn = 0
  readonly #policyOf: MemberOptions['policyOf']

  private constructor({ store, policyOf }: LoneOptions) {
    this.store = store ?? new MemoryStore()
    this.#policyOf = policyOf
  }

  /** Opens a member on a store that knows its roster; alone it is Source with its first tick. */
  static async open(options: LoneOptions = {}): Promise<Lone> {
    const lone = new Lone(options)
    const stamp = { at: stampOf(BEGIN_MS), by: SELF }
    const founder = await lone.#opened()
    await founder.roster.take(SELF, [
      systemFact(systemId.network, { name: 'test' }, stamp),
      systemFact(systemId.quorum, { quorum: options.quorum ?? 'visible' }, stamp),
      ...[SELF, ...(options.others ?? [])].map(peer => memberFact(peer)),
    ])
    await founder.ledger.close()
    lone.member = await lone.#opened()
    return lone
  }

  #opened(): Promise<Member> {
    return Member.open({
      ports: {
        clock: this.clock,
        turn: () => Promise.resolve(),
        entropy: { bytes: count => new Uint8Array(count).fill(++this.#drawn) },
        log: () => undefined,
        network: this.network,
      },
      store: this.store,
      onFatal: error => void this.fatal.push(error),
      ...(this.#policyOf === undefined ? {} : { policyOf: this.#policyOf }),
    })
  }

  /** Lets the member begin to tick, and time pass. */
  async start(ms = 200): Promise<this> {
    await this.member.start()
    await this.clock.pass(ms)
    return this
  }

  put(id: string, text: string): Promise<Written> {
    return this.member.ledger.write(putOf(id, text))
  }

  envelope(uuid: MemberId, said: Partial<Envelope> = {}): Envelope {
    this.#envelopes += 1
    return {
      uuid,
      incarnation: '01'.repeat(8),
      status: 'counter-sync',
      hash: EMPTY_ROOT,
      cut: 0,
      clock: stampOf(BEGIN_MS, this.#envelopes),
      held: null,
      empty: false,
      gap: false,
      ...said,
    }
  }

  /** Another member answers, and says that this one answers it. */
  reach(uuid: MemberId, said: Partial<Envelope> = {}): void {
    this.network.connected.add(uuid)
    const now = this.member.now()
    this.member.dispatch({ kind: 'answered', now, peer: uuid, rttMs: 1 })
    const ping: Ping = {
      kind: 'ping',
      answers: [SELF],
      reached: [],
      marked: [],
      systemRoot: this.member.ledger.systemRoot(),
      sequence: 0,
      floor: 1,
      addresses: [],
      configuration: 0,
      wallMs: this.clock.wallMs(),
    }
    this.member.dispatch({ kind: 'ping', now, envelope: this.envelope(uuid, said), ping })
  }
}

/** The fact that makes somebody a member. */
export function memberFact(peer: MemberId, number = 1): Fact {
  const stamp = { at: stampOf(BEGIN_MS), by: SELF }
  return systemFact(systemId.member(peer, number), { name: peer, addresses: [] }, stamp)
}

/** The fact that ends a membership. */
export function removedFact(peer: MemberId, number = 1): Fact {
  const stamp = { at: stampOf(BEGIN_MS), by: SELF }
  return systemFact(systemId.removed(peer, number), { peer, number }, stamp)
}

/** A write of a small text. */
export function putOf(id: string, text: string): UserWrite {
  const payload = utf8(text)
  const content = {
    blob: hashBytes(payload),
    size: payload.length,
    type: 'text/plain',
    tags: [],
    description: '',
    meta: null,
    dependsOn: [],
  }
  return { id, intent: { kind: 'put', content, merge: false }, payload }
}

/** Resolves when everything that was set going in memory has run to its end. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** A durability that a test lets go: batches are held until it says so. */
export class HeldDisk {
  #held: (() => void)[] | null = null

  readonly durability = (): Promise<void> => {
    const held = this.#held
    if (held === null) return Promise.resolve()
    return new Promise(resolve => held.push(resolve))
  }

  hold(): void {
    this.#held = []
  }

  /** Lets the group of batches that is being written end; the next one is held again. */
  async releaseOne(): Promise<void> {
    this.#held?.shift()?.()
    await settled()
  }

  async release(): Promise<void> {
    const held = this.#held ?? []
    this.#held = null
    for (const go of held) go()
    await settled()
  }
}

/** A first version that another member wrote, with its payload. */
export function foreignFact(id: string, text = id): { fact: Fact; payload: Uint8Array } {
  const { intent, payload } = putOf(id, text)
  if (intent.kind !== 'put' || payload === null) throw new Error('a put has a content')
  const { content } = intent
  const dataHash = dataHashOf(content)
  const version = versionOf(id, [], dataHash)
  const stamp = { at: stampOf(BEGIN_MS), by: 'b' }
  const fact = { id, version, parents: [], dataHash, ...content, ...stamp, base: null }
  return { fact, payload }
}
