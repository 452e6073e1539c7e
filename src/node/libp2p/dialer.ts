/**
 * The dial loop: keeps a connection with every contact, for ever. Of two members only the one with
 * the smaller peer id dials; the other does after a silence, for the case that the first cannot
 * reach it. A quick retry brings a restarted member back within two seconds however long it was
 * away; one that is long gone costs a try every one and a half.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Clock, Contact, Log, Timer } from '../ports.ts'
import { bareAddress } from './addresses.ts'

/** How soon to try again, by how long there has been no lasting link. */
const retries = [
  { downMs: 0, waitMs: 250 },
  { downMs: 10_000, waitMs: 500 },
  { downMs: 60_000, waitMs: 1500 },
] as const

/** A link that stood for so long ends the trouble before it; shorter ones count as failures. */
const LASTING_MS = 5000
/** Being found makes us dial at once so often: anybody may say that a member is there. */
const FOUND_EVERY_MS = 1000
/** Where somebody waits, the larger id leaves the smaller one this time to be first. */
const REDIAL_PATIENCE_MS = 1000

interface Target {
  contact: Contact
  /** Addresses seen on the local network, newest first. */
  found: readonly string[]
  /** When that last made us dial at once; monotonic milliseconds. */
  foundAt: number
  /** The address that answered last, without the peer id. */
  good: string | null
  failures: number
  downSince: number
  timer: Timer | null
  /** Somebody asked for a new connection: it is dialled sooner than after a loss. */
  isAwaited: boolean
  isDialling: boolean
  /** The sentence of the last failure, so that each is logged once. */
  said: string
}

export interface DialerOptions {
  readonly self: MemberId
  readonly clock: Clock
  readonly log: Log
  readonly isConnected: (peer: MemberId) => boolean
  /** Resolves with the bare address that answered, rejects with a sentence. */
  readonly dial: (contact: Contact) => Promise<string>
}

export class Dialer {
  readonly #options: DialerOptions
  readonly #targets = new Map<MemberId, Target>()
  #isRunning = false

  constructor(options: DialerOptions) {
    this.#options = options
  }

  start(): void {
    this.#isRunning = true
    for (const target of this.#targets.values()) this.#plan(target, this.#patience(target))
  }

  stop(): void {
    this.#isRunning = false
    for (const target of this.#targets.values()) target.timer?.cancel()
  }

  /** The whole list; members that are no longer on it are not dialled any more. */
  setContacts(contacts: readonly Contact[]): void {
    const { self, clock } = this.#options
    const kept = new Set(contacts.map(({ peer }) => peer))
    for (const [peer, target] of this.#targets) {
      if (kept.has(peer)) continue
      target.timer?.cancel()
      this.#targets.delete(peer)
    }
    for (const contact of contacts) {
      if (contact.peer === self) continue
      const known = this.#targets.get(contact.peer)
      if (known !== undefined) {
        known.contact = contact
        continue
      }
      const target: Target = {
        contact,
        found: [],
        foundAt: Number.NEGATIVE_INFINITY,
        good: null,
        failures: 0,
        downSince: clock.monotonicMs(),
        timer: null,
        isAwaited: false,
        isDialling: false,
        said: '',
      }
      this.#targets.set(contact.peer, target)
      this.#plan(target, this.#patience(target))
    }
  }

  isContact(peer: MemberId): boolean {
    return this.#targets.has(peer)
  }

  /** A contact was seen on the local network: its addresses there are tried first, and now. */
  found({ peer, addresses }: Contact): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.found = addresses.slice(0, limits.addressesMax)
    const now = this.#options.clock.monotonicMs()
    if (!this.#isSmaller(peer) || now - target.foundAt < FOUND_EVERY_MS) return
    target.foundAt = now
    this.#plan(target, 0)
  }

  /** The link with a peer ended after `forMs`. */
  ended(peer: MemberId, forMs: number): void {
    const target = this.#targets.get(peer)
    if (target === undefined || forMs < LASTING_MS) return
    target.downSince = this.#options.clock.monotonicMs()
    target.said = ''
  }

  /** A peer was connected, but no link with it came to stand. */
  failed(peer: MemberId, reason: string): void {
    const target = this.#targets.get(peer)
    if (target !== undefined) this.#say(target, `It connects, but no link stands: ${reason}`)
  }

  /** The last connection with a peer is gone. */
  gone(peer: MemberId): void {
    const target = this.#targets.get(peer)
    if (target === undefined || target.timer !== null) return
    const usualMs = this.#isSmaller(peer) ? this.#retryMs(target) : limits.dialPatienceMs
    const soonMs = this.#isSmaller(peer) ? 0 : REDIAL_PATIENCE_MS
    this.#plan(target, target.isAwaited ? soonMs : usualMs)
    target.isAwaited = false
  }

  /** The next dial of this peer, once its connection is gone, is for somebody who waits. */
  awaited(peer: MemberId): void {
    const target = this.#targets.get(peer)
    if (target !== undefined) target.isAwaited = true
  }

  #isSmaller(peer: MemberId): boolean {
    return this.#options.self < peer
  }

  #patience({ contact }: Target): number {
    return this.#isSmaller(contact.peer) ? 0 : limits.dialPatienceMs
  }

  #retryMs(target: Target): number {
    const downMs = this.#options.clock.monotonicMs() - target.downSince
    return retries.findLast(retry => downMs >= retry.downMs)?.waitMs ?? retries[0].waitMs
  }

  #plan(target: Target, waitMs: number): void {
    if (!this.#isRunning) return
    target.timer?.cancel()
    target.timer = this.#options.clock.after(waitMs, () => {
      target.timer = null
      void this.#try(target)
    })
  }

  async #try(target: Target): Promise<void> {
    const { peer } = target.contact
    // A connection that is there calls `gone` when it ends.
    if (target.isDialling || this.#options.isConnected(peer)) return
    target.isDialling = true
    try {
      target.good = await this.#options.dial({ peer, addresses: this.#addresses(target) })
      target.failures = 0
    } catch (error) {
      target.failures++
      this.#say(target, error instanceof Error ? error.message : String(error))
    }
    target.isDialling = false
    if (this.#targets.get(peer) !== target) return
    if (target.timer === null && !this.#options.isConnected(peer))
      this.#plan(target, this.#retryMs(target))
  }

  /**
   * The one that worked; then found ones and told ones by turns, each round starting at others.
   * Anybody on the local network can make us find any number of addresses that lead nowhere: they
   * must not stand before those that the member told.
   */
  #addresses(target: Target): readonly string[] {
    const { addresses: told } = target.contact
    const [found, rest] = [turned(target.found, target.failures), turned(told, target.failures)]
    const mixed = Array.from({ length: Math.max(found.length, rest.length) }, (_, at) => [
      ...found.slice(at, at + 1),
      ...rest.slice(at, at + 1),
    ]).flat()
    const good = mixed.filter(text => bareAddress(text) === target.good)
    return [...new Set([...good, ...mixed])]
  }

  #say(target: Target, sentence: string): void {
    if (sentence === target.said || !this.#isRunning) return
    target.said = sentence
    this.#options.log('info', 'A member is not reached.', {
      peer: target.contact.peer,
      reason: sentence,
    })
  }
}

/** The list from another place on. */
function turned(list: readonly string[], times: number): readonly string[] {
  const from = list.length === 0 ? 0 : times % list.length
  return [...list.slice(from), ...list.slice(0, from)]
}
