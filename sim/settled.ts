/**
 * Whether a world has come to rest: everybody who takes part is up and Source with one hash and one
 * roster, nobody is still on the way in, and nothing waits anywhere. Who was removed takes part until
 * it knows; who lies is not asked.
 */
import type { MemoryStore } from '../src/storage/memory-store.ts'
import { groupsOf } from './groups.ts'
import type { SimMember, UpMember, World } from './world.ts'

/**
 * Members that are open and take part, as they themselves see it: do not lie, know of no removal of
 * theirs, and are not apart from the others for good.
 *
 * Who was let in by somebody who left, was removed or lost its disk since, or by such a one, is *rootless*:
 * a member that was away knows of none of them, and lets none of them in. So it is with members that
 * removed each other at the same time: neither believes the other. They are two networks until
 * somebody brings them together. The larger one is looked at.
 */
export function takingPart(world: World): UpMember[] {
  const [most = [], ...others] = circles(honest(world))
  const isLostTo = (circle: readonly UpMember[], rest: readonly UpMember[]) =>
    circle.every(entry => isRootless(world, entry) || isRemovedFrom(entry, rest))
  const isApart = (circle: readonly UpMember[]) => isLostTo(circle, most) || isLostTo(most, circle)
  return [...most, ...others.filter(circle => !isApart(circle)).flat()]
}

/** Whether a member was removed, and can hear of it from none of these: it knows none of them. */
function isRemovedFrom({ id, standing, member }: UpMember, rest: readonly UpMember[]): boolean {
  const isKnown = (other: UpMember) =>
    other.member.roster.isMember(id) || member.roster.isMember(other.id)
  return standing === 'removed' && !rest.some(isKnown)
}

/** Whether members are in more than one network for good. */
export function areApart(world: World): boolean {
  return takingPart(world).length < honest(world).length
}

function honest(world: World): UpMember[] {
  return world.up().filter(({ id, member }) => id !== world.liar && !member.roster.isRemoved)
}

/** Members that know each other, directly or over others; the largest circle first. */
function circles(open: readonly UpMember[]): UpMember[][] {
  const found = groupsOf(
    open,
    (one, other) => one.member.roster.isMember(other.id) && other.member.roster.isMember(one.id),
  )
  return found.sort((a, b) => b.length - a.length)
}

function isRootless(world: World, entry: SimMember): boolean {
  const seen = new Set<SimMember>()
  for (let at = entry; at.letInBy !== null; ) {
    if (at.isForgotten || seen.has(at)) return true // a circle of those who let in each other
    seen.add(at)
    const host = world.members.find(({ id }) => id === at.letInBy)!
    if (host.standing !== 'member') return true
    at = host
  }
  return false
}

/** Whether a member is in another network than those who take part; one that is down may be. */
export function isApart(world: World, entry: SimMember, here: readonly UpMember[]): boolean {
  if (here.some(({ id }) => id === entry.id) || entry.id === world.liar) return false
  if (entry.member !== null) return true
  return isRootless(world, entry) && here.every(({ member }) => !member.roster.isMember(entry.id))
}

/** Whether every member is Source with one hash, and nothing waits anywhere. */
export function isSettled(world: World): boolean {
  const here = takingPart(world)
  const first = here[0]
  if (first === undefined || !areAllIn(world)) return false
  const roster = rosterAt(first)
  // Disks may be lost with what was known of a removal: who was removed tells it anew.
  const removed = world.up().filter(({ member }) => member.roster.isRemoved)
  return here.every(
    entry =>
      removed.every(({ id }) => id === world.liar || !entry.member.roster.isMember(id)) &&
      entry.member.agreement.source !== null &&
      rootAt(entry) === rootAt(first) &&
      rosterAt(entry) === roster &&
      here.every(other => entry.member.roster.isMember(other.id)) &&
      entry.member.ledger.sets.settled.waitingItems().next().done === true &&
      entry.member.store.counts().pending === 0 &&
      (entry.member.store as MemoryStore).undurable === 0 &&
      missing(world, entry) === 0,
  )
}

/** Nobody who belongs here is down or still knocking. */
export function areAllIn(world: World): boolean {
  return world.members.every(
    ({ id, entering, member, standing }) =>
      id === world.liar || (entering === null && (standing !== 'member' || member !== null)),
  )
}

/** Payloads that somebody here could still bring: others left with a removed member, or were made up. */
function missing(world: World, { member }: UpMember): number {
  const wanted = member.payloads.missing()
  if (wanted.length === 0) return 0
  const here = takingPart(world)
  return wanted.filter(({ blob }) => here.some(({ disk }) => disk.payloads.has(blob))).length
}

/** Why a world is not settled, in a few words for each member. */
export function whyUnsettled(world: World): string {
  return world.members
    .map(entry => {
      const { id, member, entering, standing } = entry
      if (member === null) return `${id} (${standing}) is ${entering ? 'knocking' : 'down'}`
      const { pending, wanted, facts } = member.store.counts()
      const { status } = member.agreement
      const root = member.ledger.sets.settled.root().slice(0, 8)
      const roster = `knows ${rosterAt({ ...entry, member })}${member.roster.isRemoved ? ', removed' : ''}`
      return `${id}: ${status}, hash ${root}, ${facts} facts, ${pending} pending, ${wanted} wanted, ${roster}`
    })
    .join('; ')
}

function rootAt(entry: { readonly member: UpMember['member'] }): string {
  return entry.member.ledger.sets.settled.root()
}

function rosterAt(entry: { readonly member: UpMember['member'] }): string {
  return entry.member.agreement.roster.join('+')
}
