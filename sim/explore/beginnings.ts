/**
 * Where explorations begin: members that are opened for the first time with nothing, with different
 * facts, and members that have been Source together for a while.
 */
import { open } from './driver.ts'
import { agree, emptyFacts } from './facts.ts'
import { runQuietly } from './liveness.ts'
import { BEGIN_MS } from './time.ts'
import { fork, type Member, type Setting, touch, type World } from './world.ts'

export interface Beginning {
  readonly name: string
  readonly world: World
}

/** All beginnings of a setting. */
export function beginningsOf(setting: Setting): Beginning[] {
  const fresh = newWorld(setting, [])
  const settled = newWorld(setting, Array(setting.members).fill([0]))
  runQuietly(settled, 15)
  const differing = newWorld(setting, [[0], [1], [0], [0, 1]])
  const beginnings = [
    { name: 'Sources with one fact', world: settled },
    { name: 'nothing anywhere', world: fresh },
    { name: 'different facts', world: differing },
  ]
  if (setting.members === 2) return beginnings
  // In one order of taking the first member elects itself first: here it is the one that lacks.
  const lacking = newWorld(setting, [[1], [0], [0], [0]])
  return [...beginnings, { name: 'the first lacks what the others have', world: lacking }]
}

/** Members that are opened now, each with some facts agreed long ago. */
export function newWorld(setting: Setting, agreed: readonly (readonly number[])[]): World {
  const members = Array.from({ length: setting.members }, (_, at) => closedMember(setting, at))
  const world: World = {
    setting,
    members,
    now: BEGIN_MS,
    blocked: 0,
    written: 0,
    writes: 0,
    twoSidesMs: 0,
    touched: 0,
  }
  for (const { at } of members) {
    for (const name of agreed[at] ?? []) {
      agree(touch(world, at).facts, name, 0)
      world.written |= 1 << name
    }
  }
  for (const { at } of members) open(world, at)
  return fork(world)
}

function closedMember(setting: Setting, at: number): Member {
  return {
    at,
    state: null,
    facts: emptyFacts(),
    life: 0,
    said: 0,
    jobs: [],
    inbox: Array.from({ length: setting.members }, () => []),
    sent: [],
    incoming: Array.from({ length: setting.members }, () => null),
    isPaused: false,
    print: null,
  }
}
