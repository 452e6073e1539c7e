/**
 * What faults destroyed on purpose, and what removals took along: the difference between a loss that
 * the run made and a loss that is a bug. A run may destroy copies of what was acknowledged, never
 * the last one of a write that was told to be held by a majority; for other writes whose only holder
 * lost its disk nothing is promised, and they are told apart.
 *
 * Which copy was destroyed where each disk knows (`Disk.destroyed`). Whoever destroys a whole disk asks
 * `mayDestroyAt` first, and wraps the deed into `destroying`.
 */
import { type FactRef, refKey } from '../src/base/fact.ts'
import type { Hash } from '../src/base/hash.ts'
import type { Level } from '../src/control/protocol.ts'
import { isApart, takingPart } from './settled.ts'
import type { SimMember, World } from './world.ts'

/** Why an acknowledged write need not be at all members in the end. */
export type Excuse =
  /** Only members that were removed, that nobody knows, or that lie, hold it: it stays with them. */
  | 'kept by removed members'
  /** Faults destroyed each copy of it; it was not told to be held by a majority. */
  | 'destroyed'

interface Acknowledged {
  readonly ref: FactRef
  readonly key: string
  readonly blob: Hash | null
  readonly isMajority: boolean
}

export class Atlas {
  /** Copies that faults destroyed, for the report. */
  destroyedCopies = 0
  /** Whether any disk was lost or put back. */
  hasDestroyed = false
  readonly #world: World
  readonly #acknowledged = new Map<string, Acknowledged>()
  readonly #excuses = new Map<string, Excuse>()

  constructor(world: World) {
    this.#world = world
  }

  /** Remembers a write that a client was told of. */
  acknowledged(ref: FactRef, blob: Hash | null, level: Level | null): void {
    const key = refKey(ref)
    const isMajority = level === 'majority' || this.#acknowledged.get(key)?.isMajority === true
    const write = { ref, key, blob, isMajority }
    this.#acknowledged.set(key, write)
    this.#judge(write)
  }

  /** Whether all that a disk holds may be destroyed: no majority write has its last copy there. */
  mayDestroyAt(entry: SimMember): boolean {
    for (const write of this.#acknowledged.values()) {
      if (!write.isMajority || this.#excuses.has(write.key)) continue
      const isElsewhere = this.#members().some(other => other !== entry && holds(other, write))
      if (!isElsewhere) return false
    }
    return true
  }

  /** Call before a disk is replaced, and what it answers afterwards: says what was lost. */
  destroying({ disk }: SimMember): () => string {
    this.hasDestroyed = true
    const before = [...disk.holdings.values()].filter(({ durableAtMs }) => durableAtMs !== null)
    return () => {
      const count = before.filter(({ fact }) => !disk.isDurable(fact, fact.blob)).length
      this.destroyedCopies += count
      this.judge()
      return `${count} facts lost`
    }
  }

  /** Looks at all writes anew: somebody was removed, joined again, or lost its disk. */
  judge(): void {
    for (const write of this.#acknowledged.values()) this.#judge(write)
  }

  excuseOf(ref: FactRef): Excuse | undefined {
    return this.#excuses.get(refKey(ref))
  }

  /** How many writes have which excuse. */
  excused(): Record<Excuse, number> {
    const counts = { 'kept by removed members': 0, destroyed: 0 }
    for (const excuse of this.#excuses.values()) counts[excuse] += 1
    return counts
  }

  #judge(write: Acknowledged): void {
    if (this.#members().some(entry => holds(entry, write))) {
      // Found again at a member: a removed one joined anew, and what it has must come to all.
      if (this.#excuses.get(write.key) === 'kept by removed members') {
        this.#excuses.delete(write.key)
      }
      return
    }
    if (this.#world.members.some(entry => holds(entry, write))) {
      this.#excuses.set(write.key, 'kept by removed members')
    } else if (!write.isMajority && this.#world.members.some(entry => hadHeld(entry, write))) {
      this.#excuses.set(write.key, 'destroyed')
    }
  }

  #members(): SimMember[] {
    const here = takingPart(this.#world)
    return this.#world.members.filter(
      entry =>
        entry.standing === 'member' &&
        entry.id !== this.#world.liar &&
        !isApart(this.#world, entry, here),
    )
  }
}

function holds({ disk }: SimMember, { ref, blob }: Acknowledged): boolean {
  return disk.isDurable(ref, blob)
}

/** Whether it was there until a fault destroyed it; for what nobody holds. */
function hadHeld({ disk }: SimMember, { ref, blob }: Acknowledged): boolean {
  return disk.wasDurable(ref, blob)
}
