/**
 * Holes: facts that members hold and nobody among them can complete, since a payload or an ancestor
 * left with a removed member, or lay on a disk that a fault destroyed. There are none in a run
 * without removals and destroyed disks, and the checks are as strict as ever there.
 */
import { refKey } from '../src/base/fact.ts'
import { rootedKeys } from './ancestry.ts'
import type { Holding } from './disk.ts'
import { takingPart } from './settled.ts'
import type { World } from './world.ts'

export class Holes {
  readonly #rootable: ReadonlySet<string>
  readonly #union = new Map<string, Holding>()
  readonly #payloads = new Set<string>()
  readonly #canBe: boolean

  constructor(world: World) {
    for (const { disk } of takingPart(world)) {
      for (const [key, holding] of disk.holdings) {
        const hasRotted = holding.durableAtMs === null && disk.destroyed.has(key)
        if (!hasRotted) this.#union.set(key, holding)
      }
      for (const blob of disk.payloads) this.#payloads.add(blob)
    }
    this.#rootable = rootedKeys(this.#union)
    this.#canBe =
      world.liar !== null ||
      world.atlas.destroyedCopies > 0 ||
      world.members.some(({ standing }) => standing === 'removed')
  }

  /** Whether an ancestor of a fact is nowhere. */
  lacksAncestor(key: string): boolean {
    return this.#canBe && !this.#rootable.has(key)
  }

  lacksPayload(blob: string): boolean {
    return this.#canBe && !this.#payloads.has(blob)
  }

  get exist(): boolean {
    for (const { fact } of this.#union.values()) {
      if (this.lacksAncestor(refKey(fact))) return true
      if (fact.blob !== null && this.lacksPayload(fact.blob)) return true
    }
    return false
  }
}
