/**
 * What a seed draws before its run: which kinds of faults happen and how densely, and the weather
 * and clocks in which they do. Some seeds are quiet, some have a single kind, some have all.
 *
 * Each part is drawn by a name of its own: what is added later changes nothing of what an old seed
 * drew before.
 */
import { EPOCH_MS } from '../machine-clocks.ts'
import { FAIR } from '../network.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { type FaultKind, kinds, kindsByFamily } from './families.ts'
import { scrubAll } from './scrub.ts'

/** Just before 32-bit seconds end, and just before they begin. */
const STRANGE_MS = [2 ** 31 * 1000 - 20_000, -20_000]
/** Machines may have run for up to a year. */
const BOOTED_MS = 365 * 86_400_000

export interface Swarm {
  readonly kinds: readonly FaultKind[]
  /** Between one fault and the next, on the average. */
  readonly everyMs: number
  /** No more than so many are under way at once. */
  readonly atOnce: number
  /** How long what can last lasts. */
  readonly lastMs: readonly [number, number]
  readonly latencyMs: readonly [number, number]
  readonly gossipLoss: number
  readonly gossipDuplicate: number
  readonly gossipExtraMs: number
  readonly slowDiskChance: number
  /** Wall clocks differ by up to this. */
  readonly skewMs: number
  /** The wall clock of the world at the beginning. */
  readonly epochMs: number
  /** Monotonic clocks run by up to this share too fast or too slow. */
  readonly drift: number
  /** Clients go on after the last fault; else what was missed must be found without another write. */
  readonly writesAfter: boolean
  /** So long before the heal the network falls into two sides, whatever else happens; 0: it does not. */
  readonly lastCutMs: number
}

export function drawSwarm(random: Random): Swarm {
  const of = (part: string) => random.fork(part)
  const slowestMs = of('latency').pick([2, 10, 40, 80, 200])
  return {
    kinds: drawKinds(random),
    everyMs: of('every').pick([150, 300, 800, 2000, 5000]),
    atOnce: of('at once').pick([1, 2, 3, 6, 12]),
    lastMs: of('last').pick([
      [50, 800],
      [50, 2000],
      [500, 8000],
      [3000, 20_000],
      [10_000, 40_000],
    ]),
    latencyMs: [of('fastest').between(0.1, 1) * Math.min(slowestMs, 10), slowestMs],
    gossipLoss: sometimes(of('loss'), 0.4, 0.3),
    gossipDuplicate: sometimes(of('duplicate'), 0.3, 0.3),
    gossipExtraMs: sometimes(of('extra'), 0.3, 300),
    slowDiskChance: sometimes(of('slow disk'), 0.25, 0.2),
    skewMs: of('skew').pick([0, 100, 10_000, 25_000]),
    epochMs: of('epoch').pick([...Array<number>(6).fill(EPOCH_MS), ...STRANGE_MS]),
    drift: of('drift').pick([0, 0, 0.001, 0.02]),
    writesAfter: of('writes after').chance(0.6),
    lastCutMs: of('last cut').chance(0.3) ? of('cut for').between(6000, 15_000) : 0,
  }
}

/** None, one, those of one family, some or all. */
function drawKinds(random: Random): readonly FaultKind[] {
  const shares = ['none', 'one', 'family', 'family', 0.15, 0.3, 0.6, 1] as const
  const share = random.fork('share').pick(shares)
  if (share === 'none') return []
  if (share === 'one') return [random.fork('only').pick(kinds)]
  if (share === 'family') return random.fork('family').pick(kindsByFamily)
  return kinds.filter(kind => random.fork(`kind/${kind}`).chance(share))
}

/** Zero for most seeds, up to `most` for a share of them. */
function sometimes(random: Random, share: number, most: number): number {
  return random.chance(share) ? random.between(0, most) : 0
}

/** Sets weather and clocks before the first member starts. */
export function applySwarm(world: World, swarm: Swarm, random: Random): void {
  Object.assign(world.network.weather, {
    latencyMs: swarm.latencyMs,
    gossipLoss: swarm.gossipLoss,
    gossipDuplicate: swarm.gossipDuplicate,
    gossipExtraMs: swarm.gossipExtraMs,
  })
  world.prepare = ({ id, disk, skew }) => {
    const own = random.fork(`machine/${id}`)
    disk.weather.slowChance = swarm.slowDiskChance
    skew.epochMs = swarm.epochMs
    skew.boot(random.fork(`boot/${id}`).int(0, BOOTED_MS))
    skew.wallOffsetMs = own.between(-swarm.skewMs, swarm.skewMs)
    skew.rate = 1 + own.between(-swarm.drift, swarm.drift)
  }
  for (const entry of world.members) world.prepare(entry)
}

/** Two sides until the heal: what both did apart has to come together by itself. */
export function cutInTwo(world: World, random: Random): void {
  const order = random.shuffled(world.members)
  const at = random.int(1, order.length - 1)
  world.partition([order.slice(0, at), order.slice(at)])
}

/** Fair weather; everybody up, everybody reaches everybody; clocks no worse than usual. */
export function healAll(world: World): void {
  Object.assign(world.network.weather, FAIR)
  for (const { disk } of world.members) disk.heal()
  world.heal()
  world.keepsUp = true
  for (const member of world.members) {
    member.life?.goOn()
    member.skew.setRight()
    world.start(member)
  }
  scrubAll(world)
}

/** Whether nothing is bent for the whole of a run: only then may a bound on time be held to it. */
export function isCalm(world: World): boolean {
  const { network, members } = world
  const isFair = network.weather.gossipLoss === 0 && network.hasFairWays
  return isFair && members.every(({ disk, skew }) => disk.isFair && skew.isUsual)
}
