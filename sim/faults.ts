/**
 * Faults of a run, drawn from its seed: first which kinds happen at all and how densely (so that
 * quiet runs and runs of a single kind exist, too), then one after the other as the run goes. When
 * the time for faults is over everything is healed and the members must come together.
 */
import { FAIR_DISK } from './disk.ts'
import { FAIR } from './network.ts'
import type { Random } from './random.ts'
import type { SimMember, World } from './world.ts'

export type FaultKind =
  | 'kill'
  | 'power'
  | 'stop'
  | 'pause'
  | 'partition'
  | 'cutPair'
  | 'cutOneWay'
  | 'isolate'
  | 'chain'
  | 'breakLink'
  | 'flap'
  | 'clockJump'

const KINDS: readonly FaultKind[] = [
  'kill',
  'power',
  'stop',
  'pause',
  'partition',
  'cutPair',
  'cutOneWay',
  'isolate',
  'chain',
  'breakLink',
  'flap',
  'clockJump',
]

/** What a seed drew. */
export interface Swarm {
  readonly kinds: readonly FaultKind[]
  /** Between one fault and the next, on the average. */
  readonly everyMs: number
  /** How long what can last lasts. */
  readonly lastMs: readonly [number, number]
  readonly latencyMs: readonly [number, number]
  readonly gossipLoss: number
  readonly gossipDuplicate: number
  readonly gossipExtraMs: number
  readonly slowDiskChance: number
  /** Wall clocks differ by up to this. */
  readonly skewMs: number
  /** Monotonic clocks run by up to this share too fast or too slow. */
  readonly drift: number
}

export function drawSwarm(random: Random): Swarm {
  const share = random.pick([0, 0.15, 0.3, 0.6, 1])
  const isLossy = random.chance(0.4)
  const slowestMs = random.pick([2, 10, 40, 80, 200])
  return {
    kinds: KINDS.filter(() => random.chance(share)),
    everyMs: random.pick([800, 2000, 5000, 10_000, 20_000]),
    lastMs: random.pick([
      [50, 2000],
      [500, 8000],
      [3000, 20_000],
    ]),
    latencyMs: [random.between(0.1, 1) * Math.min(slowestMs, 10), slowestMs],
    gossipLoss: isLossy ? random.between(0, 0.3) : 0,
    gossipDuplicate: random.chance(0.3) ? random.between(0, 0.3) : 0,
    gossipExtraMs: random.chance(0.3) ? random.between(0, 300) : 0,
    slowDiskChance: random.chance(0.25) ? random.between(0, 0.2) : 0,
    skewMs: random.pick([0, 100, 10_000, 25_000]),
    drift: random.pick([0, 0, 0.001, 0.02]),
  }
}

/** Sets weather and clocks before the first member starts. */
export function applySwarm(world: World, swarm: Swarm, random: Random): void {
  Object.assign(world.network.weather, {
    latencyMs: swarm.latencyMs,
    gossipLoss: swarm.gossipLoss,
    gossipDuplicate: swarm.gossipDuplicate,
    gossipExtraMs: swarm.gossipExtraMs,
  })
  for (const { disk, skew } of world.members) {
    disk.weather.slowChance = swarm.slowDiskChance
    skew.wallOffsetMs = random.between(-swarm.skewMs, swarm.skewMs)
    skew.rate = 1 + random.between(-swarm.drift, swarm.drift)
  }
}

/** Fair weather; everybody up, everybody reaches everybody. Clocks stay as they are. */
export function healAll(world: World): void {
  Object.assign(world.network.weather, FAIR)
  for (const { disk } of world.members) Object.assign(disk.weather, FAIR_DISK)
  world.heal()
  world.keepsUp = true
  for (const member of world.members) world.start(member)
}

export class Faults {
  readonly counts = new Map<FaultKind, number>()
  readonly #world: World
  readonly #swarm: Swarm
  readonly #random: Random
  #stopped = false

  constructor(world: World, swarm: Swarm, random: Random) {
    this.#world = world
    this.#swarm = swarm
    this.#random = random
  }

  start(): void {
    if (this.#swarm.kinds.length === 0) return
    this.#world.timeline.after(this.#random.between(0, 2 * this.#swarm.everyMs), () => {
      if (this.#stopped) return
      this.#strike(this.#random.pick(this.#swarm.kinds))
      this.start()
    })
  }

  stop(): void {
    this.#stopped = true
  }

  #strike(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    const world = this.#world
    const random = this.#random
    const [one, other] = random.shuffled(world.members) as [SimMember, SimMember]
    switch (kind) {
      case 'kill':
      case 'power':
        world.crash(one, kind)
        return this.#later(() => world.start(one))
      case 'stop':
        world.stop(one)
        return this.#later(() => world.start(one))
      case 'pause':
        return world.pause(one, random.between(...this.#swarm.lastMs))
      case 'partition':
        return this.#partition()
      case 'cutPair':
        world.cut(one, other, 'both')
        return this.#later(() => world.join(one, other))
      case 'cutOneWay':
        world.cut(one, other, 'one')
        return this.#later(() => world.join(one, other))
      case 'isolate':
        world.partition([world.members.filter(entry => entry !== one), [one]])
        return this.#later(() => world.heal())
      case 'chain':
        this.#chain()
        return this.#later(() => world.heal())
      case 'breakLink':
        world.network.breakLink(one.id, other.id)
        return world.tell('world', `break ${one.id}-${other.id}`)
      case 'flap':
        return this.#flap(one, random.int(2, 12))
      case 'clockJump':
        return this.#jump(one)
    }
  }

  /** Heals after a drawn time, unless the time for faults is over: then all is healed already. */
  #later(heal: () => void): void {
    this.#world.timeline.after(this.#random.between(...this.#swarm.lastMs), () => {
      if (!this.#stopped) heal()
    })
  }

  #partition(): void {
    const order = this.#random.shuffled(this.#world.members)
    const at = this.#random.int(1, order.length - 1)
    this.#world.partition([order.slice(0, at), order.slice(at)])
    this.#later(() => this.#world.heal())
  }

  /** Each member speaks with its neighbours only. */
  #chain(): void {
    const order = this.#random.shuffled(this.#world.members)
    for (const [at, one] of order.entries()) {
      for (const other of order.slice(at + 2)) this.#world.cut(one, other, 'both')
    }
  }

  #flap(one: SimMember, times: number): void {
    if (times === 0 || this.#stopped) return
    const others = this.#world.members.filter(entry => entry !== one)
    this.#world.partition([others, [one]])
    this.#world.timeline.after(this.#random.between(100, 5000), () => {
      if (this.#stopped) return
      this.#world.heal()
      this.#world.timeline.after(this.#random.between(100, 5000), () => this.#flap(one, times - 1))
    })
  }

  #jump(one: SimMember): void {
    const ms = this.#random.between(-15_000, 15_000)
    one.skew.wallOffsetMs = Math.max(-25_000, Math.min(25_000, one.skew.wallOffsetMs + ms))
    this.#world.tell(one.id, `wall clock at ${Math.round(one.skew.wallOffsetMs)} ms`)
  }
}
