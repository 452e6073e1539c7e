/**
 * What must come true once faults stop (G2, G5): from any state, when all links heal, all members
 * run, and everything in flight is taken in turn, there is a Source within 10 s, and all are Source
 * with one set and nothing pending within 20 s.
 */
import { open } from './driver.ts'
import { pendingOf } from './facts.ts'
import { Violation } from './invariants.ts'
import { goOn, heal, movesOf, passTime } from './moves.ts'
import { fork, isAwake, type World } from './world.ts'

export const sourceWithinMs = 10_000
export const equalWithinMs = 20_000
/** Ways within one moment, for each link. */
const movesPerMomentMax = 200

export interface Recovery {
  readonly sourceMs: number
  readonly equalMs: number
  /** Moments in which members answered each other without coming to rest. */
  readonly restless: number
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
  let restless = 0
  for (;;) {
    restless += takeAll(world) === movesPerMomentMax ? 1 : 0
    const passed = world.now - began
    if (sourceMs === null && world.members.some(({ state }) => state?.status === 'source')) {
      sourceMs = passed
    }
    if (sourceMs === null && passed >= sourceWithinMs) {
      throw new Violation(`G5: no Source ${passed} ms after the heal`)
    }
    if (isWhole(world)) {
      return { sourceMs: sourceMs ?? passed, equalMs: passed, restless }
    }
    if (passed >= equalWithinMs)
      throw new Violation(`G2: ${passed} ms after the heal ${say(world)}`)
    passTime(world)
  }
}

/** Lets so many moments pass without any surprise. */
export function runQuietly(world: World, moments: number): void {
  for (let moment = 0; moment < moments; moment++) {
    takeAll(world)
    passTime(world)
  }
  takeAll(world)
}

/**
 * Takes everything that is in flight, what is late included. Members may answer each other without
 * an end while no time passes at all; after `movesPerMomentMax` ways it does, with the rest in
 * flight. Answers how many ways there were.
 */
function takeAll(world: World): number {
  for (let count = 0; count < movesPerMomentMax; count++) {
    const next = movesOf(world, 'fifo', 0).find(({ run }) => run !== passTime)
    if (next === undefined) return count
    next.run(world)
  }
  return movesPerMomentMax
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
