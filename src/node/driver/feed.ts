/**
 * The feed behind `watch`: events are written with the facts they tell of and read back from the
 * log, so a slow watcher costs no memory, and each event comes once per cursor, also across a
 * restart. Only what is durable is shown.
 */

import { VecheError } from '../../base/veche-error.ts'
import type { Status } from '../../consensus/messages.ts'
import type { EventStream } from '../../control/member-service.ts'
import type {
  EventBody,
  MemberStatusName,
  WatchEvent,
  WatchParams,
} from '../../control/protocol-network.ts'
import { type LedgerEvent, readEvents } from '../ledger/events.ts'
import type { Member } from './member.ts'

const PAGE = 256

interface Cursor {
  readonly record: number
  readonly index: number
}

export class EventFeed {
  readonly #member: Member
  readonly #waiting = new Set<() => void>()
  #durable: number

  constructor(member: Member) {
    this.#member = member
    this.#durable = member.store.eventRange().last
  }

  /** Events that are durable now. */
  publish(events: readonly LedgerEvent[]): void {
    const last = events.at(-1)
    if (last === undefined) return
    this.#durable = Math.max(this.#durable, parse(last.cursor)?.record ?? 0)
    for (const { body } of events) if (body.kind === 'collision') this.#logCollision(body)
    this.#wake()
  }

  /** The member's own status changed. */
  status(to: Status): void {
    const { agreement } = this.#member
    const synchronized =
      to === 'source' || [...agreement.peers.values()].some(peer => peer.sourceSince !== null)
    this.append([{ kind: 'status', status: to satisfies MemberStatusName, synchronized }])
  }

  /** Writes events that come with no fact. */
  append(bodies: readonly EventBody[]): void {
    if (this.#member.stopped) return
    const told = this.#member.ledger.tell(bodies)
    this.#member.background(told.then(events => this.publish(events)))
  }

  /** Ends all watches. */
  stop(): void {
    this.#wake()
  }

  /** A stream of events after a cursor. */
  async watch(params: WatchParams): Promise<EventStream> {
    const start = this.#start(params.since)
    return { cursor: `${start.record}.${start.index}`, events: this.#events(start, params.prefix) }
  }

  async *#events(start: Cursor, prefix: string | undefined): AsyncGenerator<WatchEvent> {
    let { record, index } = start
    while (!this.#member.stopped) {
      const durable = this.#durable
      const entries = await this.#member.store.events(index > 0 ? record - 1 : record, PAGE)
      let moved = false
      for (const entry of entries) {
        if (entry.sequence > durable) break
        for (const event of readEvents(entry)) {
          const at = parse(event.cursor)!
          if (at.record < record || (at.record === record && at.index <= index)) continue
          record = at.record
          index = at.index
          moved = true
          if (matches(event.body, prefix)) yield { ...event.body, cursor: event.cursor }
        }
      }
      if (moved) continue
      // What is not there up to here is damaged: passed over, or this would look for it for ever.
      if (durable > record) [record, index] = [durable, Number.MAX_SAFE_INTEGER]
      await this.#next(record)
    }
  }

  #start(since: string | undefined): Cursor {
    const { first } = this.#member.store.eventRange()
    if (since === undefined) return { record: this.#durable, index: Number.MAX_SAFE_INTEGER }
    if (since === '0') return { record: 0, index: 0 }
    const cursor = parse(since)
    if (cursor === undefined) {
      throw new VecheError('BAD_REQUEST', `${since} is no cursor of this member.`, {
        parameter: 'since',
      })
    }
    if (cursor.record + 1 < first) {
      const sentence = 'Events after this cursor are no longer kept. List the items anew.'
      throw new VecheError('EXPIRED', sentence, { oldest: `${first}.0` })
    }
    if (cursor.record > this.#durable) {
      const sentence = `${since} lies after every event of this member. List the items anew.`
      throw new VecheError('BAD_REQUEST', sentence, { parameter: 'since' })
    }
    return cursor
  }

  #logCollision({ id, versions, branches }: Extract<EventBody, { kind: 'collision' }>): void {
    const ids = branches.map(branch => branch.id)
    this.#member.ports.log('warn', `${id} was changed on two sides: both are kept.`, {
      id,
      versions,
      ids,
    })
  }

  /** Resolves when more may be there than up to a record, or when the member stops. */
  #next(record: number): Promise<void> {
    if (this.#member.stopped || this.#durable > record) return Promise.resolve()
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

function matches(body: EventBody, prefix: string | undefined): boolean {
  if (prefix === undefined || !('id' in body) || body.id === undefined) return true
  return body.id.startsWith(prefix)
}

function parse(cursor: string): Cursor | undefined {
  const found = /^(\d{1,15})\.(\d{1,16})$/.exec(cursor)
  if (found === null) return undefined
  return { record: Number(found[1]), index: Number(found[2]) }
}
