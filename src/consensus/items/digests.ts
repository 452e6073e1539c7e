/**
 * Digests of facts that were worked out before. An item that forks has all its facts digested for
 * its summary and again for its leaves, at each fact that comes; a fact's digest follows from the
 * fact and its parents' digests, so where these are the same it is. It keeps no fact alive.
 */
import type { Fact } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { type DigestOf, digestOf } from './digest.ts'

interface Known {
  readonly parentDigests: readonly Hash[]
  readonly digest: Hash
}

export class Digests {
  readonly #known = new WeakMap<Fact, Known>()

  /** As `digestOf`. */
  readonly of: DigestOf = (fact, parentDigests) => {
    const known = this.#known.get(fact)
    if (known?.parentDigests.every((digest, at) => digest === parentDigests[at])) {
      return known.digest
    }
    const digest = digestOf(fact, parentDigests)
    this.#known.set(fact, { parentDigests, digest })
    return digest
  }
}
