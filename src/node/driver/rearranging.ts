/**
 * Carrying out what the agreement machine decided about the agreed set: facts set aside, fetched,
 * taken over from the pending queue. In slices, so that the loop is never held; confirmed when
 * everything is durable.
 */
import { type FactRef, refKey } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Rearrange } from '../../consensus/agreement/events.ts'
import { fetchFacts } from './fetching.ts'
import type { Member } from './member.ts'

/** Runs a rearrangement and tells the machine how much moved. */
export async function rearrange(member: Member, effect: Rearrange): Promise<void> {
  let moved = 0
  let complete = true
  // What the machine gave up meanwhile must not go on: a Source's agreed set is its own.
  const isCurrent = () => isWanted(member, effect.ticket)
  for (const { peer, facts } of effect.fetch) {
    if (!isCurrent()) return
    const addedBy = new Map(facts.map(entry => [refKey(entry.ref), entry.added]))
    const refs = facts.map(entry => entry.ref)
    const fetched = await fetchFacts(member, peer, refs, addedBy)
    moved += fetched.stored
    complete = complete && fetched.complete
  }
  for (let at = 0; at < effect.setAside.length; at += limits.pageMax) {
    if (!isCurrent()) return
    const slice = effect.setAside.slice(at, at + limits.pageMax)
    moved += (await member.ledger.restate(slice, { kind: 'setAside' })).moved
  }
  if (effect.keepPending !== null && isCurrent())
    moved += await adoptPending(member, effect.keepPending, effect)
  await member.ledger.durable()
  member.dispatch({
    kind: 'rearranged',
    now: member.now(),
    ticket: effect.ticket,
    moved,
    complete,
  })
}

function isWanted({ agreement, stopped }: Member, ticket: number): boolean {
  if (stopped) return false
  return agreement.round?.rearranging?.ticket === ticket || agreement.sync?.rearranging === ticket
}

/** Every held pending fact that is not to be kept becomes agreed: more than half hold it. */
async function adoptPending(
  member: Member,
  keep: ReadonlySet<string>,
  { addedBy, ticket }: Rearrange,
): Promise<number> {
  const { ledger, store } = member
  let moved = 0
  for (let after = -1; ; ) {
    const page = await ledger.inOrder(() => store.pending(after, limits.pageMax))
    const last = page.at(-1)
    if (last === undefined || !isWanted(member, ticket)) return moved
    after = last.order
    const open = page.map(entry => entry.ref).filter(ref => !keep.has(refKey(ref)))
    const held = await store.facts(open)
    const adopted: FactRef[] = open.filter((_, at) => {
      const state = held[at]?.state
      return state !== undefined && ledger.sets.isHeld(state)
    })
    if (adopted.length === 0) continue
    moved += (await ledger.restate(adopted, { kind: 'adopt', addedBy })).moved
  }
}
