/**
 * Faults of the roster and of whole disks: machines join, members are removed, leave and come back,
 * while all else goes on; a disk is lost, or an old copy of it is put back.
 *
 * At least two members always stay, with a liar under quorum `roster` three: one honest member of
 * two could not remove it in the end. There are as many machines as a run can carry. With quorum
 * `roster` a minority asks in vain, or its change is decided later.
 */
import { canChange, invite, leave, remove } from '../membership.ts'
import type { SimMember, UpMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'

/** Machines in one world: each one more makes a run slower. */
const MACHINES_MAX = 8
const MEMBERS_MIN = 2

export const memberFaults = {
  /** A new machine is invited; its process may be killed on the way, and tries again. */
  join(context) {
    const { world } = context
    const issuer = changer(context)
    if (issuer === undefined || world.members.length >= MACHINES_MAX) return false
    const entry = world.enrol()
    invite(world, issuer, entry)
    disturb(context, entry)
    return true
  },

  /** Somebody is removed by another member, whether it is there or not. */
  remove(context) {
    const by = changer(context)
    if (by === undefined || members(context).length <= leastMembers(context)) return false
    const gone = context.random.shuffled(members(context)).find(entry => entry.id !== by.id)
    if (gone === undefined) return false
    remove(context.world, by, gone)
    return true
  },

  leave(context) {
    const one = changer(context)
    if (one === undefined || members(context).length <= leastMembers(context)) return false
    leave(context.world, one)
    return true
  },

  /** Who was removed is stopped and invited again, with all that it holds. */
  comeBack(context) {
    const { world, random } = context
    const issuer = changer(context)
    const gone = random
      .shuffled(world.members)
      .find(({ standing, entering }) => standing === 'removed' && entering === null)
    if (issuer === undefined || gone === undefined) return false
    world.crash(gone, 'kill')
    invite(world, issuer, gone)
    disturb(context, gone)
    return true
  },

  /** The disk is lost, and the machine starts with one that knows its network and nothing else. */
  newDisk(context) {
    const one = destroyable(context)
    if (one === undefined) return false
    context.world.crash(one, 'power')
    context.world.replaceDisk(one, 'new')
    context.lasts(context.duration(), () => context.world.start(one))
    return true
  },

  /** A copy of the disk is taken now, and put back some time later. */
  oldCopy(context) {
    const { world } = context
    const one = destroyable(context)
    if (one === undefined) return false
    const copy = one.disk.copy()
    const [laterMs, downMs] = [context.duration() * 2, context.duration()]
    world.tell(one.id, 'is copied')
    context.lasts(laterMs + downMs, () => world.start(one))
    world.timeline.after(laterMs, () => {
      if (context.isOver() || one.entering !== null || !world.atlas.mayDestroyAt(one)) return
      world.crash(one, 'power')
      world.replaceDisk(one, copy)
    })
    return true
  },
} satisfies Family

function members({ world }: FaultContext): SimMember[] {
  return world.members.filter(({ standing }) => standing === 'member')
}

/** How many members have to stay: of them, the honest ones can decide something. */
function leastMembers({ world }: FaultContext): number {
  const lies = world.members.some(({ id, standing }) => id === world.liar && standing === 'member')
  return lies && world.quorum === 'roster' ? MEMBERS_MIN + 1 : MEMBERS_MIN
}

/** Some member that runs and may change the roster. */
function changer({ world, random }: FaultContext): UpMember | undefined {
  if (world.quorum === 'roster' && world.atlas.hasDestroyed) return undefined
  return random
    .shuffled(world.members)
    .filter(({ standing }) => standing === 'member')
    .find(canChange)
}

/**
 * Some machine whose disk may go. With quorum `roster` that is nothing to live on with where rosters
 * change: it would have forgotten its votes (docs/guarantees.md, G6).
 */
function destroyable({ world, random }: FaultContext): SimMember | undefined {
  const hasChanged = world.up().some(({ member }) => member.roster.voting.known.number > 0)
  if (world.quorum === 'roster' && hasChanged) return undefined
  return random
    .shuffled(world.members)
    .find(entry => isMachine(entry) && world.atlas.mayDestroyAt(entry))
}

function isMachine({ standing, entering, lives }: SimMember): boolean {
  return standing === 'member' && entering === null && lives > 0
}

/** Now and then who is joining is killed in the middle of it. */
function disturb(context: FaultContext, entry: SimMember): void {
  const { world, random, lasts, duration, isOver } = context
  if (!random.chance(0.3)) return
  world.timeline.after(random.between(0, 3000), () => {
    if (!isOver() && entry.entering !== null) world.crash(entry, 'kill')
  })
  lasts(3000 + duration(), () => world.start(entry))
}
