/**
 * What a client is told of its write (PROTOCOL 11): `pending`, `agreed` or `majority`, and who
 * holds it durably. A waiter is answered when its level is reached or its time is over; an accepted
 * write is never an error later.
 */
import { type FactRef, type Incarnation, type MemberId, refKey } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { hasNumber, type Range } from '../../consensus/agreement/sequences.ts'
import type { Level } from '../../control/protocol.ts'
import type { AddedFact, Written } from '../ledger/changes.ts'
import type { Timer } from '../ports.ts'
import type { Context } from './context.ts'

/** Of a member that acknowledged nothing. */
const NO_NUMBERS = { upTo: 0, ranges: [] as readonly Range[] }
/** Facts that became agreed without a number of ours are asked after this often. */
const ASK_HOLDS_MS = 200

export interface Reached {
  readonly level: Level
  readonly heldBy: readonly MemberId[]
  /** Members of the roster at that moment. */
  readonly of: number
}

interface Waiter {
  readonly ref: FactRef
  readonly wait: Level
  agreed: boolean
  sequence: number | null
  /** Whether the payload is durable here, so that this member counts as a holder. */
  readonly isWholeHere: boolean
  /** Members that said `holds`, with the incarnation under which they said it. */
  readonly told: Map<MemberId, Incarnation>
  askedAt: number
  readonly resolve: (reached: Reached) => void
  timer: Timer | null
}

export class Levels {
  readonly #context: Context
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #bySequence = new Map<number, Set<Waiter>>()
  #stopped = false

  constructor(context: Context) {
    this.#context = context
  }

