/**
 * Faults of disks: full, slow, stuck, failing an fsync, rotting.
 */
import { isSystemId } from '../../src/base/fact.ts'
import type { Rot } from '../../src/storage/memory-tables.ts'
import type { SimMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'
import { scrub } from './scrub.ts'

/** An fsync of a disk that is shared with somebody greedy. */
const SLOW_MS = [20, 600] as const
/** The longest that a stuck fsync takes: what a kernel waits for a path or a controller. */
const STUCK_MS = [500, 60_000] as const

export const diskFaults = {
  /** Below the reserve: users' writes and large payloads are refused until there is room. */
  diskFull(context) {
    const one = context.random.pick(context.world.members)
    one.disk.setFull(true)
    context.world.tell(one.id, 'disk full')
    context.lasts(context.duration(), () => {
      one.disk.setFull(false)
      context.world.tell(one.id, 'disk has room')
    })
    return true
  },

  /** Every fsync takes long. */
  diskSlow(context) {
    const one = context.random.pick(context.world.members)
    const { weather } = one.disk
    const before = weather.fsyncMs
    weather.fsyncMs = [...SLOW_MS]
    context.world.tell(one.id, 'disk slow')
    context.lasts(context.duration(), () => {
      weather.fsyncMs = before
      context.world.tell(one.id, 'disk as before')
    })
    return true
  },

  /** No fsync comes to its end for a while. */
  diskStuck(context) {
    const one = context.random.pick(context.world.members)
    const ms = Math.min(context.random.between(...STUCK_MS), 3 * context.duration())
    one.disk.stick()
    context.world.tell(one.id, `disk stuck for ${Math.round(ms)} ms`)
    context.lasts(ms, () => {
      one.disk.unstick()
      context.world.tell(one.id, 'disk goes on')
    })
    return true
  },

  /** An fsync fails: the process must end, and comes back on what is really there. */
  diskFail(context) {
    const { world, random } = context
    const one = random.shuffled(world.members).find(({ member }) => member !== null)
    if (one === undefined) return false
    one.disk.fail()
    world.tell(one.id, 'every fsync fails')
    context.lasts(context.duration(), () => {
      one.disk.mend()
      world.start(one)
    })
    return true
  },

  /** A record or a payload goes bad where it lies; some time later somebody runs `veche verify`. */
  rot(context) {
    const { world, random } = context
    for (const one of random.shuffled(world.members)) {
      const what = rotAt(context, one)
      if (what === undefined) continue
      one.disk.rot(what)
      world.tell(one.id, `rot in ${told(what)}`)
      context.lasts(context.duration(), () => scrub(world, one))
      return true
    }
    return false
  },
} satisfies Family

/** Something durable of which another machine has a copy. */
function rotAt({ world, random }: FaultContext, one: SimMember): Rot | undefined {
  const others = world.members.filter(other => other !== one)
  const facts = [...one.disk.holdings.values()].flatMap(({ fact }) => {
    const { id, version, blob } = fact
    const isThere = ({ disk }: SimMember) => disk.isDurable({ id, version }, blob)
    return !isSystemId(id) && isThere(one) && others.some(isThere) ? [fact] : []
  })
  if (facts.length === 0) return undefined
  const { id, version, blob } = random.pick(facts)
  const kind = random.pick(['fact', 'item', 'payload'] as const)
  if (kind === 'payload' && blob !== null) return { kind, blob }
  return kind === 'item' ? { kind, id } : { kind: 'fact', ref: { id, version } }
}

function told(what: Rot): string {
  if (what.kind === 'payload') return `payload ${what.blob.slice(0, 12)}`
  return what.kind === 'item' ? `item ${what.id}` : `version ${what.ref.version.slice(0, 12)}`
}
