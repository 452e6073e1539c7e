/**
 * What must come true once faults stop (G2, G5): from any state, when all links heal, all members
 * run, and everything in flight is taken in turn, there is a Source within 10 s, and all are Source
 * with one set and nothing pending within 20 s.
 */
import { open } from './driver.ts'
import { pendingOf } from './facts.ts'
import { Violation } from './invariants.ts'
import { goOn, heal, movesOf } from './moves.ts'
import { fork, isAwake, type World } from './world.ts'

export const sourceWithinMs = 10_000
export const equalWithinMs = 20_000
/** Ways within one moment; more means that something never comes to rest. */
const movesPerMomentMax = 2000

export interface Recovery {
  readonly sourceMs: number
  readonly equalMs: number
}

/** Heals a copy of the world and lets it live; throws a Violation when it does not recover. */
export function recover(found: World): Recovery {
  const world = fork(found)
  heal(world)
  for (const { at, state, isPaused } of world.members) {
    if (state === null) open(world, at)
    else if (isPaused) goOn(world, at)
  }
  const began = world.now
  let sourceMs: number | null = null
  for (;;) {
    takeAll(world)
    const passed = world.now - began
    if (sourceMs === null && world.members.some(({ state }) => state?.status === 'source')) {
      sourceMs = passed
    }
    if (sourceMs === null && passed >= sourceWithinMs) {
      throw new Violation(`G5: no Source ${passed} ms after the heal`)
    }
    if (isWhole(world)) return { sourceMs: sourceMs ?? passed, equalMs: passed }
    if (passed >= equalWithinMs)
      throw new Violation(`G2: ${passed} ms after the heal ${say(world)}`)
    pass(world)
  }
}

/** Lets so many moments pass without any surprise. */
export function runQuietly(world: World, moments: number): void {
  for (let moment = 0; moment < moments; moment++) {
    takeAll(world)
    pass(world)
  }
  takeAll(world)
}

function pass(world: World): void {
  movesOf(world, 'fifo', 0)[0]!.run(world)
}

/** Takes everything that is in flight, what is late included. */
function takeAll(world: World): void {
  const last: string[] = []
  for (let count = 0; count < movesPerMomentMax; count++) {
    const next = movesOf(world, 'fifo', 0).find(({ text }) => !text.endsWith('pass'))
    if (next === undefined) return
    if (count > movesPerMomentMax - 8) last.push(next.text)
    next.run(world)
  }
  throw new Violation(`more than ${movesPerMomentMax} ways in one moment: ${last.join(", ")}`)
}

function isWhole(world: World): boolean {
  return world.members.every(
    member =>
      isAwake(member) &&
      member.state?.status === 'source' &&
      member.facts.agreed === world.written &&
      pendingOf(member.facts) === 0 &&
      member.state.own.hash === world.members[0]!.state?.own.hash,
  )
}

function say({ members }: World): string {
  return members
    .map(
      ({ state, facts }) =>
        `${state?.self} is ${state?.status}, agreed ${facts.agreed.toString(2)}, pending ${pendingOf(facts).toString(2)}`,
    )
    .join('; ')
}
