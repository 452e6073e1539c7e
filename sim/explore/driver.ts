/**
 * What the driver of a member does around the agreement machine, in its smallest form: feeds it,
 * carries its effects out, takes messages in, and lets time pass. Everything that takes time in the
 * product becomes a message or a job here, so that the explorer decides when it is done.
 */

import { stampOf } from '../../src/base/stamp.ts'
import type { AgreementEvent, Effect } from '../../src/consensus/agreement/events.ts'
import { step } from '../../src/consensus/agreement/machine.ts'
import { answersMe, isReached, reachedPeers } from '../../src/consensus/agreement/reach.ts'
import {
  type AgreementState,
  createAgreement,
  type Own,
} from '../../src/consensus/agreement/state.ts'
import type { Envelope, Ping } from '../../src/consensus/messages.ts'
import {
  agree,
  allOf,
  type Facts,
  heldOf,
  isEmpty,
  namesOf,
  pendingOf,
  refOf,
  rootOf,
  settledOf,
  unhold,
} from './facts.ts'
import { checkStep } from './invariants.ts'
import { cutOf, networkMs } from './time.ts'
import {
  atOf,
  IDS,
  type Incoming,
  inboxMessagesMax,
  isAwake,
  isLinked,
  lateMsMax,
  type Member,
  type Message,
  touch,
  type World,
} from './world.ts'

/** Feeds one machine, looks at the step, and carries out what it asks for. */
export function take(world: World, at: number, event: AgreementEvent): void {
  const member = touch(world, at)
  const { state } = member
  if (state === null) return
  const effects = step(state, event)
  checkStep(member, state, effects)
  for (const effect of effects) carryOut(world, member, state, effect)
  tellOwn(world, at)
}

function carryOut(world: World, member: Member, state: AgreementState, effect: Effect): void {
  switch (effect.kind) {
    case 'announce':
      return announce(world, member, state)
    case 'status':
    case 'gapClosed':
      return
    case 'hold':
      member.jobs = member.jobs.filter(({ kind }) => kind !== 'hold')
      if (effect.on) member.jobs.push({ kind: 'hold', late: false })
      else unhold(member.facts)
      return
    case 'compare': {
      const { ticket, scope, purpose } = effect
      const mine = heldOf(member.facts)
      const peer = atOf(effect.peer)
      const job = { kind: 'compare', late: false, ticket, peer, scope, purpose, mine } as const
      member.jobs.push({ ...job, said: null })
      return
    }
    case 'rearrange':
      member.jobs.push({ kind: 'rearrange', late: false, effect })
      return
  }
}

function announce(world: World, member: Member, state: AgreementState): void {
  const envelope = envelopeOf(member, state)
  const peers = [...state.peers.values()]
  const ping: Ping = {
    kind: 'ping',
    answers: peers.filter(peer => answersMe(state, peer)).map(peer => peer.id),
    reached: reachedPeers(state).map(peer => peer.id),
    marked: peers.filter(peer => peer.marked || peer.markedBefore).map(peer => peer.id),
    systemRoot: '',
    configuration: 0,
    wallMs: 0,
    sequence: member.sent.length,
    floor: 1,
    addresses: [],
  }
  for (const other of world.members) {
    if (other.at === member.at) continue
    send(world, member.at, other.at, { kind: 'ping', envelope, ping, late: false })
  }
}

/** Puts a message on its way; a full link loses its oldest. */
export function send(world: World, from: number, to: number, message: Message): void {
  if (!isLinked(world, from, to) || world.members[to]!.state === null) return
  const queue = touch(world, to).inbox[from]!
  queue.push(message)
  if (queue.length > inboxMessagesMax) queue.shift()
}

function envelopeOf(member: Member, state: AgreementState): Envelope {
  const { own, status } = state
  member.said += 1
  return {
    uuid: state.self,
    incarnation: lifeOf(member),
    status,
    hash: own.hash,
    cut: own.cut,
    clock: stampOf(member.said),
    held: own.held,
    empty: own.empty,
    gap: own.gap,
  }
}

/** The incarnation that a member has now. */
export function lifeOf(member: Member): string {
  return `${IDS[member.at]}${member.life}`
}

function ownOf(facts: Facts, cut: number): Own {
  return {
    cut,
    hash: rootOf(settledOf(facts, cut)),
    held: facts.isHolding ? rootOf(heldOf(facts)) : null,
    empty: isEmpty(facts),
    gap: false,
  }
}

/** Tells the machine of its sets when they changed. */
export function tellOwn(world: World, at: number): void {
  const { state, facts } = world.members[at]!
  if (state === null) return
  const own = ownOf(facts, cutOf(world.now))
  const known = state.own
  const isSame =
    own.cut === known.cut &&
    own.hash === known.hash &&
    own.held === known.held &&
    own.empty === known.empty
  if (!isSame) take(world, at, { kind: 'own', now: world.now, own })
}

/** Opens a member anew: what is durable is there, and nothing else. */
export function open(world: World, at: number): void {
  const member = touch(world, at)
  member.life += 1
  member.sent = []
  member.isPaused = false
  unhold(member.facts)
  member.state = createAgreement({
    self: IDS[at]!,
    now: world.now,
    roster: IDS.slice(0, world.setting.members),
    quorum: world.setting.quorum,
    own: ownOf(member.facts, cutOf(world.now)),
    planted: world.setting.planted,
  })
}

/** Ends a member without a word; what was on its way to it is gone. */
export function crash(world: World, at: number): void {
  const member = touch(world, at)
  member.state = null
  member.isPaused = false
  member.jobs = []
  for (const queue of member.inbox) queue.length = 0
}

