/**
 * Facts that others showed before adding them (PROTOCOL 8). They are no part of any set or hash;
 * they wait here, in memory, for the small message that adds them, and are dropped when the offerer
 * has been silent for 10 s.
 */
import type { Bytes } from '../../base/bytes.ts'
import { type Fact, type FactRef, type MemberId, refKey } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Stamp } from '../../base/stamp.ts'
import type { Offer } from '../../consensus/messages.ts'
import type { Store } from '../../storage/store.ts'
import { factBytes } from './size.ts'

interface Offered {
  readonly fact: Fact
  readonly payload: Bytes | null
}

export class Offers {
  readonly #byMember = new Map<MemberId, Map<string, Offered>>()
  readonly #bytes = new Map<MemberId, number>()

  /** Keeps what was offered; answers which of the facts are agreed here already. */
  async keep(
    from: MemberId,
    offer: Offer,
    store: Store,
  ): Promise<readonly { readonly ref: FactRef; readonly added: Stamp }[]> {
    const refs = offer.facts.map(({ fact }) => ({ id: fact.id, version: fact.version }))
    const known = await store.facts(refs)
    const agreed: { ref: FactRef; added: Stamp }[] = []
    const kept = this.#byMember.get(from) ?? new Map<string, Offered>()
    this.#byMember.set(from, kept)
    for (const [at, entry] of offer.facts.entries()) {
      const state = known[at]?.state
      if (state?.kind === 'agreed') agreed.push({ ref: refs[at]!, added: state.added })
      else this.#add(from, kept, entry)
    }
    return agreed
  }

  /** Takes an offered fact out, to be added. */
  take(from: MemberId, ref: FactRef): Offered | undefined {
    const kept = this.#byMember.get(from)
    const found = kept?.get(refKey(ref))
    if (found === undefined) return undefined
    kept?.delete(refKey(ref))
    this.#count(from, -factBytes(found.fact, found.payload))
    return found
  }

  /** Drops what members offered that have been silent for too long. */
  dropSilent(isSilent: (member: MemberId, ms: number) => boolean): void {
    for (const member of this.#byMember.keys()) {
      if (!isSilent(member, limits.offerMs)) continue
      this.#byMember.delete(member)
      this.#bytes.delete(member)
    }
  }

  #add(from: MemberId, kept: Map<string, Offered>, entry: Offered): void {
    const before = kept.get(refKey(entry.fact))
    if (before !== undefined) this.#count(from, -factBytes(before.fact, before.payload))
    // An offerer that never adds fills its own share only; the oldest of it goes first.
    this.#count(from, factBytes(entry.fact, entry.payload))
    kept.set(refKey(entry.fact), entry)
    for (const [key, oldest] of kept) {
      if ((this.#bytes.get(from) ?? 0) <= limits.offeredBytesMax) break
      kept.delete(key)
      this.#count(from, -factBytes(oldest.fact, oldest.payload))
    }
  }

  #count(from: MemberId, bytes: number): void {
    this.#bytes.set(from, (this.#bytes.get(from) ?? 0) + bytes)
  }
}
