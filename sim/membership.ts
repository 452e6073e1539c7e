/**
 * Members that come, go and come back, by the product's own ways: an invitation is issued by a
 * member's service, redeemed at its door by the code of `veche join`, and written into a store as
 * that does; `remove` and `leave` are asked of the service.
 *
 * The world's `standing` says what was asked for. What came of it each member says itself: a removal
 * may be lost with the process that was to tell it.
 */
import { VecheError } from '../src/base/veche-error.ts'
import { standingOf } from '../src/node/driver/roster-facts.ts'
import { systemFacts } from '../src/node/driver/system.ts'
import { enterOver } from '../src/node/entering.ts'
import { writeSystemFacts } from '../src/node/identity.ts'
import { decodeToken, type Token } from '../src/node/token.ts'
import { clockOf, type Life } from './clock.ts'
import type { SimMember, UpMember, World } from './world.ts'

/** A member that takes part, as far as it knows: it can invite and remove. */
export function canChange(entry: SimMember): entry is UpMember {
  return entry.member !== null && entry.service !== null && !entry.member.roster.isRemoved
}

/**
 * Invites a machine and starts it: it knocks until it is let in, and is a member from then on. It
 * must be down; who was removed comes back with all that its disk holds.
 */
export function invite(world: World, issuer: UpMember, entry: SimMember): void {
  world.tell(entry.id, `is invited by ${issuer.id}`)
  const inviting = issuer.service.invite({}).then(({ token }) => {
    if (entry.life !== null || entry.entering !== null) return
    const { letInBy, isForgotten } = entry
    entry.letInBy = issuer.id
    entry.isForgotten = false
    const before: Before = { memberships: null }
    entry.entering = async life => {
      const how = await enter(world, entry, decodeToken(token), { life, before })
      // It was a member as far as it knew, and did not knock: it is in by its old invitation.
      if (how === 'as it was') Object.assign(entry, { letInBy, isForgotten })
      return how !== 'not'
    }
    world.start(entry)
  })
  forgive(world, issuer, inviting)
}

/** Asks a member to remove another one. What only that one holds stays with it. */
export function remove(world: World, by: UpMember, gone: SimMember): void {
  depart(world, gone)
  world.tell(gone.id, `is removed by ${by.id}`)
  forgive(world, by, by.service.remove({ member: gone.id }))
}

/** Asks a member to leave. */
export function leave(world: World, entry: UpMember): void {
  depart(world, entry)
  world.tell(entry.id, 'leaves')
  forgive(world, entry, entry.service.leave())
}

function depart(world: World, gone: SimMember): void {
  gone.standing = 'removed'
  // When it comes back it is let in anew, and whom it let in before is not by that.
  for (const other of world.members) other.isForgotten ||= other.letInBy === gone.id
  world.atlas.judge()
}

/** How many memberships of its own a machine knew of as it began to knock. */
interface Before {
  memberships: number | null
}

/** What `veche join` does on a machine: whether it is a member then, and since when. */
async function enter(
  world: World,
  entry: SimMember,
  token: Token,
  { life, before }: { readonly life: Life; readonly before: Before },
): Promise<'let in' | 'as it was' | 'removed' | 'not'> {
  const store = entry.disk.open(life)
  const mine = standingOf(await systemFacts(store)).memberships.filter(
    ({ peer }) => peer === entry.id,
  )
  before.memberships ??= mine.length
  // Its life before this one was let in, and ended before it could say so.
  const isIn = mine.length > before.memberships
  // Who does not know of its removal is refused by `join`, and started as it is.
  const isOpen = mine.every(({ removed }) => removed)
  const isLetIn = isIn || (isOpen && (await knock(world, entry, token, life, store)))
  await store.close()
  entry.disk.keep(entry.disk.copy(), world.nowMs)
  if (isLetIn && before.memberships === 0) entry.disk.founded()
  if (isLetIn) {
    entry.standing = 'member'
    world.atlas.judge()
  }
  if (isLetIn) return 'let in'
  if (!isOpen) return 'as it was'
  return mine.length > 0 ? 'removed' : 'not'
}

async function knock(
  world: World,
  entry: SimMember,
  token: Token,
  life: Life,
  store: Parameters<typeof writeSystemFacts>[0],
): Promise<boolean> {
  const port = world.network.port(entry.id, life)
  try {
    const facts = await enterOver(port, clockOf(life, entry.skew), token, entry.id)
    await writeSystemFacts(store, facts)
    world.tell(entry.id, 'is let in')
    return true
  } catch (error) {
    if (!(error instanceof VecheError)) throw error
    world.tell(entry.id, `is not let in: ${error.message}`)
    return false
  }
}

/** A refusal is an answer like any other; whatever else goes wrong ends the member's process. */
function forgive(world: World, at: UpMember, work: Promise<unknown>): void {
  work.catch(error => {
    if (!(error instanceof VecheError)) throw error
    world.trace(at.id, `refused: ${error.message}`)
  })
}
