/**
 * How much gossip one member may say. Gossipsub keeps every message that is good for some seconds
 * and passes it on to all, so a member that errs would fill the memory of the whole network. What is
 * above the budget is neither kept, nor heard, nor passed on; a neighbour that brings very much of
 * it is no honest one, since honest ones do not pass it on.
 *
 * Invariant: what an honest member says is far below; a budget is never shared between members.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'

interface Bucket {
  /** What is left, as of `at`. */
  messages: number
  bytes: number
  at: number
}

export class GossipBudget {
  readonly #nowMs: () => number
  readonly #authors = new Map<MemberId, Bucket>()
  /** Messages above the budget that came over a link in this second. */
  readonly #excess = new Map<MemberId, number>()
  #secondAt = Number.NEGATIVE_INFINITY

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** A message of a member, that came over the link with `through`. */
  take(author: MemberId, through: MemberId, bytes: number): 'good' | 'excess' | 'flood' {
    const bucket = this.#bucketOf(author)
    if (bucket.messages >= 1 && bucket.bytes >= bytes) {
      bucket.messages -= 1
      bucket.bytes -= bytes
      return 'good'
    }
    const now = this.#nowMs()
    if (now - this.#secondAt >= 1000) {
      this.#excess.clear()
      this.#secondAt = now
    }
    const excess = (this.#excess.get(through) ?? 0) + 1
    this.#excess.set(through, excess)
    return excess >= limits.gossipFloodMax ? 'flood' : 'excess'
  }

  #bucketOf(author: MemberId): Bucket {
    const now = this.#nowMs()
    const full = {
      messages: limits.gossipPerSecondMax * limits.gossipBurstSeconds,
      bytes: limits.gossipBytesPerSecondMax * limits.gossipBurstSeconds,
    }
    const known = this.#authors.get(author)
    if (known === undefined) {
      const bucket = { ...full, at: now }
      this.#authors.set(author, bucket)
      this.#forgetFull(now)
      return bucket
    }
    const seconds = (now - known.at) / 1000
    known.messages = Math.min(full.messages, known.messages + seconds * limits.gossipPerSecondMax)
    known.bytes = Math.min(full.bytes, known.bytes + seconds * limits.gossipBytesPerSecondMax)
    known.at = now
    return known
  }

  /** A bucket that has filled again says nothing; so those of former members go. */
  #forgetFull(now: number): void {
    for (const [author, { at }] of this.#authors)
      if (now - at > 1000 * limits.gossipBurstSeconds) this.#authors.delete(author)
  }
}
