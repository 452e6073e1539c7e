/**
 * Whether a world has come to rest: everybody who takes part is up and Source with one hash and one
 * roster, nobody is still on the way in, and nothing waits anywhere. Who was removed takes part until
 * it knows; who lies is not asked.
 */
import type { SimMember, UpMember, World } from './world.ts'

/** Members that are open, do not lie, and know of no removal of theirs. */
export function honest(world: World): UpMember[] {
  return world.up().filter(({ id, member }) => id !== world.liar && !member.roster.isRemoved)
}

/** Members that are open and take part, as they themselves see it. */
export function takingPart(world: World): UpMember[] {
  const open = honest(world)
  return open.filter(entry => !isOrphan(world, entry, open))
}

/**
 * Let in by somebody who was removed meanwhile and told nobody else: no member knows of it, and it is
 * none. It is to be invited again.
 */
export function isOrphan(
  world: World,
  { id, letInBy }: SimMember,
  open: readonly UpMember[],
): boolean {
  const host = world.members.find(entry => entry.id === letInBy)
  if (host === undefined || host.standing === 'member') return false
  return open.every(other => other.id === id || !other.member.roster.isMember(id))
}

/** Whether every member is Source with one hash, and nothing waits anywhere. */
export function isSettled(world: World): boolean {
  const here = takingPart(world)
  const first = here[0]
  if (first === undefined || !areAllIn(world)) return false
  const roster = rosterAt(first)
  return here.every(
    entry =>
      entry.member.agreement.source !== null &&
      rootAt(entry) === rootAt(first) &&
      rosterAt(entry) === roster &&
      here.every(other => entry.member.roster.isMember(other.id)) &&
      entry.member.ledger.sets.settled.waitingItems().next().done === true &&
      entry.member.store.counts().pending === 0 &&
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
