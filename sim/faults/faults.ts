/**
 * Faults of a run, one after the other, drawn from its seed. They are counted by kind, and by pairs
 * of kinds that were under way together: what is rare alone is rarer together, and a table of the
 * pairs shows what no seed has met yet.
 *
 * When the time for faults is over everything is healed, and the members must come together.
 */
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import type { FaultContext } from './context.ts'
import { type FaultKind, strikes } from './families.ts'
import type { Swarm } from './swarm.ts'

/** What happens in a moment is felt for so long. */
const AFTERMATH_MS = 1000

/** A fault that happened, told so that it can happen again without what was drawn beside it. */
export interface Struck {
  /** Which draw of the seed it was: what it draws itself is drawn from that. */
  readonly draw: number
  readonly atMs: number
  readonly kind: FaultKind
}

interface UnderWay {
  readonly kind: FaultKind
  untilMs: number
}

export class Faults {
  readonly counts = new Map<FaultKind, number>()
  /** By two kinds joined by ` + `, in the order of their names. */
  readonly pairs = new Map<string, number>()
  /** All that happened, in order. */
  readonly struck: Struck[] = []
  readonly #world: World
  readonly #swarm: Swarm
  readonly #random: Random
  #underWay: UnderWay[] = []
  #drawn = 0
  #stopped = false

  constructor(world: World, swarm: Swarm, random: Random) {
    this.#world = world
    this.#swarm = swarm
    this.#random = random
  }

  /** These happen, and no others. */
  replay(struck: readonly Struck[]): void {
    for (const { draw, atMs, kind } of struck) {
      this.#world.timeline.at(atMs, () => {
        if (this.#stopped) return
        const random = this.#random.fork(`strike/${draw}`)
        // When it comes and which it is were drawn first.
        random.unit()
        random.unit()
        this.#strike(kind, random, draw)
      })
    }
  }

  start(): void {
    if (this.#swarm.kinds.length === 0) return
    const draw = this.#drawn
    const random = this.#random.fork(`strike/${draw}`)
    this.#drawn += 1
    this.#world.timeline.after(random.between(0, 2 * this.#swarm.everyMs), () => {
      if (this.#stopped) return
      this.#strike(random.pick(this.#swarm.kinds), random, draw)
      this.start()
    })
  }

  stop(): void {
    this.#stopped = true
  }

  #strike(kind: FaultKind, random: Random, draw: number): void {
    const { nowMs } = this.#world
    this.#underWay = this.#underWay.filter(({ untilMs }) => untilMs > nowMs)
    if (this.#underWay.length >= this.#swarm.atOnce) return
    const underWay = { kind, untilMs: nowMs + AFTERMATH_MS }
    if (!strikes[kind](this.#contextOf(underWay, random))) return
    this.struck.push({ draw, atMs: nowMs, kind })
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    for (const other of new Set(this.#underWay.map(entry => entry.kind))) {
      const pair = [kind, other].sort().join(' + ')
      this.pairs.set(pair, (this.pairs.get(pair) ?? 0) + 1)
    }
    this.#underWay.push(underWay)
  }

  #contextOf(underWay: UnderWay, random: Random): FaultContext {
    const world = this.#world
    return {
      world,
      random,
      duration: () => random.between(...this.#swarm.lastMs),
      lasts: (ms, heal) => {
        underWay.untilMs = Math.max(underWay.untilMs, world.nowMs + ms)
        world.timeline.after(ms, () => {
          if (!this.#stopped) heal()
        })
      },
      isOver: () => this.#stopped,
    }
  }
}
