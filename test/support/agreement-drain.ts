/**
 * Draining in the model (PROTOCOL 8): a Source shows a slice of its pending queue to the Sources
 * that it reaches, takes as agreed what one of them shows already, and adds the rest, now. What
 * only some showed comes to the others by healing (scenarios.test.ts, draining).
 */
import { limits } from '../../src/base/limits.ts'
import type { Stamp } from '../../src/base/stamp.ts'
import { isReached, otherSources } from '../../src/consensus/agreement/reach.ts'
import type { ModelMember } from './agreement-member.ts'

const SLICE_NAMES = 64

/** Begins a slice when there is one; called with every tick. */
export function drain(member: ModelMember): void {
  if (!member.isSource || member.isDraining || member.sets.pending.size === 0) return
  const slice = [...member.sets.pending.keys()].slice(0, SLICE_NAMES)
  const shown = new Map<string, Stamp>()
  const life = member.life
  let waitingFor = 0
  const addAll = () => {
    if (!member.isDraining || life !== member.life) return
    member.isDraining = false
    if (!member.isSource) return
    const rest = slice.filter(name => !shown.has(name) && member.sets.pending.has(name))
    member.agreeAll([...shown].map(([name, added]) => ({ name, added })))
    if (rest.length > 0) member.add(rest)
  }
  const answered = () => {
    waitingFor -= 1
    if (waitingFor <= 0) addAll()
  }
  member.isDraining = true
  for (const peer of otherSources(member.state)) {
    if (!isReached(member.state, peer)) continue
    const other = member.world.get(peer.id)
    waitingFor += 1
    member.tell(other, () => {
      const known = new Map([...slice].map(name => [name, other.sets.agreed.get(name)]))
      other.tell(member, () => {
        for (const [name, added] of known) if (added !== undefined) shown.set(name, added)
        answered()
      })
    })
  }
  if (waitingFor === 0) addAll()
  else member.later(limits.offerAnswerMs, addAll)
}
