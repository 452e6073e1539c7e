/**
 * The roster machine on a member: its votes go to the disk before they are said, its wishes come one
 * after the other, ballots that take too long are tried again, and what was begun and left is
 * finished. It decides nothing itself, and it never says a word of a member that was removed.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Change, Configuration, Decision } from '../../consensus/roster/configuration.ts'
import {
  type Counting,
  countingOf,
  isFrozen,
  isUnfinished,
} from '../../consensus/roster/counting.ts'
import { stepRoster } from '../../consensus/roster/machine.ts'
import {
  createRoster,
  type Ending,
  type RosterEffect,
  type RosterEvent,
  type RosterMessage,
  type RosterState,
} from '../../consensus/roster/state.ts'
import type { Member } from './member.ts'
import { readVote, voteWrite } from './roster-record.ts'

/** `late`: not decided in time; what others accepted of it may still be. */
export type Outcome = Ending['kind'] | 'late'

interface Wish {
  readonly change: Change | null
  readonly until: number
  readonly resolve: (outcome: Outcome) => void
}

/** What voting needs of the roster that it belongs to. */
export interface VotingHost {
  /** What is decided is told to all, and learned by this member like by any other. */
  publish(decision: Decision): Promise<void>
  /** Tells a member all that was decided. */
  tellAll(peer: MemberId): void
  /** Asks a member for all that was decided. */
  fetchAll(peer: MemberId): void
  /** Whom this member counts has changed. */
  recount(): void
}

export class Voting {
  readonly #member: Member
  readonly #host: VotingHost
  #state: RosterState | null = null
  #queue: Wish[] = []
  #current: Wish | null = null
  #retryAt = Number.POSITIVE_INFINITY
  #finishAt = Number.POSITIVE_INFINITY

  constructor(member: Member, host: VotingHost) {
    this.#member = member
    this.#host = host
  }

  /** Takes up what is known; at first with the vote that the store has. */
  async learn(known: Configuration, decision: Decision | null): Promise<void> {
    if (this.#state !== null) return this.#take({ kind: 'known', known, decision })
    const saved = await readVote(this.#member.store)
    this.#state = createRoster({ self: this.#member.self, known, saved })
    const { vote } = this.#state
    if (saved !== null && !saved.isSure) await this.#member.ledger.record([voteWrite(vote)])
  }

  /** The configuration that is known to be decided. */
  get known(): Configuration {
    return this.#state?.known ?? { number: 0, quorum: 'visible', members: [] }
  }

  counting(): Counting {
    const state = this.#state
    return state === null ? { quorum: 'visible', bodies: [], shown: 0 } : countingOf(state)
  }

  /** A change by the rules of `visible` must wait: a change to `roster` is under way. */
  get isFrozen(): boolean {
    return this.#state !== null && isFrozen(this.#state)
  }

  /** Something was begun whose outcome this member does not know yet. */
  get isOpen(): boolean {
    return this.isBusy || (this.#state !== null && isUnfinished(this.#state))
  }

  get isBusy(): boolean {
    return this.#current !== null || this.#queue.length > 0
  }

  /** Tries to have a change decided, after those that were wanted before. */
  want(change: Change): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const until = this.#member.now() + limits.rosterChangeMs
    this.#queue.push({ change, until, resolve })
    this.#begin()
    return promise
  }

  onMessage(from: MemberId, message: RosterMessage): void {
    this.#take({ kind: 'message', from, message })
  }

  /** `mayFinish`: more than half are reached, so that trying makes sense. */
  tick(mayFinish: boolean): void {
    const now = this.#member.now()
    const current = this.#current
    if (current !== null && now >= current.until) {
      this.#take({ kind: 'giveUp' })
      this.#end('late')
    } else if (current !== null && now >= this.#retryAt) {
      this.#retryAt = now + this.#pauseMs()
      this.#take({ kind: 'retry' })
    }
    const isLeft = this.#state !== null && current === null && isUnfinished(this.#state)
    if (!isLeft || !mayFinish) this.#finishAt = Number.POSITIVE_INFINITY
    else if (this.#finishAt === Number.POSITIVE_INFINITY) this.#finishAt = now + this.#pauseMs()
    else if (now >= this.#finishAt) this.#finish()
  }

  /** Answers every wish: the daemon stops, or this member is none any more. */
  stop(): void {
    const open = this.#current === null ? this.#queue : [this.#current, ...this.#queue]
    this.#queue = []
    this.#current = null
    for (const { resolve } of open) resolve('late')
  }

  #finish(): void {
    this.#finishAt = Number.POSITIVE_INFINITY
    const until = this.#member.now() + limits.rosterChangeMs
    this.#queue.push({ change: null, until, resolve: () => undefined })
    this.#begin()
  }

  #begin(): void {
    if (this.#current !== null) return
    const next = this.#queue.shift()
    if (next === undefined) return
    this.#current = next
    this.#retryAt = this.#member.now() + this.#pauseMs()
    this.#take({ kind: 'propose', wish: next.change })
  }

  #end(outcome: Outcome): void {
    const ended = this.#current
    this.#current = null
    ended?.resolve(outcome)
    this.#begin()
  }

  /** Drawn, so that two that deny each other do not go on doing so. */
  #pauseMs(): number {
    const [drawn = 0] = this.#member.ports.entropy.bytes(1)
    return limits.ballotMs * (1 + drawn / 256)
  }

  #take(event: RosterEvent): void {
    const state = this.#state
    if (state === null || this.#member.stopped) return
    const before = JSON.stringify(countingOf(state))
    const effects = stepRoster(state, event)
    if (JSON.stringify(countingOf(state)) !== before) this.#host.recount()
    for (const effect of effects) this.#run(effect)
  }

  #run(effect: RosterEffect): void {
    switch (effect.kind) {
      case 'save':
        return this.#member.background(this.#save(effect))
      case 'send':
        return this.#send(effect.messages)
      case 'tell':
        return this.#host.tellAll(effect.to)
      case 'fetch':
        return this.#host.fetchAll(effect.from)
      case 'decided':
        return this.#member.background(this.#host.publish(effect.decision))
      case 'ended':
        return this.#end(effect.ending.kind)
    }
  }

  async #save({ vote, messages }: Extract<RosterEffect, { kind: 'save' }>): Promise<void> {
    await this.#member.ledger.record([voteWrite(vote)])
    this.#send(messages)
  }

  #send(messages: Extract<RosterEffect, { kind: 'send' }>['messages']): void {
    const { links, self } = this.#member
    for (const { to, message } of messages) {
      if (to !== self) links.send(to, message)
      // In a turn of its own, or its effects would come before the rest of this step's.
      else queueMicrotask(() => this.#take({ kind: 'message', from: self, message }))
    }
  }
}
