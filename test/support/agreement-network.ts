/**
 * The model's network: direct messages that only go where a link is up, and gossip that members
 * pass on to their neighbours. Links are cut one way or both; messages are delayed within bounds
 * and lost with a probability. Nothing is ever told of a loss.
 */
import type { Agenda, Chance } from './agreement-time.ts'

export interface Delay {
  readonly min: number
  readonly max: number
}

export class ModelNetwork {
  delay: Delay
  /** Added to gossip on each hop: it is signed, checked and passed on. */
  gossipExtraMs = 0
  loss = 0
  readonly #agenda: Agenda
  readonly #chance: Chance
  readonly #down = new Set<string>()
  /** Whether a member takes part: only who is alive passes gossip on. */
  readonly #isAlive: (member: string) => boolean

  constructor(options: {
    readonly agenda: Agenda
    readonly chance: Chance
    readonly delay: Delay
    readonly isAlive: (member: string) => boolean
  }) {
    this.#agenda = options.agenda
    this.#chance = options.chance
    this.delay = options.delay
    this.#isAlive = options.isAlive
  }

  isUp(from: string, to: string): boolean {
    return !this.#down.has(`${from} ${to}`)
  }

  /** Cuts one direction of a link; what is on its way is lost. */
  block(from: string, to: string): void {
    this.#down.add(`${from} ${to}`)
  }

  unblock(from: string, to: string): void {
    this.#down.delete(`${from} ${to}`)
  }

  heal(): void {
    this.#down.clear()
  }

  delayMs(): number {
    return this.#chance.between(this.delay.min, this.delay.max)
  }

  /** One direct message. */
  send(from: string, to: string, arrive: () => void): void {
    if (!this.isUp(from, to) || this.#chance.isHit(this.loss)) return
    this.#agenda.after(this.delayMs(), () => {
      if (this.isUp(from, to) && this.#isAlive(to)) arrive()
    })
  }

  /** A gossip message: to all neighbours and, where links are cut, from each of them on. */
  publish(from: string, members: readonly string[], arrive: (to: string) => void): void {
    const passesOn = this.#down.size > 0
    const seen = new Set([from])
    const hop = (at: string) => {
      for (const to of members) {
        if (seen.has(to) || !this.isUp(at, to) || this.#chance.isHit(this.loss)) continue
        this.#agenda.after(this.delayMs() + this.gossipExtraMs, () => {
          if (seen.has(to) || !this.isUp(at, to) || !this.#isAlive(to)) return
          seen.add(to)
          arrive(to)
          if (passesOn) hop(to)
        })
      }
    }
    hop(from)
  }
}
