/**
 * Who does the harm: some lanes that run beside each other, each drawing one kind of fault after the
 * other until the time of faults is over. Which kinds a network meets at all is drawn too, so that
 * quiet runs and runs of a single kind exist beside those where everything happens at once.
 */
import type { Dice } from './dice.ts'
import { clockFaults } from './faults/clocks.ts'
import { diskFaults } from './faults/disks.ts'
import type { FaultKind, World } from './faults/fault.ts'
import { cutFaults, networkFaults, shapesFor } from './faults/networks.ts'
import { processFaults } from './faults/processes.ts'
import { strangerFaults } from './faults/strangers.ts'
import type { Extras } from './tools.ts'

const KINDS: readonly FaultKind[] = [
  ...processFaults,
  ...diskFaults,
  ...networkFaults,
  ...clockFaults,
  ...strangerFaults,
]
/** A network without kills and power cuts would test little of what the lab is for. */
const ALWAYS = ['kill', 'power cut: the disk stops', 'power cut: what the disk had']

export interface Plan {
  /** What each lane draws from. */
  readonly lanes: readonly (readonly FaultKind[])[]
  /** Between two faults of one lane. */
  readonly pauseMs: readonly [number, number]
  /** Done once each, in order, by a lane of their own. */
  readonly inOrder: readonly FaultKind[]
}

/** What this network is to meet. */
export function drawPlan(dice: Dice, extras: Extras, members: number): Plan {
  const shapes = shapesFor(members).map(shape => `cut: ${shape}`)
  const isPossible = ({ name, needs }: FaultKind) =>
    (needs === undefined || extras[needs] !== null) &&
    (!name.startsWith('cut: ') || shapes.includes(name))
  const share = dice.pick([0.3, 0.6, 1])
  const kinds = KINDS.filter(isPossible).filter(
    ({ name }) => ALWAYS.includes(name) || dice.chance(share),
  )
  const lanes = Array.from({ length: dice.int(2, 3) }, () => kinds)
  return {
    lanes,
    pauseMs: dice.pick([
      [100, 1500],
      [500, 4000],
    ] as const),
    inOrder: [],
  }
}

/** The small plan of the automatic checks: every shape of cut once, kills and power cuts beside. */
export function smallPlan(members: number): Plan {
  const named = (...names: readonly string[]) => KINDS.filter(({ name }) => names.includes(name))
  const shapes = shapesFor(members).map(shape => `cut: ${shape}`)
  return {
    lanes: [named('kill', 'pause', ...ALWAYS)],
    pauseMs: [500, 3000],
    inOrder: cutFaults.filter(({ name }) => shapes.includes(name)),
  }
}

/** Does harm until the phase is over; then all of it has ended. */
export async function harm(world: World, plan: Plan, dice: Dice): Promise<void> {
  const lanes = plan.lanes.map((kinds, at) => lane(world, { ...plan, kinds }, dice.child(`${at}`)))
  const all = [...lanes, inOrder(world, plan.inOrder, dice.child('in order'))]
  // One that fails ends the others in order: none may go on beside what comes then.
  for (const one of all) one.catch(() => world.phase.end()) // thrown below
  for (const ended of await Promise.allSettled(all)) {
    if (ended.status === 'rejected') throw ended.reason
  }
}

async function lane(
  world: World,
  { kinds, pauseMs }: { kinds: readonly FaultKind[]; pauseMs: Plan['pauseMs'] },
  dice: Dice,
): Promise<void> {
  const weights = kinds.flatMap(kind => Array.from({ length: kind.weight }, () => kind))
  while (!world.phase.isOver) {
    await world.phase.wait(dice.int(...pauseMs))
    if (!world.phase.isOver) await dice.pick(weights).run(world, dice)
  }
}

async function inOrder(world: World, kinds: readonly FaultKind[], dice: Dice): Promise<void> {
  for (const kind of kinds) await kind.run(world, dice)
}
