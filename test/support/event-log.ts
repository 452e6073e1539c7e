/**
 * The event log of the twin in memory: numbered events, kept from `oldest` on, and streams that
 * wait for the next one. Cursors are the numbers as text.
 */
import { VecheError } from '../../src/base/veche-error.ts'
import type { EventStream } from '../../src/control/member-service.ts'
import type { EventBody, WatchEvent } from '../../src/control/protocol-network.ts'

export class EventLog {
  readonly #events: WatchEvent[] = []
  #first = 1
  #changed = Promise.withResolvers<void>()
  /** Streams that were asked for and not ended. */
  open = 0

  add(body: EventBody): void {
    const cursor = String(this.#first + this.#events.length)
    this.#events.push({ ...body, cursor })
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  /** Forgets the events up to this number. */
  trim(upTo: number): void {
    this.#events.splice(0, upTo + 1 - this.#first)
    this.#first = upTo + 1
  }

  watch(since: string | undefined, prefix: string): EventStream {
    const last = this.#first + this.#events.length - 1
    const start = since === undefined ? last : Number(since)
    if (!Number.isSafeInteger(start) || start < 0 || start > last)
      throw new VecheError('BAD_REQUEST', 'This is no cursor.', { parameter: 'since' })
    if (since !== '0' && start + 1 < this.#first)
      throw new VecheError('EXPIRED', 'Older events are no longer kept.', {
        oldest: String(this.#first - 1),
      })
    this.open++
    const log = this
    let next = Math.max(start + 1, this.#first)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    let isEnded = false
    const events: AsyncIterableIterator<WatchEvent> = {
      [Symbol.asyncIterator]: () => events,
      async next() {
        for (;;) {
          if (isEnded) return { done: true, value: undefined }
          const event = log.#events[next - log.#first]
          if (event === undefined) await Promise.race([ended, log.#changed.promise])
          else {
            next++
            if (!('id' in event) || event.id?.startsWith(prefix))
              return { done: false, value: event }
          }
        }
      },
      async return() {
        if (!isEnded) log.open--
        isEnded = true
        end()
        return { done: true, value: undefined }
      },
    }
    return { cursor: String(start), events }
  }
}
