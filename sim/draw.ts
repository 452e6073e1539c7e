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

/** The world of a seed. */
export function drawnOptions(seed: number): Drawn {
  const random = new Random(`${seed}/drawn`)
  return {
    seed,
    members: membersOf(seed),
    quorum: random.fork('quorum').chance(0.3) ? 'roster' : 'visible',
    load: drawLoad(random.fork('load')),
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
    thinkMs: random.fork('think').pick([
      [20, 200],
      [100, 800],
      [500, 3000],
      [1000, 8000],
    ]),
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
