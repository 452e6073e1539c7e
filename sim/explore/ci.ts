/**
 * What CI explores: settings that are small enough to be gone through to their end, and larger ones
 * up to a number of states. Together more than a million states in about a minute and a half of one
 * core. A setting that must end and does not is a failure, too: then something made it larger.
 */
import type { Quorum } from '../../src/consensus/agreement/state.ts'
import type { Exploration } from './explore.ts'
import type { Order } from './moves.ts'

export interface Planned {
  readonly exploration: Exploration
  readonly mustEnd: boolean
}

interface Plan {
  readonly members: number
  readonly quorum: Quorum
  readonly order: Order
  readonly surprises: number
  /** As many states at most; of one that must end, more than it has. */
  readonly states: number
  readonly recoverEvery: number
}

const toTheEnd: readonly Plan[] = [
  { members: 2, quorum: 'visible', order: 'free', surprises: 0, states: 50_000, recoverEvery: 50 },
  { members: 2, quorum: 'roster', order: 'free', surprises: 0, states: 50_000, recoverEvery: 50 },
  {
    members: 2,
    quorum: 'visible',
    order: 'fifo',
    surprises: 1,
    states: 300_000,
    recoverEvery: 400,
  },
  { members: 2, quorum: 'roster', order: 'fifo', surprises: 1, states: 300_000, recoverEvery: 400 },
]

const asFarAsItGoes: readonly Plan[] = [
  {
    members: 2,
    quorum: 'visible',
    order: 'free',
    surprises: 2,
    states: 300_000,
    recoverEvery: 1500,
  },
  {
    members: 2,
    quorum: 'roster',
    order: 'free',
    surprises: 2,
    states: 150_000,
    recoverEvery: 1500,
  },
  {
    members: 3,
    quorum: 'visible',
    order: 'fifo',
    surprises: 2,
    states: 150_000,
    recoverEvery: 1500,
  },
  {
    members: 3,
    quorum: 'roster',
    order: 'fifo',
    surprises: 2,
    states: 150_000,
    recoverEvery: 1500,
  },
  {
    members: 4,
    quorum: 'visible',
    order: 'fifo',
    surprises: 2,
    states: 50_000,
    recoverEvery: 1500,
  },
  { members: 4, quorum: 'roster', order: 'fifo', surprises: 2, states: 50_000, recoverEvery: 1500 },
]

/** The explorations of CI, in order. */
export function plannedForCi(): Planned[] {
  return [
    ...toTheEnd.map(plan => ({ exploration: explorationOf(plan), mustEnd: true })),
    ...asFarAsItGoes.map(plan => ({ exploration: explorationOf(plan), mustEnd: false })),
  ]
}

function explorationOf(plan: Plan): Exploration {
  const { members, quorum, order } = plan
  return {
    setting: { members, quorum, planted: new Set(), quantumMs: 1000, writesMax: 2 },
    order,
    surprisesMax: plan.surprises,
    statesMax: plan.states,
    recoverEvery: plan.recoverEvery,
  }
}
