/**
 * What a seed decides before its world exists: how many members, which quorum, how busy the clients
 * are. Command line, tests, soak and automatic checks share it, so that the number of a seed alone
 * repeats its run (`npm run sim -- --seed N --drawn`). The swarm of faults is drawn in
 * faults/swarm.ts, from the same seed.
 */
import type { Quorum } from '../src/consensus/agreement/state.ts'
import { Random } from './random.ts'
import { type Load, USUAL_LOAD } from './workload.ts'

export interface Drawn {
  readonly seed: number
  readonly members: number
  readonly quorum: Quorum
  readonly load: Load
}

const THINKS_MS = [
  [20, 200],
  [100, 800],
  [500, 3000],
  [1000, 8000],
] as const

/**
 * What all clients of a world ask a second at most. Twenty clients in a hurry cost as much as a
 * dozen other worlds, and show no more; on few items all the more, since each look at a split item
 * reads all of it.
 */
const ASKS_MAX = { fewItems: 25, manyItems: 60 } as const
const FEW_ITEMS = 10

/** The world of a seed. */
export function drawnOptions(seed: number): Drawn {
  const random = new Random(`${seed}/drawn`)
  return {
    seed,
    members: membersOf(seed),
    quorum: random.fork('quorum').chance(0.3) ? 'roster' : 'visible',
    load: bounded(drawLoad(random.fork('load')), membersOf(seed)),
  }
}

/** How many members a seed has. */
export function membersOf(seed: number): number {
  return new Random(`${seed}/drawn`).fork('members').pick([2, 3, 3, 3, 4, 4, 5, 5, 6, 7])
}

/** From a crowd on five items to a few quiet clients on many. */
function drawLoad(random: Random): Load {
  return {
    ...USUAL_LOAD,
    clientsPerMember: random.fork('clients').pick([1, 1, 2, 3]),
    thinkMs: random.fork('think').pick(THINKS_MS),
    items: random.fork('items').pick([3, 10, 40, 200]),
    weights: {
      put: 5,
      condition: random.fork('conditions').pick([0, 1, 4]),
      upload: random.fork('uploads').pick([0, 0.2, 1]),
      delete: random.fork('deletes').pick([0, 0.5, 2]),
      get: random.fork('gets').pick([1, 4, 8]),
      head: 0.5,
      list: 0.1,
    },
    largeChance: random.fork('large').pick([0, 0.01, 0.05]),
  }
}

/** What clients ask a second while they are answered at once. */
export function asksPerSecond({ clientsPerMember, thinkMs }: Load, members: number): number {
  return (2000 * members * clientsPerMember) / (thinkMs[0] + thinkMs[1])
}

/** Whether a world asks no more than a drawn one. */
export function isWithinBounds(load: Load, members: number): boolean {
  const max = load.items <= FEW_ITEMS ? ASKS_MAX.fewItems : ASKS_MAX.manyItems
  return asksPerSecond(load, members) <= max
}

/** Fewer clients where that is enough, then slower ones. */
function bounded(load: Load, members: number): Load {
  let fit = load
  const isOver = () => !isWithinBounds(fit, members)
  while (fit.clientsPerMember > 1 && isOver()) {
    fit = { ...fit, clientsPerMember: fit.clientsPerMember - 1 }
  }
  for (const thinkMs of THINKS_MS) {
    if (isOver() && thinkMs[0] > fit.thinkMs[0]) fit = { ...fit, thinkMs }
  }
  return fit
}
