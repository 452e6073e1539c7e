/**
 * What a kind of fault is: something that can be done to the members of a lab and that ends again by
 * itself. Each writes its own lines on the tape. No fault may leave anything behind when it returns,
 * and none may touch a process or a disk that another fault has.
 */
import type { Daemon } from '../daemon.ts'
import type { Dice } from '../dice.ts'
import type { Links } from '../links.ts'
import { readStore } from '../store/facts.ts'
import type { Tape } from '../tape.ts'
import type { Phase } from '../time.ts'
import type { Extras } from '../tools.ts'

export interface World {
  readonly daemons: readonly Daemon[]
  readonly links: Links
  readonly tape: Tape
  /** The time of faults; what lasts ends with it. */
  readonly phase: Phase
  readonly extras: Extras
  /** Sentences about what must not have happened. */
  readonly findings: string[]
}

export interface FaultKind {
  readonly name: string
  /** How often it is drawn, compared with others. */
  readonly weight: number
  readonly needs?: keyof Extras
  /** Does it and undoes it; false where nobody is there to do it to. */
  readonly run: (world: World, dice: Dice) => Promise<boolean>
}

/** Draws so many running members that no other fault has, keeps them for the time of an action. */
export async function withMembers(
  world: World,
  dice: Dice,
  count: number,
  act: (daemons: readonly Daemon[]) => Promise<void>,
): Promise<boolean> {
  const free = world.daemons.filter(({ isBusy, isUp }) => isUp && !isBusy)
  if (free.length < count) return false
  const taken = dice.shuffled(free).slice(0, count)
  for (const daemon of taken) daemon.isBusy = true
  try {
    await act(taken)
  } finally {
    for (const daemon of taken) daemon.isBusy = false
  }
  return true
}

/** One running member. */
export function withMember(
  world: World,
  dice: Dice,
  act: (daemon: Daemon) => Promise<void>,
): Promise<boolean> {
  return withMembers(world, dice, 1, ([daemon]) => act(daemon!))
}

export function uuids(daemons: readonly Daemon[]): string[] {
  return daemons.map(({ id }) => id)
}

/** Writes down what a process that is gone left on its disk. */
export function dumpCrash({ tape, findings }: World, daemon: Daemon): void {
  const { facts, damaged } = readStore(daemon.member.store)
  for (const key of damaged) findings.push(`${daemon.name}: the record ${key} is damaged`)
  const nothing = { roster: null, cut: null, hash: null, items: null }
  const what = { member: daemon.id, moment: 'crash', status: 'down' } as const
  tape.write({ kind: 'dump', ...what, ...nothing, facts })
}
