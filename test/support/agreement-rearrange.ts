/**
 * A rearrangement in the model: facts change their set, or are fetched from members that hold them,
 * and it is durable a moment later.
 */
import { refKey } from '../../src/base/fact.ts'
import { STAMP_ZERO } from '../../src/base/stamp.ts'
import type { Rearrange } from '../../src/consensus/agreement/events.ts'
import type { SentAdd } from './agreement-adds.ts'
import type { ModelMember } from './agreement-member.ts'

/** Carries out the effect `rearrange`. */
export function rearrangeSets(member: ModelMember, effect: Rearrange): void {
  const { world } = member
  const fetches = effect.fetch.length > 0 ? 2 * world.network.delayMs() : 0
  member.later(world.rearrangeMs + fetches, () => {
    const { moved, complete } = apply(member, effect)
    const { ticket } = effect
    member.take({ kind: 'rearranged', now: member.now, ticket, moved, complete })
  })
}

function apply(member: ModelMember, effect: Rearrange): { moved: number; complete: boolean } {
  const { sets } = member
  let moved = 0
  for (const { id } of effect.setAside) {
    if (sets.agreed.has(id) && sets.setAside(id)) moved += 1
  }
  const agreed: Omit<SentAdd, 'sequence'>[] = []
  let complete = true
  for (const { peer, facts } of effect.fetch) {
    for (const { ref, added } of facts) {
      if (canFetch(member, peer, ref.id)) agreed.push({ name: ref.id, added })
      else complete = false
    }
  }
  const { keepPending } = effect
  if (keepPending !== null) {
    for (const name of sets.pending.keys()) {
      const ref = member.world.names.ref(name)
      if (!sets.isHeld(name) || keepPending.has(refKey(ref))) continue
      agreed.push({ name, added: effect.addedBy.get(refKey(ref)) ?? STAMP_ZERO })
    }
  }
  moved += member.agreeAll(agreed)
  return { moved, complete }
}

function canFetch(member: ModelMember, peer: string, name: string): boolean {
  const { world } = member
  const holder = world.get(peer)
  const isLinked = world.network.isUp(member.id, peer) && world.network.isUp(peer, member.id)
  if (world.fetchFails || !holder.isAlive || !isLinked) return false
  if (world.chance.isHit(world.network.loss)) return false
  return holder.sets.agreed.has(name) || holder.sets.pending.has(name)
}
