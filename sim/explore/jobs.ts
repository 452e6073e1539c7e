/**
 * The work that a member has begun and that is done at a moment of the explorer's choosing:
 * comparisons, rearrangements, gaps to be filled, slices of the queue to be shown. A job whose other
 * member is gone fails, as it would by its timeout.
 */
import { refKey } from '../../src/base/fact.ts'
import { limits } from '../../src/base/limits.ts'
import type { Compared } from '../../src/consensus/agreement/events.ts'
import { add, agreeAll, incomingOf, lifeOf, take } from './driver.ts'
import {
  allOf,
  cloneFacts,
  type Facts,
  heldOf,
  hold,
  isEmpty,
  nameOf,
  namesOf,
  pendingOf,
  refOf,
  rootOf,
  setAside,
  settledOf,
  stateOf,
} from './facts.ts'
import { cutOf, msOfStamp } from './time.ts'
import {
  atOf,
  IDS,
  isAwake,
  isJoined,
  type Job,
  lateMsMax,
  type Member,
  touch,
  type World,
} from './world.ts'

type Compare = Extract<Job, { kind: 'compare' }>

/** Does a job, or its next part. */
export function doJob(world: World, at: number, job: Job): void {
  const member = touch(world, at)
  member.jobs = member.jobs.filter(other => other !== job)
  switch (job.kind) {
    case 'hold':
      hold(member.facts)
      return tell(world, at)
    case 'compare':
      if (!canReach(world, at, job.peer)) return failCompare(world, at, job)
      return job.said === null ? ask(world, member, job) : hear(world, at, job)
    case 'rearrange':
      return rearrange(world, at, job.effect)
    case 'fill':
      return fill(world, at, job)
    case 'drain':
      return showSlice(world, at, job)
  }
}

/** Lets a job fail: the other refused, or did not answer in time. */
export function failJob(world: World, at: number, job: Job): void {
  const member = touch(world, at)
  member.jobs = member.jobs.filter(other => other !== job)
  if (job.kind === 'compare') return failCompare(world, at, job)
  if (job.kind === 'rearrange') {
    const { ticket } = job.effect
    take(world, at, { kind: 'rearranged', now: world.now, ticket, moved: 0, complete: false })
  }
}

function tell(world: World, at: number): void {
  agreeAll(world, at, [])
}

function canReach(world: World, at: number, peer: number): boolean {
  return isAwake(world.members[peer]!) && isJoined(world, at, peer)
}

function failCompare(world: World, at: number, job: Compare): void {
  compared(world, at, job, null)
}

function ask(world: World, member: Member, job: Compare): void {
  const { facts } = world.members[job.peer]!
  if (job.scope === 'held' && (!facts.isHolding || isEmpty(facts))) {
    return failCompare(world, member.at, job)
  }
  const cut = cutOf(world.now)
  const said = {
    held: heldOf(facts),
    settled: settledOf(facts, cut),
    cut,
    facts: cloneFacts(facts),
  }
  member.jobs.push({ ...job, late: false, said })
}

function hear(world: World, at: number, job: Compare): void {
  const said = job.said
  if (said === null) return
  if (cutOf(world.now) - said.cut > lateMsMax) return failCompare(world, at, job)
  if (job.scope === 'held') {
    const theyLack = named(world.members[at]!.facts, job.mine & ~said.held)
    const theyHave = named(said.facts, said.held & ~job.mine)
    compared(world, at, job, {
      theirRoot: rootOf(said.held),
      theirCut: said.cut,
      theyLack,
      theyHave,
    })
    return
  }
  const { facts } = world.members[at]!
  const taken = namesOf(said.settled & ~facts.agreed)
  const lacking = settledOf(facts, cutOf(world.now)) & ~said.settled
  const theyLack = named(facts, lacking)
  if (job.purpose !== 'heal' || taken.length <= limits.healFactsMax) {
    agreeAll(
      world,
      at,
      taken.map(name => ({ name, addedMs: said.facts.added[name]! })),
    )
  }
  const theirRoot = rootOf(said.settled)
  compared(world, at, job, { theirRoot, theirCut: said.cut, theyLack, theyHave: [] })
}

