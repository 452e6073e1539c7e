/**
 * Wall clocks that are wrong, with whole members (PROTOCOL 4): whoever has one is named where it is
 * far ahead, and draws the others apart neither while it is there nor afterwards.
 */
import { describe, expect, it, vi } from 'vitest'
import { Scene } from './scene.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Members whose wall clocks are so far from the world's. */
async function withWalls(...wallsMs: readonly number[]): Promise<Scene> {
  const scene = await Scene.open({ members: wallsMs.length })
  for (const [place, ms] of wallsMs.entries()) scene.world.at(place).skew.wallOffsetMs = ms
  return scene
}

function startAt(scene: Scene, ...places: readonly number[]): void {
  for (const entry of scene.at(...places)) scene.world.start(entry)
}

/** What the network clock of a member is ahead of the world's time. */
function aheadMs(scene: Scene, place: number): number {
  const entry = scene.world.at(place)
  return entry.member!.time.nowMs() - entry.skew.epochMs - scene.world.nowMs
}

/** From one cut to the next, which members notice one after the other. */
const CUT_MS = 1000

/** Whose clocks a member names. */
function named(scene: Scene, place: number): (string | undefined)[] {
  const problems = scene.world.at(place).member!.problems.list()
  return problems.filter(({ reason }) => reason === 'clock').map(({ member }) => member)
}

/** All at these places are Source and show one hash for one cut. */
function areOne(scene: Scene, ...places: readonly number[]): boolean {
  if (!scene.are('source', ...places)) return false
  const own = scene.at(...places).map(({ member }) => member!.agreement.own)
  return new Set(own.map(({ cut, hash }) => `${cut} ${hash}`)).size === 1
}

describe('a wall clock that runs ahead', () => {
  for (const ms of [40_000, 70_000, 84_000]) {
    it(`by ${ms / 1000} s, of a machine that comes and goes, leaves the others together, whose own are 25 s apart`, async () => {
      const scene = await withWalls(0, 25_000, -25_000, ms)
      startAt(scene, 0, 1, 2, 3)
      await scene.run(15_000)
      await scene.put(0, 'before', 'before')
      scene.world.crash(scene.world.at(3), 'power')
      await scene.until(() => areOne(scene, 0, 1, 2), 20_000)
      for (const place of [0, 1, 2]) await scene.put(place, `${place}`, 'x', { wait: 'majority' })
      await scene.until(() => areOne(scene, 0, 1, 2), 20_000)
      // and then they come back to the latest of their own
      await scene.run(2 * ms)
      for (const place of [0, 1, 2]) {
        expect(aheadMs(scene, place)).toBeGreaterThan(24_000)
        expect(aheadMs(scene, place)).toBeLessThan(27_000)
      }
      await scene.until(() => areOne(scene, 0, 1, 2), CUT_MS)
    })
  }

  it('by minutes is named by all, itself too, and moves nobody; set right, it comes back', async () => {
    const scene = await withWalls(0, 25_000, -25_000, 200_000)
    startAt(scene, 0, 1, 2, 3)
    await scene.run(10_000)
    await scene.put(0, 'before', 'before')
    await scene.run(10_000)
    await scene.until(() => areOne(scene, 0, 1, 2), CUT_MS)
    const { id } = scene.world.at(3)
    expect([0, 1, 2, 3].map(place => named(scene, place))).toEqual([[id], [id], [id], [undefined]])
    for (const place of [0, 1, 2]) expect(aheadMs(scene, place)).toBeLessThan(27_000)
    scene.world.at(3).skew.wallOffsetMs = 0
    await scene.run(2 * (200_000 - 60_000))
    await scene.until(() => areOne(scene, 0, 1, 2, 3), 40_000)
    await scene.until(() => [0, 1, 2, 3].every(place => named(scene, place).length === 0), 10_000)
  })

  it('goes no further ahead when members are killed again and again (seed 1002586)', async () => {
    const scene = await withWalls(0, 10_000, 5000)
    startAt(scene, 0, 1, 2)
    await scene.run(5000)
    for (let times = 0; times < 100; times++) {
      const one = scene.world.at(times % 3)
      scene.world.crash(one, 'kill')
      await scene.run(40)
      scene.world.start(one)
      await scene.run(300)
    }
    for (const place of [0, 1, 2]) expect(aheadMs(scene, place)).toBeLessThan(15_000)
    await scene.until(() => areOne(scene, 0, 1, 2), 20_000)
  })

  it('of one of two draws neither: each names what it sees', async () => {
    const scene = await withWalls(0, 3_600_000)
    startAt(scene, 0, 1)
    await scene.run(20_000)
    expect(aheadMs(scene, 0)).toBeLessThan(1000)
    expect(named(scene, 0)).toEqual([scene.world.at(1).id])
    expect(named(scene, 1)).toEqual([])
  })
})

describe('a wall clock that is behind', () => {
  it('since the machine does not know the year is no hindrance among two others, and is told', async () => {
    const scene = await withWalls(0, 1000, -1e12)
    startAt(scene, 0, 1, 2)
    await scene.until(() => areOne(scene, 0, 1, 2), 20_000)
    expect(named(scene, 2)).toEqual([undefined])
    expect([0, 1].flatMap(place => named(scene, place))).toEqual([])
    await scene.settle()
  })

  it('by minutes, set so while members run, costs nobody its status', async () => {
    const scene = await Scene.started({ members: 2 })
    scene.world.at(0).skew.wallOffsetMs = -300_000
    await scene.run(60_000)
    expect(scene.monitor.counts.demotions).toBe(0)
    await scene.until(() => areOne(scene, 0, 1), CUT_MS)
  })
})
