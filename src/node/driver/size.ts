/**
 * About how many bytes things will take on the wire: to cut batches and answers near their aim, not
 * to the byte. Estimates are on the high side.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Fact } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'

const FIXED = 64
const HASHES = 40

/** A fact with its payload. */
export function factBytes(fact: Fact, payload: Bytes | null): number {
  let bytes = 4 * FIXED + HASHES * (3 + fact.parents.length) + 3 * fact.id.length
  bytes += 3 * (fact.description.length + fact.type.length)
  for (const id of fact.dependsOn) bytes += 8 + 3 * id.length
  for (const tag of fact.tags) bytes += 8 + 3 * tag.length
  if (fact.meta !== null) bytes += 3 * JSON.stringify(fact.meta).length
  for (const { heads } of fact.base ?? []) bytes += FIXED + HASHES * heads.length
  return bytes + (payload?.length ?? 0)
}

/** Cuts a list into parts of about one batch each, and of no more entries than a message may list. */
export function* inBatches<T>(
  list: readonly T[],
  bytes: (entry: T) => number,
): Generator<readonly T[]> {
  let part: T[] = []
  let size = 0
  for (const entry of list) {
    const next = bytes(entry)
    if (part.length > 0 && (size + next > limits.batchBytes || part.length >= limits.holdsMax)) {
      yield part
      part = []
      size = 0
    }
    part.push(entry)
    size += next
  }
  if (part.length > 0) yield part
}
