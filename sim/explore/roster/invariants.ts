/**
 * What must hold in every state: one value for each number; every decision shows its majorities;
 * and whatever the members are cut into, no two sides could have a Source at once (G6). And from
 * every state, once all is calm, everything that was begun comes to an end that all know.
 */
import {
  after,
  type Configuration,
  type Decision,
  isDecided,
} from '../../../src/consensus/roster/configuration.ts'
import { countingOf, isMajorityOf, isUnfinished } from '../../../src/consensus/roster/counting.ts'
import { arrive, learn, learnable, propose, retry } from './moves.ts'
import { type Setting, type Things, textOf, type World, type WorldMember } from './world.ts'

/** Rounds of quiet finishing: two changes, each with a ballot that found another, and room. */
const ROUNDS_MAX = 12
/** Messages of one round: far above what a ballot of five members says. */
const MESSAGES_MAX = 200

export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Holds what became of a world against what must hold. */
export function check(before: World | null, world: World, setting: Setting, things: Things): void {
  if (before?.decisions !== world.decisions) checkDecisions(world, setting, things)
  checkSides(world, things)
}

/** One value a number, made on the one before. */
function checkDecisions(world: World, { begin, planted }: Setting, things: Things): void {
  let before: Configuration = begin
  const decisions = world.decisions.map(number => things.decisions.values[number]!)
  for (let number = begin.number + 1; ; number++) {
    const these = decisions.filter(decision => decision.number === number)
    const first = these[0]
    if (first === undefined) return
    for (const other of these) {
      if (textOf(other.change) !== textOf(first.change)) {
        throw new Violation(`${number} is decided twice: ${told(first)} and ${told(other)}`)
      }
      if (planted.size === 0 && !isDecided(before, other)) {
        throw new Violation(`${number} is no decision: ${told(other)}`)
      }
    }
    before = after(before, first.change) ?? before
  }
}

/** Whoever is cut from whom: only one side holds a member that more than half would keep Source. */
function checkSides(world: World, things: Things): void {
  const counted = world.members.map(number => {
    const { state } = things.members.values[number]!
    return { self: state.self, counting: countingOf(state) }
  })
  const couldBe = (side: number) =>
    counted.some(({ counting }, at) => {
      if (((side >> at) & 1) === 0 || counting.quorum === 'visible') return false
      const here = counted.filter(
        (other, place) => ((side >> place) & 1) === 1 && other.counting.shown <= counting.shown,
      )
      const peers = new Set(here.map(({ self }) => self))
      return counting.bodies.every(body => isMajorityOf(body, peers))
    })
  const all = (1 << world.members.length) - 1
  for (let side = 1; side < all; side += 2) {
    if (!couldBe(side) || !couldBe(all & ~side)) continue
    const [one, other] = [side, all & ~side].map(mask =>
      counted
        .filter((_, at) => ((mask >> at) & 1) === 1)
        .map(({ self }) => self)
        .join(''),
    )
    throw new Violation(`both sides of ${one} | ${other} may have a Source`)
  }
}

/** All can speak, and nothing more happens: everything that was begun ends, and all know how. */
export function checkRecovery(begin: World, things: Things): void {
  things.numberMax = Number.POSITIVE_INFINITY
  let world = begin
  for (let round = 0; round < ROUNDS_MAX; round++) {
    world = learnAll(world, things)
    const open = world.members.flatMap((number, at) => (isOpen(things, number) ? [at] : []))
    if (open.length === 0) break
    world = drive(world, open[round % open.length]!, things)
  }
  world = learnAll(world, things)
  things.numberMax = things.setting.begin.number + things.setting.numbersMax
  const members = world.members.map(number => things.members.values[number]!)
  const numbers = new Set(members.map(({ state }) => state.known.number))
  const open = world.members.filter(number => isOpen(things, number))
  if (numbers.size === 1 && open.length === 0) return
  const names = open.map(number => things.members.values[number]!.state.self).join()
  throw new Violation(`calm does not end it: numbers ${[...numbers].join()}, open at ${names}`)
}

/** Who is not in effect has nothing to finish: what it accepted stands or falls with the others. */
function isOpen(things: Things, number: number): boolean {
  const { state }: WorldMember = things.members.values[number]!
  const isElector = state.known.members.some(({ peer }) => peer === state.self)
  return state.proposal !== null || (isElector && isUnfinished(state))
}

/** One member tries, and everything that it says and is answered arrives once. */
function drive(begin: World, at: number, things: Things): World {
  const { state } = things.members.values[begin.members[at]!]!
  const before = new Set(begin.said)
  let world =
    (state.proposal === null ? propose(begin, at, null, things) : retry(begin, at, things)) ?? begin
  // What a new ballot says again was perhaps lost before: its own messages are new by their ballot.
  for (let done = 0; done < MESSAGES_MAX; done++) {
    const number = world.said.find(said => !before.has(said))
    if (number === undefined) break
    before.add(number)
    world = arrive(world, number, things) ?? world
  }
  return world
}

function learnAll(begin: World, things: Things): World {
  let world = begin
  for (let at = 0; at < world.members.length; at++) {
    for (;;) {
      const { state } = things.members.values[world.members[at]!]!
      const decision = learnable(world, state, things)[0]
      if (decision === undefined) break
      world = learn(world, at, decision, things) ?? world
    }
  }
  return world
}

function told({ change, ballot, accepted }: Decision): string {
  return `${textOf(change)} in ${ballot.counter}${ballot.peer} by ${accepted.join('')}`
}
