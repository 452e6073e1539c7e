/**
 * Faults of the network: cuts of every shape the plan names (one alone, halves, bridge, ring, chain,
 * one way), lines pulled, flapping lines, packets lost by chance, connections reset.
 */
import type { Dice } from '../dice.ts'
import { between, type Pair } from '../links.ts'
import { type FaultKind, uuids, type World } from './fault.ts'

/** Pairs that do not hear each other, for members in a drawn order. */
type Shape = (names: readonly string[], dice: Dice) => readonly Pair[]

/** Neighbours in the list hear each other, and nobody else. */
function chain(names: readonly string[]): Pair[] {
  return names.flatMap((name, at) => between([name], names.slice(at + 2)))
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'one alone': ([one, ...others]) => between([one!], others),
  halves: names => {
    const half = Math.floor(names.length / 2)
    return between(names.slice(0, half), names.slice(half))
  },
  bridge: ([, ...names]) => {
    const half = Math.floor(names.length / 2)
    return between(names.slice(0, half), names.slice(half))
  },
  chain: names => chain(names),
  ring: names =>
    chain(names).filter(({ from, to }) => {
      const ends = [names[0], names.at(-1)]
      return !(ends.includes(from) && ends.includes(to))
    }),
  'one way': ([one, ...others], dice) => {
    const some = others.filter((_, at) => at === 0 || dice.chance(0.6))
    const isDeaf = dice.chance(0.5)
    return some.map(other => (isDeaf ? { from: other, to: one! } : { from: one!, to: other }))
  },
}

/** Shapes that these many members can have. */
export function shapesFor(members: number): string[] {
  return Object.keys(SHAPES).filter(shape => shape !== 'ring' || members > 3)
}

function cutOf(shape: string): FaultKind {
  return {
    name: `cut: ${shape}`,
    weight: 1,
    run: async (world, dice) => {
      const { links, tape, phase } = world
      const daemons = dice.shuffled(world.daemons)
      const names = daemons.map(({ name }) => name)
      const pairs = SHAPES[shape]!(names, dice)
      if (pairs.length === 0) return false
      const stop = tape.lasting(`cut: ${shape}`, uuids(daemons))
      const heal = await links.lay({ kind: 'cut', pairs })
      await phase.wait(dice.pick([dice.int(500, 4000), dice.int(4000, 20_000)]))
      await heal()
      stop()
      return true
    },
  }
}

const linesDown = new WeakSet<object>()

function flapOf(name: string, times: readonly [number, number], ms: readonly [number, number]) {
  const run = async (world: World, dice: Dice) => {
    const daemon = dice.pick(world.daemons)
    if (linesDown.has(daemon)) return false
    linesDown.add(daemon)
    const { links, tape, phase } = world
    for (let left = dice.int(...times); left > 0 && !phase.isOver; left--) {
      const stop = tape.lasting(name, [daemon.id])
      await links.line(daemon.name, 'down')
      await phase.wait(dice.int(...ms))
      await links.line(daemon.name, 'up')
      stop()
      if (left > 1) await phase.wait(dice.int(...ms))
    }
    linesDown.delete(daemon)
    return true
  }
  return { name, weight: 1, run }
}

const loss: FaultKind = {
  name: 'loss',
  weight: 2,
  run: async ({ daemons, links, tape, phase }, dice) => {
    const { id, name } = dice.pick(daemons)
    const stop = tape.lasting('loss', [id])
    const heal = await links.lay({ kind: 'loss', at: name, percent: dice.int(2, 30) })
    await phase.wait(dice.int(2000, 12_000))
    await heal()
    stop()
    return true
  },
}

const reset: FaultKind = {
  name: 'resets',
  weight: 2,
  run: async ({ daemons, links, tape, phase }, dice) => {
    const { id, name } = dice.pick(daemons)
    const stop = tape.lasting('resets', [id])
    const heal = await links.lay({ kind: 'reset', at: name })
    await phase.wait(dice.int(50, 2000))
    await heal()
    stop()
    return true
  },
}

export const cutFaults: readonly FaultKind[] = Object.keys(SHAPES).map(cutOf)
export const networkFaults: readonly FaultKind[] = [
  ...cutFaults,
  flapOf('line down', [1, 1], [500, 10_000]),
  flapOf('flapping line', [3, 12], [100, 1500]),
  loss,
  reset,
]
