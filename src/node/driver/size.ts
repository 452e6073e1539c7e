/**
 * About how many bytes things will take on the wire: to cut batches and answers near their aim, not
 * to the byte. Estimates are on the high side.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Fact } from '../../base/fact.ts'
import type { Body } from '../../consensus/messages.ts'

const FIXED = 64
const HASHES = 40

/** A fact with its payload. */
export function factBytes(fact: Fact, payload: Bytes | null): number {
  let bytes = 4 * FIXED + HASHES * (3 + fact.parents.length) + 2 * fact.id.length
  bytes += 2 * fact.description.length + fact.dependsOn.length * FIXED + fact.tags.length * 32
  if (fact.meta !== null) bytes += 2 * JSON.stringify(fact.meta).length
  for (const { heads } of fact.base ?? []) bytes += FIXED + HASHES * heads.length
  return bytes + (payload?.length ?? 0)
}

/** A body of a frame. */
export function bodyBytes(body: Body): number {
  switch (body.kind) {
    case 'adds':
      return sum(body.adds, add => factBytes(add.fact, add.payload))
    case 'facts':
      return sum(body.facts, shown => factBytes(shown.fact, shown.payload))
    case 'offer':
      return sum(body.facts, shown => factBytes(shown.fact, shown.payload))
    case 'system':
      return sum(body.facts, fact => factBytes(fact, null))
    case 'items':
      return sum(
        body.items,
        item =>
          FIXED +
          sum(item.facts, shown => factBytes(shown.fact, shown.payload)) +
          item.names.length * 3 * FIXED +
          item.covered.length * 2 * HASHES,
      )
    case 'chunk':
      return FIXED + (body.bytes?.length ?? 0)
    case 'askFacts':
    case 'askHolds':
      return sum(body.refs, ref => HASHES + 2 * ref.id.length)
    case 'sequences':
      return sum(body.entries, entry => HASHES + 2 * entry.ref.id.length)
    case 'adopt':
      return sum(body.adds, add => FIXED + HASHES + 2 * add.ref.id.length)
    case 'askItems':
      return sum(body.items, item => HASHES * (1 + item.have.length))
    default:
      return FIXED
  }
}

function sum<T>(list: readonly T[], bytes: (entry: T) => number): number {
  let total = FIXED
  for (const entry of list) total += bytes(entry)
  return total
}
