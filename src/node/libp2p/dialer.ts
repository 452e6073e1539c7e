/**
 * The dial loop: keeps a connection with every contact, for ever. Of two members only the one with
 * the smaller peer id dials; the other does after a silence, for the case that the first cannot
 * reach it. A quick retry brings a restarted member back within two seconds however long it was
 * away; one that is long gone costs a try every one and a half.
 *
 * Two daemons with one identity (a copied store) dial alike, and each ends the other's connection.
 * So waits are drawn where links do not last, and who had none is sooner than who had one: each of
 * the two is heard in turns, and only so can anybody know that there are two.
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
/** After links that did not last waits differ by up to this: two that dial alike come apart. */
const SPREAD_MS = 1000
/** Where somebody waits, the larger id leaves the smaller one this time to be first. */
const REDIAL_PATIENCE_MS = 1000
/** So many reasons are told of one member; who answers at its addresses may think of ever new ones. */
const SENTENCES_MAX = 8

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
  /** How long the last link stood; null: it never did. */
  stoodMs: number | null
  /** Connections in a row of which no link lasted. */
  short: number
  /** Times that two connections were there at once, since a link lasted. */
  twice: number
  timer: Timer | null
  /** Somebody asked for a new connection: it is dialled sooner than after a loss. */
  isAwaited: boolean
  isDialling: boolean
  /** Why it was not reached since a link lasted: each sentence is logged once. */
  readonly said: Set<string>
}

export interface DialerOptions {
  readonly self: MemberId
  readonly clock: Clock
  readonly log: Log
  readonly isConnected: (peer: MemberId) => boolean
  /** Evenly drawn, from 0 to 1. */
  readonly chance: () => number
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
        stoodMs: LASTING_MS,
        short: 0,
        twice: 0,
        timer: null,
        isAwaited: false,
        isDialling: false,
        said: new Set(),
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
    if (target === undefined) return
    target.stoodMs = forMs
    if (forMs < LASTING_MS) {
      target.short += 1
      return
    }
    target.short = 0
    target.downSince = this.#options.clock.monotonicMs()
    target.twice = 0
    target.said.clear()
  }

  /** A peer was connected, but no link with it came to stand. */
  failed(peer: MemberId, reason: string): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.stoodMs = null
    target.short += 1
    this.#say(target, `It connects, but no link stands: ${reason}`)
  }

  /** A second connection with a peer came while there was one; both end. */
  twice(peer: MemberId): void {
    const target = this.#targets.get(peer)
    if (target !== undefined) target.twice += 1
  }

  /** The last connection with a peer is gone. */
  gone(peer: MemberId): void {
    const target = this.#targets.get(peer)
    if (target === undefined || target.timer !== null) return
    const soonMs = this.#isSmaller(peer) ? 0 : REDIAL_PATIENCE_MS
    this.#plan(target, target.isAwaited ? soonMs : this.#againMs(target))
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

  /** How long to wait when a connection ended. */
  #againMs(target: Target): number {
    const { stoodMs, short, twice } = target
    const isSmaller = this.#isSmaller(target.contact.peer)
    // We always dial the same one of two: the other is heard when we leave it to them now and then.
    if (isSmaller && twice > 0 && twice % 2 === 0) return 2 * limits.dialPatienceMs
    const usualMs = isSmaller ? this.#retryMs(target) : limits.dialPatienceMs
    // One alone is a member that was started again, or a line that was cut.
    if (short < 2) return usualMs
    const drawn = this.#options.chance()
    if (stoodMs !== null) return usualMs + drawn * SPREAD_MS
    return isSmaller ? drawn * (usualMs + SPREAD_MS) : ((1 + drawn) / 2) * usualMs
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
    const { said } = target
    if (said.has(sentence) || said.size >= SENTENCES_MAX || !this.#isRunning) return
    said.add(sentence)
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
