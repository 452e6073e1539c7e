/**
 * What must come true once faults stop (G2, G5): from any state, when all links heal, all members
 * run, and everything in flight is taken in turn, there is a Source within 10 s, and all are Source
 * with one set and nothing pending within 20 s. And so it stays.
 */
import { limits } from '../../src/base/limits.ts'
import { open } from './driver.ts'
import { pendingOf } from './facts.ts'
import { Violation } from './invariants.ts'
import { goOn, heal, movesOf, passTime } from './moves.ts'
import { fork, isAwake, type World } from './world.ts'

export const sourceWithinMs = 10_000
export const equalWithinMs = 20_000
/** In so long each Source runs its next check. */
const checkedMs = limits.checkMs + 1000
/** What members may say and do while no time passes; four members in calm need 40. */
const movesPerMomentMax = 200

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
  const recovery = becomeWhole(world)
  // A check may still be due that counts what was before; after it nothing can cost the status.
  for (let passed = 0; passed <= 2 * checkedMs; passed += world.setting.quantumMs) {
    passTime(world)
    rest(world)
    if (passed > checkedMs && !isWhole(world)) {
      throw new Violation(`G5: in peace, ${passed} ms after all were equal, ${say(world)}`)
    }
  }
  return recovery
}

function becomeWhole(world: World): Recovery {
  const began = world.now
  let sourceMs: number | null = null
  for (;;) {
    rest(world)
    const passed = world.now - began
    if (sourceMs === null && world.members.some(({ state }) => state?.status === 'source')) {
      sourceMs = passed
    }
    if (sourceMs === null && passed >= sourceWithinMs) {
      throw new Violation(`G5: no Source ${passed} ms after the heal`)
    }
    if (isWhole(world)) return { sourceMs: sourceMs ?? passed, equalMs: passed }
    if (passed >= equalWithinMs) {
      throw new Violation(`G2: ${passed} ms after the heal ${say(world)}`)
    }
    passTime(world)
  }
}

function rest(world: World): void {
  if (comesToRest(world)) return
  throw new Violation('G5: members answer each other without an end while no time passes')
}

/** Lets so many moments pass without any surprise. */
export function runQuietly(world: World, moments: number): void {
  for (let moment = 0; moment < moments; moment++) {
    comesToRest(world)
    passTime(world)
  }
  comesToRest(world)
}

/**
 * Takes everything that is in flight, what is late included, while no time passes. False: members
 * answered each other again and again, and would not stop.
 */
function comesToRest(world: World): boolean {
  for (let count = 0; count < movesPerMomentMax; count++) {
    const next = movesOf(world, 'fifo', 0).find(({ run }) => run !== passTime)
    if (next === undefined) return true
    next.run(world)
  }
  return false
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