/** Facts become agreed; the machine hears of what was not held before. Answers how many moved. */
export function agreeAll(
  world: World,
  at: number,
  facts: readonly { readonly name: number; readonly addedMs: number }[],
): number {
  const member = touch(world, at)
  const held = heldOf(member.facts)
  let moved = 0
  for (const { name, addedMs } of facts) if (agree(member.facts, name, addedMs)) moved += 1
  const gained = namesOf(heldOf(member.facts) & ~held)
  if (gained.length > 0 && member.facts.isHolding) {
    take(world, at, { kind: 'gained', now: world.now, refs: gained.map(refOf) })
  }
  tellOwn(world, at)
  return moved
}

/** Adds facts to the network as a Source: agreed here, and sent to all that are reached. */
export function add(world: World, at: number, names: readonly number[]): void {
  const member = touch(world, at)
  const { state } = member
  if (state === null) return
  const addedMs = networkMs(world.now)
  const reached = reachedPeers(state)
  for (const name of names) {
    member.sent.push(name)
    const number = member.sent.length
    for (const peer of reached) {
      const envelope = envelopeOf(member, state)
      send(world, at, atOf(peer.id), { kind: 'add', envelope, number, name, addedMs, late: false })
    }
  }
  agreeAll(
    world,
    at,
    names.map(name => ({ name, addedMs })),
  )
}

/** A user's write: added by a Source, else pending. */
export function write(world: World, at: number, name: number): void {
  world.written |= 1 << name
  world.writes += 1
  const member = touch(world, at)
  if (member.state?.source != null) add(world, at, [name])
  else if ((allOf(member.facts) & (1 << name)) === 0) member.facts.freshNew |= 1 << name
}

/** Takes a message in. */
export function receive(world: World, at: number, from: number, message: Message): void {
  const { envelope } = message
  const { now } = world
  switch (message.kind) {
    case 'ping':
      take(world, at, { kind: 'ping', now, envelope, ping: message.ping })
      return noticeGap(world, at, from, message)
    case 'probe':
      take(world, at, { kind: 'message', now, envelope })
      return say(world, at, from, 'answer')
    case 'answer':
      take(world, at, { kind: 'message', now, envelope })
      return take(world, at, { kind: 'answered', now, peer: IDS[from]!, rttMs: 1 })
    case 'add': {
      take(world, at, { kind: 'message', now, envelope })
      const member = touch(world, at)
      const incoming = incomingOf(member, from, envelope.incarnation, 0)
      member.incoming[from] = { ...incoming, got: incoming.got | (1 << message.number) }
      agreeAll(world, at, [{ name: message.name, addedMs: message.addedMs }])
      return
    }
  }
}

/** An adder that is heard for the first time is taken up from where it stands. */
export function incomingOf(member: Member, from: number, life: string, last: number): Incoming {
  const known = member.incoming[from]
  if (known?.life === life) return known
  return { life, got: (1 << (last + 1)) - 1, last }
}

/** Asks for numbers that the ping before told of and that have not come since. */
function noticeGap(
  world: World,
  at: number,
  from: number,
  { envelope, ping }: Extract<Message, { kind: 'ping' }>,
): void {
  const member = touch(world, at)
  const incoming = incomingOf(member, from, envelope.incarnation, ping.sequence)
  const told = (1 << (incoming.last + 1)) - 1
  const last = Math.max(incoming.last, ping.sequence)
  member.incoming[from] = { ...incoming, last }
  const numbers = told & ~incoming.got & ~1
  if (numbers === 0) return
  if (member.jobs.some(job => job.kind === 'fill' && job.peer === from)) return
  member.jobs.push({ kind: 'fill', late: false, peer: from, life: incoming.life, numbers })
}

/** Time passes for all that run and do not stand still; then they probe each other. */
export function advance(world: World, ms: number): void {
  world.now += ms
  loseOld(world)
  const awake = world.members.filter(isAwake).map(({ at }) => at)
  for (const at of awake) tick(world, at)
  for (const at of awake) {
    for (const { at: peer } of world.members) if (peer !== at) say(world, at, peer, 'probe')
  }
}

function say(world: World, at: number, to: number, kind: 'probe' | 'answer'): void {
  const member = touch(world, at)
  if (member.state === null) return
  send(world, at, to, { kind, envelope: envelopeOf(member, member.state), late: false })
}

/** What is on its way for too long does not arrive; a comparison fails by its timeout. */
function loseOld(world: World): void {
  const oldest = cutOf(world.now) - lateMsMax
  for (const { at, inbox } of world.members) {
    for (const [from, queue] of inbox.entries()) {
      if (queue.every(({ envelope }) => envelope.cut >= oldest)) continue
      const kept = queue.filter(({ envelope }) => envelope.cut >= oldest)
      touch(world, at).inbox[from] = kept
    }
  }
}

/** One tick of one member: the cut moves, the machine looks around, the queue is drained. */
export function tick(world: World, at: number): void {
  tellOwn(world, at)
  take(world, at, { kind: 'tick', now: world.now })
  drain(world, at)
}

/** Shows a slice of the pending queue to the Sources, or adds it when there are none to ask. */
function drain(world: World, at: number): void {
  const { state, facts, jobs } = world.members[at]!
  const slice = pendingOf(facts)
  if (state === null || state.source === null || slice === 0) return
  if (jobs.some(({ kind }) => kind === 'drain')) return
  let waiting = 0
  for (const peer of state.peers.values()) {
    if (peer.sourceSince !== null && isReached(state, peer)) waiting |= 1 << atOf(peer.id)
  }
  if (waiting === 0) return add(world, at, namesOf(slice))
  const shown = facts.added.map(() => -1)
  touch(world, at).jobs.push({ kind: 'drain', late: false, slice, waiting, shown })
}
