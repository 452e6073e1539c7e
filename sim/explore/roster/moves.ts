/**
 * What can happen in a world of roster machines: a wish is begun, a message arrives, a decision is
 * learned, a ballot is given up for a higher one, a member crashes. The real machine does the rest;
 * what it saves is on the disk before what it says is in the world.
 */
import { after } from '../../../src/consensus/roster/configuration.ts'
import { isUnfinished } from '../../../src/consensus/roster/counting.ts'
import { stepRoster } from '../../../src/consensus/roster/machine.ts'
import {
  createRoster,
  freshVote,
  type RosterEvent,
  type RosterState,
  type Vote,
} from '../../../src/consensus/roster/state.ts'
import {
  ids,
  type Said,
  type Setting,
  type Stepped,
  type Things,
  type World,
  type WorldMember,
} from './world.ts'

export interface Move {
  /** Told only when it is asked for. */
  readonly text: () => string
  readonly world: World
}

/** Everything that can happen next and changes anything. */
export function movesOf(world: World, setting: Setting, things: Things): Move[] {
  const moves: Move[] = []
  const push = (text: () => string, next: World | null) => {
    if (next !== null) moves.push({ text, world: next })
  }
  for (const [at, number] of world.members.entries()) {
    const id = ids[at]!
    const { isFresh, state } = things.members.values[number]!
    if (isFresh) {
      const wish = setting.rivals.find(rival => rival.at === id)?.wish ?? null
      push(() => `${id} wishes ${wish?.kind}`, propose(world, at, wish, things))
    }
    if (state.counter < setting.counterMax) {
      if (state.proposal !== null) push(() => `${id} tries again`, retry(world, at, things))
      else if (isUnfinished(state)) {
        push(() => `${id} finishes`, propose(world, at, null, things))
      }
    }
    for (const decision of learnable(world, state, things)) {
      push(() => `${id} learns ${state.known.number + 1}`, learn(world, at, decision, things))
    }
    push(() => `${id} crashes`, crash(world, at, setting, things))
    push(() => `${id} loses its vote`, lose(world, at, setting, things))
  }
  for (const number of world.said) {
    push(() => saidText(things.said.values[number]!), arrive(world, number, things))
  }
  return moves
}

export function propose(
  world: World,
  at: number,
  wish: Extract<RosterEvent, { kind: 'propose' }>['wish'],
  things: Things,
): World | null {
  const key = wish === null ? 'finish' : 'propose'
  return taken(
    world,
    at,
    step(world, at, key, () => ({ kind: 'propose', wish }), things),
    things,
  )
}

export function retry(world: World, at: number, things: Things): World | null {
  return taken(
    world,
    at,
    step(world, at, 'retry', () => ({ kind: 'retry' }), things),
    things,
  )
}

/** A message arrives; it may arrive again. */
export function arrive(world: World, number: number, things: Things): World | null {
  const { from, to, message } = things.said.values[number]!
  const at = ids.indexOf(to as (typeof ids)[number])
  if (at >= world.members.length) return null
  const event = () => ({ kind: 'message', from, message }) as const
  return taken(world, at, step(world, at, `m${number}`, event, things), things)
}

/** Decisions that a member can learn next. */
export function learnable(world: World, { known }: RosterState, things: Things): number[] {
  return world.decisions.filter(
    number => things.decisions.values[number]!.number === known.number + 1,
  )
}

export function learn(world: World, at: number, number: number, things: Things): World | null {
  const decision = things.decisions.values[number]!
  const { known } = things.members.values[world.members[at]!]!.state
  const next = after(known, decision.change)
  if (next === null) return null
  const event = () => ({ kind: 'known', known: next, decision }) as const
  return taken(world, at, step(world, at, `d${number}`, event, things), things)
}

function step(
  world: World,
  at: number,
  name: string,
  event: () => RosterEvent,
  things: Things,
): Stepped {
  const number = world.members[at]!
  const key = `${number}/${name}`
  let stepped = things.steps.get(key)
  if (stepped === undefined) {
    stepped = stepOnce(things.members.values[number]!, event(), things)
    things.steps.set(key, stepped)
  }
  return stepped
}

function stepOnce(before: WorldMember, begin: RosterEvent, things: Things): Stepped {
  const state: RosterState = { ...before.state }
  let { saved } = before
  const said: number[] = []
  const decisions: number[] = []
  const events = [begin]
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    for (const effect of stepRoster(state, event)) {
      if (effect.kind === 'save') saved = effect.vote
      if (effect.kind === 'decided') decisions.push(things.decisions.of(effect.decision))
      if (effect.kind !== 'save' && effect.kind !== 'send') continue
      for (const { to, message } of effect.messages) {
        const isOwn = things.setting.isPrompt && to === state.self
        if (isOwn) events.push({ kind: 'message', from: to, message })
        else said.push(things.said.of({ from: state.self, to, message }))
      }
    }
  }
  const isFresh = before.isFresh && begin.kind !== 'propose'
  return { member: things.members.of({ state, saved, isFresh }), said, decisions }
}

function taken(world: World, at: number, stepped: Stepped, things: Things): World | null {
  const { member, said, decisions } = stepped
  const isNews = said.some(number => !world.said.includes(number))
  const isDecision = decisions.some(number => !world.decisions.includes(number))
  if (member === world.members[at] && !isNews && !isDecision) return null
  const members = replaced(world.members, at, member)
  const all = isNews ? union(world.said, said) : world.said
  return {
    ...world,
    members,
    said: all.filter(number => isAlive(things.said.values[number]!, members, things)),
    decisions: isDecision ? union(world.decisions, decisions) : world.decisions,
  }
}

/** A message about what its receiver knows the outcome of, or about too late a number, is lost. */
function isAlive({ to, message }: Said, members: readonly number[], things: Things): boolean {
  const number = members[ids.indexOf(to as (typeof ids)[number])]
  if (number === undefined || message.number > things.numberMax) return false
  return message.number > things.members.values[number]!.state.known.number
}

/** What it saved is all that it has; a wish that it had not begun is no wish any more. */
function crash(world: World, at: number, setting: Setting, things: Things): World | null {
  if (world.crashes >= setting.crashesMax) return null
  const member = things.members.values[world.members[at]!]!
  if (member.state.proposal === null && !setting.forgetsPromises) return null
  const saved = setting.forgetsPromises ? null : member.saved
  const reborn = things.members.of(reopened(member, saved))
  return {
    ...world,
    crashes: world.crashes + 1,
    members: replaced(world.members, at, reborn),
  }
}

/** As after damage: its vote is gone, and it knows that something is. */
function lose(world: World, at: number, setting: Setting, things: Things): World | null {
  if (world.losses >= setting.lossesMax) return null
  const member = things.members.values[world.members[at]!]!
  const saved = freshVote(member.state.known.number + 1, false)
  const reborn = things.members.of(reopened(member, saved))
  return { ...world, losses: world.losses + 1, members: replaced(world.members, at, reborn) }
}

function reopened({ state }: WorldMember, saved: Vote | null): WorldMember {
  const { self, known, planted } = state
  return { state: createRoster({ self, known, saved, planted }), saved, isFresh: false }
}

function replaced(members: readonly number[], at: number, member: number): number[] {
  const all = [...members]
  all[at] = member
  return all
}

function union(some: readonly number[], more: readonly number[]): number[] {
  return [...new Set([...some, ...more])].sort((a, b) => a - b)
}

function saidText({ from, to, message }: Said): string {
  const { ballot, kind } = message
  return `${from} → ${to} ${kind} ${ballot.counter}${ballot.peer}`
}
