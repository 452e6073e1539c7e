/**
 * The roster under quorum `visible`, told a second time from the protocol's text alone (PROTOCOL 10):
 * the memberships, by peer and number, that were added and not removed. It asks no member and uses
 * no code of theirs; slow and plain on purpose.
 */
import { type ItemId, isSystemId } from '../src/base/fact.ts'

/** The roster that the ids of facts tell of; user facts among them are passed over. */
export function rosterOf(ids: Iterable<ItemId>): { readonly members: ReadonlySet<string> } {
  const added = new Map<string, string>()
  const removed = new Set<string>()
  for (const id of ids) {
    if (!isSystemId(id)) continue
    const [kind, peer, number] = id.slice(1).split('/')
    if (kind === 'member' && peer !== undefined) added.set(`${peer}/${number}`, peer)
    if (kind === 'removed') removed.add(`${peer}/${number}`)
  }
  const inEffect = [...added].filter(([membership]) => !removed.has(membership))
  return { members: new Set(inEffect.map(([, peer]) => peer)) }
}
