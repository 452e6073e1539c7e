/**
 * What must hold in every state and at every step (PROTOCOL 12): the ways between statuses, that
 * the state does not contradict itself, G1 as "no fact is ever gone", G4 at each election by
 * counter-sync, and G6, one majority, with quorum `roster`.
 */
import { limits } from '../../src/base/limits.ts'
import type { Effect } from '../../src/consensus/agreement/events.ts'
import type { Entry } from '../../src/consensus/agreement/history.ts'
import { participants } from '../../src/consensus/agreement/reach.ts'
import type { AgreementState } from '../../src/consensus/agreement/state.ts'
import type { Status } from '../../src/consensus/messages.ts'
import { allOf, bitsOf, namesMax } from './facts.ts'
import { IDS, isAwake, isJoined, type Member, type World } from './world.ts'

/** How long two sides of a cut may both have Sources (G6), in milliseconds. */
export const twoSidesMaxMs = 7000

/** Something that must hold does not. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

const ways: Readonly<Record<Status, readonly Status[]>> = {
  empty: ['counter-sync', 'source-sync', 'source'],
  'counter-sync': ['source-sync', 'source', 'empty'],
  'source-sync': ['counter-sync', 'source', 'empty'],
  source: ['counter-sync', 'empty'],
}

/** Looks at one step of one member. */
export function checkStep(member: Member, state: AgreementState, effects: readonly Effect[]): void {
  const self = IDS[member.at]
  let announced = 0
  for (const effect of effects) {
    if (effect.kind === 'announce') announced += 1
    if (effect.kind !== 'status') continue
    const { from, to, sentence } = effect
    if (!ways[from].includes(to)) throw new Violation(`${self}: no way from ${from} to ${to}`)
    if (sentence.startsWith('holds exactly')) checkElected(member, state)
  }
  if (announced > 1) throw new Violation(`${self}: one step announced ${announced} times`)
  checkConsistent(member, state)
}

function checkConsistent(member: Member, state: AgreementState): void {
  const isSource = state.status === 'source'
  const wrong =
    (isSource !== (state.source !== null) && 'the status is not the duty') ||
    (isSource && (state.round ?? state.sync) !== null && 'a Source takes part in a sync') ||
    (isSource && state.holding && 'a Source keeps the tree of a counter-sync') ||
    (state.status === 'source-sync' && state.sync === null && 'source-sync without a sync') ||
    (state.status === 'counter-sync' && state.sync !== null && 'counter-sync with a sync') ||
    (!isSource && state.own.empty !== (state.status === 'empty') && 'empty is not empty')
  if (wrong !== false) throw new Violation(`${IDS[member.at]}: ${wrong}`)
  checkMarks(member, state)
}

/** Histories and marks are what PROTOCOL 9 says: bounded, without twins, and only of Sources. */
function checkMarks(member: Member, state: AgreementState): void {
  const { own, source, now } = state
  const last = state.history.at(-1)
  const isDue = source !== null && source.checkAt - now > limits.checkMs
  const wrong =
    ((last?.cut !== own.cut || last.hash !== own.hash) && 'the own history ends elsewhere') ||
    (hasTwins(state.history) && 'the own history has an entry twice') ||
    (isDue && 'the next check is more than a period away') ||
    ([...state.peers.values()].some(peer => hasTwins(peer.history)) &&
      'a history has an entry twice') ||
    (source !== null &&
      [...state.peers.values()].some(peer => peer.marked && peer.sourceSince === null) &&
      'a member that is no Source is marked') ||
    ([...state.peers.values()].some(
      peer => peer.sourceSince === null && peer.status !== 'source' && peer.history.length > 1,
    ) &&
      'more than one announcement is kept of a member that is no Source')
  if (wrong !== false) throw new Violation(`${IDS[member.at]}: ${wrong}`)
}

function hasTwins(history: readonly Entry[]): boolean {
  if (history.length > limits.historyEntriesMax) return true
  return history.some(
    (entry, at) =>
      history.findIndex(other => other.cut === entry.cut && other.hash === entry.hash) !== at,
  )
}

/** G4: it holds as agreed exactly what more than half of the participants of its round held. */
function checkElected(member: Member, state: AgreementState): void {
  const roots = [state.own.held, ...participants(state).map(peer => peer.held)]
  let majority = 0
  for (let name = 0; name < namesMax; name++) {
    const holders = roots.filter(root => (bitsOf(root) & (1 << name)) !== 0).length
    if (holders * 2 > roots.length) majority |= 1 << name
  }
  const { agreed } = member.facts
  if (agreed === majority) return
  const say = (bits: number) => bits.toString(2).padStart(namesMax, '0')
  const said = `agreed ${say(agreed)}, more than half of ${roots.length} hold ${say(majority)}`
  throw new Violation(`G4: ${IDS[member.at]} became Source with ${said}`)
}

/** What was here before and is no more: of one member, so of all. */
export function checkKept(before: World, after: World): void {
  for (const [at, member] of after.members.entries()) {
    const known = before.members[at]!
    if (known === member) continue
    const gone = allOf(known.facts) & ~allOf(member.facts)
    if (gone !== 0) throw new Violation(`G1: ${IDS[at]} lost the facts ${gone.toString(2)}`)
  }
  const all = after.members.reduce((bits, { facts }) => bits | allOf(facts), 0)
  if ((after.written & ~all) !== 0) throw new Violation('G1: a written fact is nowhere')
}

/** G6, called when time has passed. */
export function checkSides(world: World, passedMs: number): void {
  if (world.setting.quorum !== 'roster') return
  world.twoSidesMs = haveTwoSides(world) ? world.twoSidesMs + passedMs : 0
  if (world.twoSidesMs <= twoSidesMaxMs) return
  throw new Violation(`G6: two sides of a cut had Sources for ${world.twoSidesMs} ms`)
}

function haveTwoSides(world: World): boolean {
  const sources = world.members.filter(
    member => isAwake(member) && member.state?.status === 'source',
  )
  const [first] = sources
  if (first === undefined) return false
  const side = new Set([first.at])
  for (const from of side) {
    for (const { at } of world.members) if (isJoined(world, from, at)) side.add(at)
  }
  return sources.some(({ at }) => !side.has(at))
}