function named(facts: Facts, bits: number) {
  return namesOf(bits).map(name => ({ ref: refOf(name), state: stateOf(facts, name) }))
}

function compared(
  world: World,
  at: number,
  job: Compare,
  result: Pick<Compared, 'theirRoot' | 'theirCut' | 'theyLack' | 'theyHave'> | null,
): void {
  take(world, at, {
    kind: 'compared',
    now: world.now,
    ticket: job.ticket,
    peer: IDS[job.peer]!,
    done: result !== null,
    ...(result ?? { theirRoot: '', theirCut: 0, theyLack: [], theyHave: [] }),
  })
}

function rearrange(
  world: World,
  at: number,
  effect: Extract<Job, { kind: 'rearrange' }>['effect'],
): void {
  const member = touch(world, at)
  let moved = 0
  for (const ref of effect.setAside) if (setAside(member.facts, nameOf(ref))) moved += 1
  const agreed: { name: number; addedMs: number }[] = []
  let complete = true
  for (const { peer, facts } of effect.fetch) {
    const holder = world.members[atOf(peer)]!
    for (const { ref, added } of facts) {
      const name = nameOf(ref)
      const isThere = (allOf(holder.facts) & (1 << name)) !== 0
      if (isThere && canReach(world, at, holder.at))
        agreed.push({ name, addedMs: msOfStamp(added) })
      else complete = false
    }
  }
  const { keepPending } = effect
  if (keepPending !== null) {
    const held = pendingOf(member.facts) & heldOf(member.facts)
    for (const name of namesOf(held)) {
      const key = refKey(refOf(name))
      if (keepPending.has(key)) continue
      const added = effect.addedBy.get(key)
      agreed.push({ name, addedMs: added === undefined ? 0 : msOfStamp(added) })
    }
  }
  moved += agreeAll(world, at, agreed)
  const { ticket } = effect
  take(world, at, { kind: 'rearranged', now: world.now, ticket, moved, complete })
}

function fill(world: World, at: number, job: Extract<Job, { kind: 'fill' }>): void {
  const adder = world.members[job.peer]!
  if (!canReach(world, at, job.peer) || lifeOf(adder) !== job.life) return
  const member = touch(world, at)
  const incoming = incomingOf(member, job.peer, job.life, 0)
  member.incoming[job.peer] = { ...incoming, got: incoming.got | job.numbers }
  const found: { name: number; addedMs: number }[] = []
  for (const [index, name] of adder.sent.entries()) {
    const addedMs = adder.facts.added[name]!
    if ((job.numbers & (2 << index)) !== 0 && addedMs >= 0) found.push({ name, addedMs })
  }
  agreeAll(world, at, found)
}

/** One Source says what of the slice it shows; after the last one the rest is added. */
function showSlice(world: World, at: number, job: Extract<Job, { kind: 'drain' }>): void {
  const member = touch(world, at)
  if (member.state === null || member.state.source === null) return
  const peer = 31 - Math.clz32(job.waiting)
  const waiting = job.waiting & ~(1 << peer)
  const theirs = canReach(world, at, peer) ? world.members[peer]!.facts.added : null
  const shown = job.shown.map((ms, name) => {
    const known = theirs?.[name] ?? -1
    return (job.slice & (1 << name)) !== 0 && known >= 0 ? known : ms
  })
  if (waiting !== 0) {
    member.jobs.push({ ...job, late: false, waiting, shown })
    return
  }
  const known = namesOf(job.slice).filter(name => shown[name]! >= 0)
  agreeAll(
    world,
    at,
    known.map(name => ({ name, addedMs: shown[name]! })),
  )
  const { facts, state } = world.members[at]!
  const rest = namesOf(job.slice & pendingOf(facts)).filter(name => shown[name]! < 0)
  if (rest.length > 0 && state?.source != null) add(world, at, rest)
}
