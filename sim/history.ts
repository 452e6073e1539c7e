/**
 * What clients asked for and what they were told: one operation, in the order of asking. An
 * operation ends as `done`, as `refused` (it certainly did not happen) or as `unknown` (its member
 * went away: it may have happened). Every written value is unique, so that any byte read anywhere
 * names the write it came from.
 *
 * This is what the checks inside of the simulator ask; the history that is judged from outside is
 * written beside it (history-lines.ts).
 */
import { createHash } from 'node:crypto'
import type { Bytes } from '../src/base/bytes.ts'
import type { ItemId, MemberId } from '../src/base/fact.ts'
import type { Hash } from '../src/base/hash.ts'
import type { ErrorCode } from '../src/base/veche-error.ts'
import type { Level } from '../src/control/protocol.ts'

export type OperationKind = 'put' | 'upload' | 'delete' | 'resolve' | 'get' | 'head' | 'list'

/** What an operation was answered. */
export type Outcome =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'done'
      readonly version: Hash
      /** For writes: what the answer promised. */
      readonly level: Level | null
      readonly heldBy: readonly MemberId[]
      /** For writes: of how many members. */
      readonly of: number | null
    }
  | { readonly kind: 'listed' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly sentence: string }
  | { readonly kind: 'unknown' }

export interface Operation {
  readonly sequence: number
  readonly client: string
  readonly member: MemberId
  readonly kind: OperationKind
  readonly id: ItemId
  readonly beganAtMs: number
  /** SHA-256 of the value written; null for what writes none. */
  readonly blob: Hash | null
  endedAtMs: number
  outcome: Outcome
}

/** How many operations ended in which way. */
export type OutcomeCounts = Readonly<Record<'open' | 'done' | 'refused' | 'unknown', number>>

export class History {
  readonly operations: Operation[] = []
  readonly #valueOf = new Map<Hash, ItemId>()

  begin(
    asked: Pick<Operation, 'client' | 'member' | 'kind' | 'id' | 'beganAtMs' | 'blob'>,
  ): Operation {
    const operation: Operation = {
      ...asked,
      sequence: this.operations.length,
      endedAtMs: Number.NaN,
      outcome: { kind: 'open' },
    }
    this.operations.push(operation)
    if (asked.blob !== null) this.#valueOf.set(asked.blob, asked.id)
    return operation
  }

  /** The id that a value was written to, if anybody ever wrote it. */
  writtenTo(blob: Hash): ItemId | undefined {
    return this.#valueOf.get(blob)
  }

  /** Writes that were acknowledged. */
  acknowledged(): Operation[] {
    return this.operations.filter(({ kind, outcome }) => isWrite(kind) && outcome.kind === 'done')
  }

  count(): OutcomeCounts {
    const counts = { open: 0, done: 0, refused: 0, unknown: 0 }
    for (const { outcome } of this.operations) {
      counts[outcome.kind === 'listed' ? 'done' : outcome.kind] += 1
    }
    return counts
  }
}

/** Whether an operation changes an item. */
export function isWrite(kind: OperationKind): boolean {
  return kind !== 'get' && kind !== 'head' && kind !== 'list'
}

/** SHA-256, by another way than the product's. */
export function sha256(bytes: Bytes): Hash {
  return createHash('sha256').update(bytes).digest('hex')
}
