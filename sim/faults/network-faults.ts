/**
 * Faults of the network: who hears whom no more, and links that break. Each fault holds its own
 * cuts, and a direction is open again when nothing holds it cut any more.
 */
import type { Way } from '../ways.ts'
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

  /** One member hears all and is heard by nobody. */
  mute(context) {
    const one = context.random.pick(context.world.members)
    const cuts = others(context, one).map((other): Direction => [one, other])
    return cutFor(context, cuts, `${one.id} → all others`)
  },

  /** One member is heard by all and hears nobody. */
  deaf(context) {
    const one = context.random.pick(context.world.members)
    const cuts = others(context, one).map((other): Direction => [other, one])
    return cutFor(context, cuts, `all others → ${one.id}`)
  },

  /** Two halves that one member joins. */
  bridge(context) {
    const [joint, ...rest] = context.random.shuffled(context.world.members)
    const half = rest.length >> 1
    const cuts = across(rest.slice(0, half), rest.slice(half))
    return cutFor(context, cuts, `all but over ${joint!.id}`)
  },

  /** Each member reaches its two neighbours in a ring. */
  ring(context) {
    const order = context.random.shuffled(context.world.members)
    const cuts = order.flatMap((one, at) => {
      const isLast = at === 0 ? 1 : 0 // the first and the last are neighbours
      return across([one], order.slice(at + 2, order.length - isLast))
    })
    return cutFor(context, cuts, `all but the ring ${names(order)}`)
  },

  /** Links are stopped one by one, and go on one by one in another order. */
  swizzleClog(context) {
    const { world, random, duration, lasts } = context
    const pairs = random.shuffled(pairsOf(world.members)).slice(0, random.int(2, 8))
    const stopMs = pairs.map(() => random.between(0, duration()))
    const goOnMs = pairs.map((_, at) => stopMs[at]! + duration())
    if (pairs.length < 2) return false
    for (const [at, [one, other]] of pairs.entries()) {
      world.timeline.after(stopMs[at]!, () => {
        if (context.isOver()) return
        const release = hold(context, across([one], [other]), `${one.id} ↔ ${other.id} (clog)`)
        lasts(goOnMs[at]! - stopMs[at]!, release)
      })
    }
    lasts(Math.max(...goOnMs), () => undefined)
    return true
  },

  /** Little fits through a link: 8 to 200 kB a second. */
  slowLink(context) {
    const bytesPerMs = context.random.between(8, 200)
    return worsen(context, { extraMs: [0, 0], bytesPerMs }, `${Math.round(bytesPerMs)} kB/s`)
  },

  /** What is said over a link comes seconds later. */
  lateLink(context) {
    const [low, high] = [context.random.between(50, 800), context.random.between(800, 4000)]
    const way = { extraMs: [low, high], bytesPerMs: 50_000 } as const
    return worsen(context, way, `${Math.round(low)} to ${Math.round(high)} ms late`)
  },

  /** A link is reset again and again, so that transfers break in the middle. */
  resets(context) {
    const [one, other] = two(context)
    const { world, random, isOver, lasts } = context
    const times = random.int(3, 12)
    const pauseMs = random.between(100, 1500)
    const release = world.network.worsen(one.id, other.id, { extraMs: [0, 0], bytesPerMs: 200 })
    const reset = (left: number): void => {
      if (left === 0 || isOver()) return release()
      if (world.network.breakLink(one.id, other.id)) {
        world.tell('world', `reset ${one.id}-${other.id}`)
      }
      world.timeline.after(pauseMs, () => reset(left - 1))
    }
    reset(times)
    lasts(times * pauseMs, () => undefined)
    return true
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

  /** One link comes and goes. */
  flapLink(context) {
    const [one, other] = two(context)
    return flap(context, across([one], [other]), `${one.id} ↔ ${other.id}`)
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

/** Makes the way between two members worse for a drawn time. */
function worsen(context: FaultContext, way: Way, sentence: string): boolean {
  const [one, other] = two(context)
  const { world } = context
  const release = world.network.worsen(one.id, other.id, way)
  world.tell('world', `${one.id}-${other.id} ${sentence}`)
  context.lasts(context.duration(), () => {
    release()
    world.tell('world', `${one.id}-${other.id} as before`)
  })
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

function pairsOf(members: readonly SimMember[]): Direction[] {
  return members.flatMap((one, at) => members.slice(at + 1).map((other): Direction => [one, other]))
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
