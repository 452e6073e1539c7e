/**
 * What a fault gets to strike with. A kind of fault is a name and a function from this context; a
 * family is a record of them. A strike draws only from `random`, which is its own, so that a new
 * kind, or one draw more in one of them, changes no other strike of a seed.
 *
 * It must end by itself through `lasts`, and never undo what another fault did.
 */
import type { Random } from '../random.ts'
import type { World } from '../world.ts'

export interface FaultContext {
  readonly world: World
  readonly random: Random
  /** A time for which something that can last lasts, drawn anew at each call. */
  duration(): number
  /**
   * The fault is under way until then, and healed. When the time for faults ends before, it is
   * healed at that moment with all others.
   */
  lasts(ms: number, heal: () => void): void
  /** Whether the time for faults is over: what goes on in steps takes no further one. */
  isOver(): boolean
}

/** Does something to the world; answers whether it could, and only then is it counted. */
export type Strike = (context: FaultContext) => boolean
/** Kinds of faults of one sort, by name. */
export type Family = Readonly<Record<string, Strike>>
