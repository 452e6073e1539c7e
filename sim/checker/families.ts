/**
 * The families of many dumps, each worked out once: most dumps of a run show the same facts again.
 * Two families are one only if everything that decides what they show is equal, fact by fact; what
 * a fact claims to be is never taken for what it is.
 */
import { type Family, familiesOf, familyOf } from './family.ts'
import type { DumpFact } from './format.ts'

export class Families {
  readonly #numbers = new Map<string, number>()
  /** Dumps of one recorder share their facts. */
  readonly #numberOf = new WeakMap<DumpFact, number>()
  readonly #known = new Map<string, Family>()

  /** The families of a dump, by root id. */
  of(facts: readonly DumpFact[]): Map<string, Family> {
    const families = new Map<string, Family>()
    for (const [root, held] of familiesOf(facts)) families.set(root, this.#family(held))
    return families
  }

  #family(facts: readonly DumpFact[]): Family {
    const key = Uint32Array.from(facts, fact => this.#number(fact))
      .sort()
      .join(' ')
    const known = this.#known.get(key) ?? familyOf(facts)
    this.#known.set(key, known)
    return known
  }

  /** One number for all facts that say the same, but for stamps and what is found under them. */
  #number(fact: DumpFact): number {
    const known = this.#numberOf.get(fact)
    if (known !== undefined) return known
    const { id, version, parents, dataHash, blob, base } = fact
    const text = JSON.stringify([id, version, parents, dataHash, blob, base])
    const number = this.#numbers.get(text) ?? this.#numbers.size
    this.#numbers.set(text, number)
    this.#numberOf.set(fact, number)
    return number
  }
}
