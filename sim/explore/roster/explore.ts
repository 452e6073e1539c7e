/**
 * Breadth-first through everything that can happen to two rival changes of a roster, so the first
 * violation comes with its shortest way. Each state is gone on from once. From every so many-th
 * state it is also tried whether calm brings everything to its end.
 */
import { createRoster } from '../../../src/consensus/roster/state.ts'
import { check, checkRecovery, Violation } from './invariants.ts'
import { movesOf } from './moves.ts'
import { ids, newThings, type Setting, type Things, type World } from './world.ts'

export interface Explored {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly isExhausted: boolean
  readonly recoveries: number
  /** Numbers of decided configurations that were reached. */
  readonly decided: number
  readonly violation: { readonly sentence: string; readonly path: readonly string[] } | null
}

interface Node {
  readonly parent: Node | null
  readonly text: () => string
  readonly depth: number
  world: World | null
}

export interface Bounds {
  readonly statesMax: number
  /** Calm is tried from every so many-th state; 0: never. */
  readonly recoverEvery: number
}

export function exploreRoster(setting: Setting, { statesMax, recoverEvery }: Bounds): Explored {
  const things = newThings(setting)
  const seen = new Set<string>()
  const queue: Node[] = []
  let transitions = 0
  let recoveries = 0
  let depth = 0
  const take = (before: World | null, node: Node): void => {
    const world = node.world!
    const name = nameOf(world)
    if (seen.has(name)) return
    seen.add(name)
    check(before, world, setting, things)
    if (recoverEvery > 0 && seen.size % recoverEvery === 0) {
      recoveries += 1
      checkRecovery(world, things)
    }
    queue.push(node)
  }
  const result = (violation: Explored['violation'], isExhausted: boolean): Explored => {
    const decided = Math.max(setting.begin.number, ...things.decisions.values.map(d => d.number))
    return { states: seen.size, transitions, depth, isExhausted, recoveries, decided, violation }
  }
  const begin = beginningOf(setting, things)
  let current: Node = { parent: null, text: () => setting.name, depth: 0, world: begin }
  try {
    take(null, current)
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at]!
      queue[at] = undefined as never
      if (seen.size >= statesMax) return result(null, false)
      depth = node.depth
      const from = node.world!
      node.world = null // only the way is needed from here on
      for (const { text, world } of movesOf(from, setting, things)) {
        transitions += 1
        current = { parent: node, text, depth: node.depth + 1, world }
        take(from, current)
      }
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return result({ sentence: error.message, path: wayTo(current) }, false)
  }
  return result(null, true)
}

/** Numbers as two characters each: a name of some tens of bytes. */
function nameOf({ members, said, decisions, crashes, losses }: World): string {
  const units = [members.length, said.length, crashes, losses, ...members, ...said, ...decisions]
  return String.fromCharCode(...units.flatMap(number => [number & 0xffff, number >>> 16]))
}

/** All know the beginning; whoever is to join knows it, too, and counts nowhere yet. */
function beginningOf({ begin, rivals, planted }: Setting, things: Things): World {
  const peers = new Set(begin.members.map(({ peer }) => peer))
  for (const { wish } of rivals) if (wish.kind === 'add') peers.add(wish.seat.peer)
  const all = ids.filter(id => peers.has(id))
  const members = all.map(self =>
    things.members.of({
      state: createRoster({ self, known: begin, saved: null, planted }),
      saved: null,
      isFresh: rivals.some(({ at }) => at === self),
    }),
  )
  return { members, said: [], decisions: [], crashes: 0, losses: 0 }
}

function wayTo(node: Node): string[] {
  const path: string[] = []
  for (let at: Node | null = node; at !== null; at = at.parent) path.push(at.text())
  return path.reverse()
}