  /** Resolves when the level is reached, or with the level reached when the time is over. */
  wait(
    written: Written,
    options: { readonly wait: Level; readonly timeoutMs: number },
  ): Promise<Reached> {
    const { fact, state, sequence } = written
    const { payloads } = this.#context
    const { promise, resolve } = Promise.withResolvers<Reached>()
    const waiter: Waiter = {
      ref: { id: fact.id, version: fact.version },
      wait: options.wait,
      agreed: state.kind === 'agreed',
      sequence,
      isWholeHere: fact.blob === null || !payloads.isWanted(fact.blob),
      told: new Map(),
      askedAt: Number.NEGATIVE_INFINITY,
      resolve,
      timer: null,
    }
    if (this.#stopped || this.#isReached(waiter)) {
      resolve(this.#reachedBy(waiter))
      return promise
    }
    waiter.timer = this.#context.ports.clock.after(options.timeoutMs, () => this.#end(waiter))
    add(this.#waiters, refKey(fact), waiter)
    if (sequence !== null) add(this.#bySequence, sequence, waiter)
    else if (!waiter.agreed) this.#context.background(this.#lookAgain(waiter))
    return promise
  }

  /** It may have become agreed while its own batch was on the way to the disk. */
  async #lookAgain(waiter: Waiter): Promise<void> {
    const [held] = await this.#context.store.facts([waiter.ref])
    await this.#context.ledger.durable()
    if (held?.state.kind === 'agreed') this.onAgreed([waiter.ref])
  }

  /** Facts that this member added got their numbers. */
  onAdded(facts: readonly AddedFact[]): void {
    if (this.#waiters.size === 0) return
    for (const { fact, sequence } of facts) {
      for (const waiter of this.#waiters.get(refKey(fact)) ?? []) {
        // A fact that was set aside and added again has a new number.
        if (waiter.sequence !== null) remove(this.#bySequence, waiter.sequence, waiter)
        waiter.sequence = sequence
        add(this.#bySequence, sequence, waiter)
      }
    }
  }

  /** Facts that are agreed, durably. */
  onAgreed(refs: readonly FactRef[]): void {
    if (this.#waiters.size === 0) return
    for (const ref of refs) {
      for (const waiter of this.#waiters.get(refKey(ref)) ?? []) {
        waiter.agreed = true
        if (this.#isReached(waiter)) this.#end(waiter)
      }
    }
  }

  /**
   * Acknowledgments came in, or own numbers became durable. Nearly all of them say one number, up to
   * which a member holds everything: one comparison for each waiter, and nobody is counted one by one.
   */
  onAck(): void {
    if (this.#bySequence.size === 0) return
    const upTo = this.#majorityUpTo()
    for (const [sequence, waiters] of this.#bySequence) {
      if (sequence > upTo) continue
      for (const waiter of waiters) if (this.#isReached(waiter)) this.#end(waiter)
    }
  }

  /** No number above this is held by more than half of each body. */
  #majorityUpTo(): number {
    const { agreement, ledger, self } = this.#context
    let lowest = Number.MAX_SAFE_INTEGER
    for (const body of agreement.bodies) {
      const highest = body.map(member => {
        if (member === self) return Number.MAX_SAFE_INTEGER
        const { upTo, ranges } = ledger.outgoing.acks.get(member)?.numbers ?? NO_NUMBERS
        return ranges.at(-1)?.[1] ?? upTo
      })
      highest.sort((a, b) => b - a)
      lowest = Math.min(lowest, highest[Math.floor(body.length / 2)] ?? 0)
    }
    return lowest
  }

  /** The lowest number whose holders are still to be counted. */
  lowestWaiting(): number {
    let lowest = Number.MAX_SAFE_INTEGER
    for (const sequence of this.#bySequence.keys()) lowest = Math.min(lowest, sequence)
    return lowest
  }

  /** Asks after facts that have no number of ours; called with every tick. */
  tick(): void {
    const now = this.#context.now()
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) {
        if (!waiter.agreed || waiter.sequence !== null) continue
        if (now - waiter.askedAt < ASK_HOLDS_MS) continue
        waiter.askedAt = now
        for (const peer of this.#context.reached()) {
          if (!waiter.told.has(peer)) this.#context.background(this.#askHolds(waiter, peer))
        }
      }
    }
  }

  /** Answers every waiter with what is reached: the daemon stops. */
  stop(): void {
    this.#stopped = true
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) this.#end(waiter)
  }

  async #askHolds(waiter: Waiter, peer: MemberId): Promise<void> {
    const answer = await this.#context.links.ask(peer, { kind: 'askHolds', refs: [waiter.ref] })
    if (answer?.kind !== 'holds' || answer.held[0] !== true) return
    const incarnation = this.#context.agreement.peers.get(peer)?.incarnation
    if (incarnation === undefined) return
    waiter.told.set(peer, incarnation)
    if (this.#isReached(waiter)) this.#end(waiter)
  }

  #isReached(waiter: Waiter): boolean {
    if (waiter.wait === 'pending') return true
    if (!waiter.agreed) return false
    return waiter.wait === 'agreed' || this.#isMajority(waiter)
  }

  /** Looked at for every waiter with every acknowledgment: it makes nothing. */
  #isMajority(waiter: Waiter): boolean {
    for (const body of this.#context.agreement.bodies) {
      let holders = 0
      for (const member of body) if (this.#isHeldBy(waiter, member)) holders += 1
      if (holders * 2 <= body.length) return false
    }
    return true
  }

  /** Whether a member holds fact and payload durably, as it said itself. */
  #isHeldBy({ isWholeHere, told, sequence }: Waiter, member: MemberId): boolean {
    const { agreement, ledger, self } = this.#context
    if (member === self) return isWholeHere
    const incarnation = agreement.peers.get(member)?.incarnation
    if (incarnation === undefined) return false
    if (told.get(member) === incarnation) return true
    const ack = ledger.outgoing.acks.get(member)
    if (sequence === null || ack === undefined || ack.incarnation !== incarnation) return false
    return hasNumber(ack.numbers, sequence)
  }

  /** Who joined and is not in effect yet counts for no majority, and holds what it took all the same. */
  #holders(waiter: Waiter): MemberId[] {
    const { agreement, self } = this.#context
    const { roster } = agreement
    const members = roster.includes(self) ? roster : [self, ...roster]
    return members.filter(member => this.#isHeldBy(waiter, member)).sort()
  }

  #reachedBy(waiter: Waiter): Reached {
    const level = !waiter.agreed ? 'pending' : this.#isMajority(waiter) ? 'majority' : 'agreed'
    const of = this.#context.agreement.roster.length
    return { level, heldBy: this.#holders(waiter), of }
  }

  #end(waiter: Waiter): void {
    waiter.timer?.cancel()
    remove(this.#waiters, refKey(waiter.ref), waiter)
    if (waiter.sequence !== null) remove(this.#bySequence, waiter.sequence, waiter)
    waiter.resolve(this.#reachedBy(waiter))
  }
}

/** How long a write waits when the caller does not say. */
export function waitOf(options: { readonly wait?: Level; readonly timeoutMs?: number }): {
  readonly wait: Level
  readonly timeoutMs: number
} {
  return { wait: options.wait ?? 'majority', timeoutMs: options.timeoutMs ?? limits.putWaitMs }
}

function add<K>(map: Map<K, Set<Waiter>>, key: K, waiter: Waiter): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([waiter]))
  else known.add(waiter)
}

function remove<K>(map: Map<K, Set<Waiter>>, key: K, waiter: Waiter): void {
  const known = map.get(key)
  if (known === undefined) return
  known.delete(waiter)
  if (known.size === 0) map.delete(key)
}
