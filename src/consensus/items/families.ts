/**
 * The families that a member looked at last, each with what was made of it: asked for the same facts
 * again it answers at once, and for some more it works out only what these touch. It decides
 * nothing: each answer is that of `viewFamily` or `familyOf` for the very facts that were given
 * (family-memory.ts says why). It forgets what was looked at longest ago.
 */
import type { Fact, ItemId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { type Family, familyOf } from './family.ts'
import { FamilyMemory, isSameFact } from './family-memory.ts'
import type { Policy } from './policy.ts'
import { type FamilyView, viewOf } from './view.ts'

interface Known {
  readonly facts: readonly Fact[]
  readonly memory: FamilyMemory
  readonly family: Family
  view: FamilyView | null
}

export class Families {
  /** What was asked for last stands last. */
  readonly #known = new Map<ItemId, Known>()
  #facts = 0

  /** As `familyOf`. */
  family(root: ItemId, facts: readonly Fact[]): Family {
    return this.#look(root, facts).family
  }

  /** As `viewFamily`. */
  view(root: ItemId, facts: readonly Fact[], policy: Policy): FamilyView {
    const known = this.#look(root, facts)
    if (known.view?.policy !== policy) known.view = viewOf(known.family, policy)
    return known.view
  }

  #look(root: ItemId, facts: readonly Fact[]): Known {
    const before = this.#known.get(root)
    if (before !== undefined && areSame(before.facts, facts)) return before
    const memory = before?.memory ?? new FamilyMemory()
    const known = { facts, memory, family: familyOf(root, facts, memory), view: null }
    this.#known.delete(root)
    this.#known.set(root, known)
    this.#facts += facts.length - (before?.facts.length ?? 0)
    this.#forget()
    return known
  }

  #forget(): void {
    for (const [root, { facts }] of this.#known) {
      if (this.#facts <= limits.familyFactsKeptMax) return
      this.#known.delete(root)
      this.#facts -= facts.length
    }
  }
}

function areSame(a: readonly Fact[], b: readonly Fact[]): boolean {
  return a.length === b.length && a.every((fact, at) => isSameFact(fact, b[at]!))
}
