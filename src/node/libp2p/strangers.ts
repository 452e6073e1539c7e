/**
 * Forgets peers that were no members. libp2p keeps what a peer said of itself for six hours after
 * it left, some KiB each, and a new peer id costs a stranger nothing.
 *
 * Invariant: who is a member, or connected, is not forgotten.
 */
import type { PeerId } from '@libp2p/interface'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Clock, Timer } from '../ports.ts'

export interface StrangersOptions {
  readonly clock: Clock
  /** A member, or somebody who is connected now. */
  readonly isKnown: (peer: MemberId) => boolean
  readonly forget: (peer: PeerId) => Promise<void>
}

export class Strangers {
  readonly #options: StrangersOptions
  readonly #left = new Map<MemberId, PeerId>()
  #timer: Timer | null = null

  constructor(options: StrangersOptions) {
    this.#options = options
  }

  /** The last connection of a peer ended. Parts of libp2p still note this and that of it. */
  left(peer: PeerId): void {
    this.#left.set(peer.toString(), peer)
    this.#timer ??= this.#options.clock.after(limits.forgetStrangersMs, () => {
      this.#timer = null
      const gone = [...this.#left].filter(([id]) => !this.#options.isKnown(id))
      this.#left.clear()
      for (const [, stranger] of gone) void this.#options.forget(stranger)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
