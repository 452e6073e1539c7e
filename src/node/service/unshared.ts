/**
 * What would stay with a member that leaves, besides what is pending: payloads of current versions
 * whose facts all have, and which nobody but this member holds, since the others are still fetching
 * them. The members that are reached are asked, from their disks; nothing is changed.
 */
import type { FactRef } from '../../base/fact.ts'
import { isSystemId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Member } from '../driver/member.ts'

/** Nobody waits longer than this for a count. */
const COUNT_MS = 30_000

/** How many they are; null when that is not known: nobody is reached, or there was no time. */
export async function countUnsharedPayloads(member: Member): Promise<number | null> {
  const until = member.now() + COUNT_MS
  if (member.reached().length === 0) return null
  let count = 0
  for await (const page of member.store.allItems()) {
    const refs = page.flatMap(({ id, heads }) =>
      isSystemId(id) ? [] : heads.map(({ version }) => ({ id, version })),
    )
    for (let from = 0; from < refs.length; from += limits.holdsMax) {
      if (member.now() > until) return null
      count += await countHeldHere(member, refs.slice(from, from + limits.holdsMax))
    }
  }
  return count
}

async function countHeldHere(member: Member, refs: readonly FactRef[]): Promise<number> {
  const facts = await member.store.facts(refs)
  const large = facts.flatMap(held =>
    held?.state.kind === 'agreed' && held.fact.blob !== null && held.fact.size > 0
      ? [{ blob: held.fact.blob, ref: { id: held.fact.id, version: held.fact.version } }]
      : [],
  )
  const isHere = await member.store.hasPayloads(large.map(({ blob }) => blob))
  let left = large.filter((_, at) => isHere[at]).map(({ ref }) => ref)
  for (const peer of member.reached()) {
    if (left.length === 0) break
    const answer = await member.links.ask(peer, { kind: 'askHolds', refs: left })
    if (answer?.kind !== 'holds') continue
    left = left.filter((_, at) => answer.held[at] !== true)
  }
  return left.length
}
