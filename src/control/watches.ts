/**
 * The watches of one connection. Each pulls events from the member and sends them as `event`
 * notifications, the next one only while the reader keeps up. A reader that takes nothing at all
 * for `watchStuckMs` is cut: it can resume after its last cursor, so it loses nothing.
 */
import type { Socket } from 'node:net'
import { isVecheError } from '../base/veche-error.ts'
import type { ReportError } from './methods.ts'
import type { Outbox } from './outbox.ts'
import type { WatchEvent } from './protocol-network.ts'

/** A watch that has its number and does not send yet. */
export interface StartedWatch {
  readonly watch: number
  readonly events: AsyncIterator<WatchEvent>
}

export class Watches {
  readonly #outbox: Outbox
  readonly #socket: Socket
  readonly #options: { readonly watchStuckMs: number; readonly report: ReportError }
  readonly #open = new Set<StartedWatch>()
  #last = 0
  #ended = false

  constructor(
    outbox: Outbox,
    socket: Socket,
    options: { readonly watchStuckMs: number; readonly report: ReportError },
  ) {
    this.#outbox = outbox
    this.#socket = socket
    this.#options = options
  }

  add(events: AsyncIterable<WatchEvent>): StartedWatch {
    const started = { watch: ++this.#last, events: events[Symbol.asyncIterator]() }
    this.#open.add(started)
    return started
  }

  /** Begins to send; a failing member cuts the connection, and the client resumes or is told. */
  start(started: StartedWatch): void {
    if (this.#ended) return this.#close(started)
    this.#send(started)
      .catch((error: unknown) => {
        if (!isVecheError(error)) this.#options.report('A watch broke off.', error)
        this.#socket.destroy()
      })
      .finally(() => this.#close(started))
  }

  async #send({ watch, events }: StartedWatch): Promise<void> {
    for (;;) {
      const next = await events.next()
      if (next.done || this.#ended) return
      const params = { watch, ...next.value }
      this.#outbox.send(JSON.stringify({ jsonrpc: '2.0', method: 'event', params }))
      if (this.#outbox.isFull) await this.#room()
    }
  }

  async #room(): Promise<void> {
    let taken = this.#outbox.taken
    const timer = setInterval(() => {
      if (this.#outbox.taken === taken) this.#socket.destroy()
      taken = this.#outbox.taken
    }, this.#options.watchStuckMs)
    try {
      await this.#outbox.room()
    } finally {
      clearInterval(timer)
    }
  }

  /** Ends all; nothing more is sent. */
  end(): void {
    this.#ended = true
    for (const started of this.#open) this.#close(started)
  }

  #close(started: StartedWatch): void {
    if (!this.#open.delete(started)) return
    Promise.resolve(started.events.return?.()).catch((error: unknown) =>
      this.#options.report('A watch did not end well.', error),
    )
  }
}
