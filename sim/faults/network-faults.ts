/**
 * Faults of the network: who hears whom no more, and links that break. Each fault holds its own
 * cuts, and a direction is open again when nothing holds it cut any more.
 */
import type { SimMember } from '../world.ts'
import type { Family, FaultContext } from './context.ts'

/** From whom to whom nothing comes through. */
type Direction = readonly [SimMember, SimMember]

export const networkFaults = {
  /** Two sides. */
  partition(context) {
    const order = context.random.shuffled(context.world.members)
    const at = context.random.int(1, order.length - 1)
    const sides = [order.slice(0, at), order.slice(at)] as const
    return cutFor(context, across(...sides), `${names(sides[0])} | ${names(sides[1])}`)
  },

  /** Two members. */
  cutPair(context) {
    const [one, other] = two(context)
    return cutFor(context, across([one], [other]), `${one.id} ↔ ${other.id}`)
  },

  /** One member is not heard by another, and hears it. */
  cutOneWay(context) {
    const [one, other] = two(context)
    return cutFor(context, [[one, other]], `${one.id} → ${other.id}`)
  },

  /** One alone. */
  isolate(context) {
    const one = context.random.pick(context.world.members)
    return cutFor(context, across([one], others(context, one)), `${one.id} | all others`)
  },

  /** Each member speaks with its neighbours only. */
  chain(context) {
    const order = context.random.shuffled(context.world.members)
    const cuts = order.flatMap((one, at) => across([one], order.slice(at + 2)))
    return cutFor(context, cuts, `all but the chain ${order.map(({ id }) => id).join('-')}`)
  },

  /** A connection is reset. */
  breakLink(context) {
    const [one, other] = two(context)
    if (!context.world.network.breakLink(one.id, other.id)) return false
    context.world.tell('world', `break ${one.id}-${other.id}`)
    return true
  },

  /** One member comes and goes. */
  flap(context) {
    const one = context.random.pick(context.world.members)
    return flap(context, across([one], others(context, one)), `${one.id} | all others`)
  },
} satisfies Family

/** Holds cuts for a drawn time. */
function cutFor(context: FaultContext, cuts: readonly Direction[], sentence: string): boolean {
  if (cuts.length === 0) return false
  const release = hold(context, cuts, sentence)
  context.lasts(context.duration(), release)
  return true
}

function hold({ world }: FaultContext, cuts: readonly Direction[], sentence: string): () => void {
  const releases = cuts.map(([from, to]) => world.network.block(from.id, to.id))
  world.tell('world', `cut ${sentence}`)
  return () => {
    for (const release of releases) release()
    world.tell('world', `healed ${sentence}`)
  }
}

/** Cuts and heals in turn; it ends healed. */
function flap(context: FaultContext, cuts: readonly Direction[], sentence: string): boolean {
  const { world, random } = context
  const steps = Array.from({ length: random.int(2, 12) }, () => ({
    downMs: random.between(100, 5000),
    upMs: random.between(100, 5000),
  }))
  let release = (): void => undefined
  const down = (at: number): void => {
    const step = steps[at]
    if (step === undefined || context.isOver()) return
    release = hold(context, cuts, sentence)
    world.timeline.after(step.downMs, () => {
      if (context.isOver()) return
      release()
      world.timeline.after(step.upMs, () => down(at + 1))
    })
  }
  down(0)
  const wholeMs = steps.reduce((sum, { downMs, upMs }) => sum + downMs + upMs, 0)
  context.lasts(wholeMs, () => undefined)
  return true
}

/** All directions between two groups. */
function across(these: readonly SimMember[], those: readonly SimMember[]): Direction[] {
  return these.flatMap(one =>
    those.flatMap((other): Direction[] => [
      [one, other],
      [other, one],
    ]),
  )
}

function two({ world, random }: FaultContext): [SimMember, SimMember] {
  const [one, other] = random.shuffled(world.members)
  return [one!, other!]
}

function others({ world }: FaultContext, one: SimMember): SimMember[] {
  return world.members.filter(entry => entry !== one)
}

function names(side: readonly SimMember[]): string {
  return side.map(({ id }) => id).join('+')
}
