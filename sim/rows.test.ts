/**
 * Requirement rows that speak of whole members, in smaller sizes; `VECHE_DEEP=1` runs those
 * that the rows name.
 */
import { describe, expect, it, vi } from 'vitest'
import { isSystemId } from '../src/base/fact.ts'
import { isVecheError } from '../src/base/veche-error.ts'
import { Random } from './random.ts'
import { simulate } from './run.ts'
import { Scene } from './scene.ts'
import { size, sized } from './size.ts'

vi.setConfig({ testTimeout: sized({ everyday: 120_000, ci: 600_000, deep: 3_600_000 }) })

/** Writes at every member, so many a second each, while the world runs. */
async function steadyWrites(
  scene: Scene,
  options: { readonly perSecond: number; readonly seconds: number },
): Promise<void> {
  const { perSecond, seconds } = options
  const answers: Promise<unknown>[] = []
  const until = scene.world.nowMs + seconds * 1000
  for (const [place] of scene.world.members.entries()) {
    let n = 0
    const next = () => {
      if (scene.world.nowMs >= until) return
      n += 1
      answers.push(
        scene.begin(place, `item/${place}/${n % 500}`, `${place}:${n}`, { wait: 'pending' }),
      )
      scene.world.timeline.after(1000 / perSecond, next)
    }
    next()
  }
  await scene.run(seconds * 1000)
  await scene.ask(Promise.all(answers))
}

/** Some members alone, some together, as drawn; each group becomes Source and writes its own. */
async function drawnOverlaps(scene: Scene, random: Random, rounds: number): Promise<void> {
  const { members } = scene.world
  for (let round = 0; round < rounds; round++) {
    const sides = random.int(2, members.length)
    const groups = Array.from({ length: sides }, () => [] as (typeof members)[number][])
    for (const entry of members) random.pick(groups).push(entry)
    scene.world.partition(groups.filter(group => group.length > 0))
    await scene.run(random.int(3500, 9000))
    for (const place of members.keys()) {
      const count = random.int(0, 12)
      for (let n = 0; n < count; n++) {
        await putUnlessSplit(scene, place, `item/${random.int(0, 60)}`, `${round}:${place}:${n}`)
      }
    }
  }
}

async function putUnlessSplit(
  scene: Scene,
  place: number,
  id: string,
  text: string,
): Promise<void> {
  try {
    await scene.put(place, id, text)
  } catch (error) {
    if (!isVecheError(error, 'SPLIT')) throw error
  }
}

describe('requirements of whole members', () => {
  it('S003-16: a new Source holds what most held, at once and after its queue is drained', async () => {
    let looks = 0
    for (let start = 0; start < sized({ everyday: 5, ci: 10, deep: 10 }); start++) {
      const random = new Random(`source ${start}`)
      const scene = await Scene.started({ members: random.int(3, 5), seed: `source ${start}` })
      await drawnOverlaps(scene, random, 2)
      for (const entry of scene.world.members) scene.world.crash(entry, 'power')
      scene.world.heal()
      await scene.run(5000)
      const heldByMost = mostlyHeld(scene)
      scene.world.startAll()
      for (const [place, { disk }] of scene.world.members.entries()) {
        await scene.until(() => scene.are('source', place), 20_000)
        await scene.until(() => scene.world.at(place).member!.store.counts().pending === 0, 20_000)
        for (const key of heldByMost) expect(disk.holdings.get(key)?.state.kind).toBe('agreed')
        looks += heldByMost.length
      }
      expect(scene.monitor.counts.elections).toBeGreaterThan(0) // each was checked as it came
      await scene.settle()
    }
    expect(looks).toBeGreaterThan(100)
  })

  it('S003-17: with 30 % of all gossip lost the end state is the same, only later', async () => {
    for (const gossipLoss of [0, 0.3]) {
      const result = await simulate({
        seed: 17,
        members: 5,
        seconds: sized({ everyday: 8, ci: 15, deep: 120 }),
        swarm: { kinds: [], gossipLoss, latencyMs: [5, 80], writesAfter: true, lastCutMs: 0 },
      })
      expect(result.violations).toEqual([])
      expect(result.outcomes.unknown).toBe(0)
      expect(result.convergedMs).not.toBeNull()
      if (gossipLoss > 0) expect(result.network.lost).toBeGreaterThan(100)
    }
  })

  // Twenty seconds of a processor; in the everyday size the rules alone say it (agreement/load).
  it.runIf(size !== 'everyday')(
    'S003-20: 5 members at 100 writes/s each and 5–80 ms of delay, and no demotion',
    async () => {
      const scene = await Scene.started({ members: 5, latencyMs: [5, 80] })
      await steadyWrites(scene, { perSecond: 100, seconds: sized({ everyday: 12, deep: 600 }) })
      for (const { member } of scene.world.up()) {
        expect(member.agreement.lastCheck).toMatchObject({ marked: 4, of: 4 })
      }
      expect(scene.monitor.counts.demotions).toBe(0)
      await scene.settle()
    },
  )

  it('S003-20: 2 Sources and 5 in source-sync: synchronized, and writes go on', async () => {
    const scene = await Scene.started({ members: 7 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    await scene.settle() // nobody is empty when it comes back
    for (const entry of scene.at(2, 3, 4, 5, 6)) scene.world.crash(entry, 'kill')
    await scene.run(15_000)
    expect(scene.are('source', 0, 1)).toBe(true)
    for (let n = 0; n < 300; n++) await scene.put(n % 2, `item/${n}`, `${n}`, { wait: 'agreed' })
    await scene.run(6000)
    for (const entry of scene.at(2, 3, 4, 5, 6)) {
      entry.disk.weather.fsyncMs = [6000, 6000] // taking what they missed takes them long
      scene.world.start(entry)
    }
    await scene.until(() => scene.are('source-sync', 2, 3, 4, 5, 6), 10_000)
    for (let n = 0; n < 20; n++) {
      expect((await scene.put(n % 2, `new/${n}`, `${n}`, { wait: 'agreed' })).level).toBe('agreed')
    }
    await scene.run(1500)
    expect(scene.are('source', 0, 1)).toBe(true)
    expect(scene.are('source-sync', 2, 3, 4, 5, 6)).toBe(true)
    for (const { disk } of scene.at(2, 3, 4, 5, 6)) disk.weather.fsyncMs = [1, 2]
    await scene.settle()
  })

  it('S003-21: a write at a member that is not Source survives its kill and comes everywhere', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    const writer = scene.world.at(2)
    scene.world.crash(writer, 'kill')
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    scene.world.start(writer)
    await scene.until(() => writer.member !== null, 1000)
    const { level } = await scene.put(2, 'queued', 'q', { wait: 'majority', timeoutMs: 500 })
    expect(level).toBe('pending')
    scene.world.crash(writer, 'kill')
    scene.world.heal()
    scene.world.start(writer)
    await scene.settle()
    for (const place of [0, 1, 2]) expect(await scene.get(place, 'queued')).toBe('q')
  })

  it('S003-23: 3 to 7 stores with drawn overlaps end in bounded time, whole, with nothing lost', async () => {
    for (let members = 3; members <= 7; members++) {
      const scene = await Scene.started({ members, seed: `overlap ${members}` })
      await drawnOverlaps(scene, new Random(`overlap ${members}`), 3)
      scene.world.heal()
      expect(await scene.settle(40_000)).toBeLessThan(30_000)
    }
  })

  it('S003-24: the union of all initial sets is the final set, from drawn starts', async () => {
    const starts = sized({ everyday: 10, ci: 25, deep: 10_000 })
    for (let start = 0; start < starts; start++) {
      const random = new Random(`start ${start}`)
      const scene = await Scene.started({ members: random.int(2, 5), seed: `start ${start}` })
      await drawnOverlaps(scene, random, random.int(1, 3))
      for (const entry of scene.world.members) {
        if (random.chance(0.5)) scene.world.crash(entry, random.pick(['kill', 'power']))
      }
      scene.world.heal()
      scene.world.startAll()
      await scene.settle(40_000)
    }
  })

  it('S003-25: a wiped disk rejoins and the others lose nothing', async () => {
    const scene = await Scene.started({ members: 3 })
    for (let n = 0; n < 30; n++) await scene.put(n % 3, `item/${n}`, `${n}`, { wait: 'majority' })
    await scene.settle()
    const wiped = scene.world.at(2)
    scene.world.crash(wiped, 'power')
    wiped.disk.wipe(scene.world.nowMs)
    scene.world.start(wiped)
    await scene.until(() => wiped.member !== null, 1000)
    await scene.until(() => scene.are('source'), 20_000)
    await scene.settle()
    expect(await scene.list(2)).toHaveLength(30)
  })

  it('S003-25: three empty members are all Source within 5 s', async () => {
    const scene = await Scene.open({ members: 3 })
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 5000)
  })

  it('S003-25: a lone first store is usable at once', async () => {
    const scene = await Scene.open({ members: 1 })
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 200)
    expect((await scene.put(0, 'first', 'write', { wait: 'majority' })).level).toBe('majority')
  })

  it('S003-25: two non-empty members elect while an empty one stays mute', async () => {
    const scene = await Scene.started({ members: 3 })
    const empty = scene.world.at(2)
    const fresh = empty.disk.copy()
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    scene.world.partition([scene.at(0), scene.at(1), scene.at(2)])
    await scene.run(8000)
    await scene.put(0, 'a', 'a')
    await scene.put(1, 'b', 'b')
    for (const entry of scene.world.members) scene.world.crash(entry, 'power')
    empty.disk.keep(fresh, scene.world.nowMs)
    scene.world.heal()
    const electedAtMs = firstElection(scene)
    scene.world.startAll()
    await scene.until(() => electedAtMs() !== null, 10_000)
    expect(empty.member!.counters.comparisonsAnswered).toBe(0)
    await scene.settle()
  })

  it('S003-29: an idle network stays synchronized, and its check goes on every 5 s', async () => {
    const scene = await Scene.started({ members: 4 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    const hour = 3_600_000
    await scene.run(sized({ everyday: hour / 12, deep: hour }))
    expect(scene.monitor.counts.demotions).toBe(0)
    const { at } = scene.world.at(0).member!.agreement.lastCheck!
    expect(scene.world.nowMs - at).toBeLessThan(5200)
    await scene.settle()
  })

  it('S003-31: 5 stores cut 3/2: the two lose status before they forget the three', async () => {
    const scene = await Scene.started({ members: 5 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    await scene.run(10_000)
    scene.world.partition([scene.at(0, 1, 2), scene.at(3, 4)])
    const known: number[] = []
    scene.world.watchers.push({
      status: ({ member }, from) => {
        if (from !== 'source') return
        known.push(member!.agreement.lastCheck!.of)
      },
    })
    // They are Sources again a moment later, on a side of their own.
    await scene.until(() => known.length >= 2, 11_000)
    expect(known).toEqual([4, 4])
    expect(scene.are('source', 0, 1, 2)).toBe(true)
    scene.world.heal()
    await scene.settle()
  })

  it('S003-32: a cut with writes on both sides: all are there after it, with one naming', async () => {
    const scene = await Scene.started({ members: 5, latencyMs: [5, 40] })
    for (let n = 0; n < 10; n++) await scene.put(0, `item/${n}`, 'before', { wait: 'majority' })
    scene.world.partition([scene.at(0, 1, 2), scene.at(3, 4)])
    await scene.run(15_000)
    expect(scene.are('source')).toBe(true)
    for (let n = 0; n < 10; n++) {
      await scene.put(1, `item/${n}`, `left ${n}`, { wait: 'agreed' })
      await scene.put(4, `item/${n}`, `right ${n}`, { wait: 'agreed' })
    }
    scene.world.heal()
    await scene.settle()
    const ids = await scene.list(0)
    expect(ids).toHaveLength(20)
    const texts = new Set<string | undefined>()
    for (const id of ids) texts.add(await scene.get(3, id))
    expect(texts.size).toBe(20)
    for (const place of [1, 2, 3, 4]) expect(await scene.list(place)).toEqual(ids)
  })

  it('S003-32: with quorum roster the minority has no Source and only queues', async () => {
    const scene = await Scene.started({ members: 5, quorum: 'roster' })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    scene.world.partition([scene.at(0, 1, 2), scene.at(3, 4)])
    await scene.until(() => !scene.are('source', 3) && !scene.are('source', 4), 7000)
    await scene.run(20_000)
    expect(scene.are('source', 0, 1, 2)).toBe(true)
    expect(scene.status(3)).not.toBe('source')
    const minor = await scene.put(3, 'minor', 'm', { wait: 'majority', timeoutMs: 3000 })
    expect(minor.level).toBe('pending')
    const major = await scene.put(0, 'major', 'm', { wait: 'majority', timeoutMs: 3000 })
    expect(major.level).toBe('majority')
    expect(await scene.get(3, 'minor')).toBe('m')
    scene.world.heal()
    await scene.settle()
    expect(await scene.list(1)).toEqual(['k', 'major', 'minor'])
  })

  it('S003-33: a member that missed a delete does not bring the item back', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'gone', 'soon', { wait: 'majority' })
    await scene.put(0, 'edited', 'once', { wait: 'majority' })
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    await scene.run(12_000)
    const { service } = scene.world.at(0)
    await scene.ask(service!.delete({ id: 'gone', wait: 'agreed' }))
    await scene.ask(service!.delete({ id: 'edited', wait: 'agreed' }))
    await scene.put(2, 'edited', 'twice')
    scene.world.heal()
    await scene.settle()
    for (const place of [0, 1, 2]) expect(await scene.list(place)).toEqual(['edited'])
    expect(await scene.get(0, 'edited')).toBe('twice')
  })
})

/** The keys of user facts that are on more than half of the disks. */
function mostlyHeld(scene: Scene): string[] {
  const counts = new Map<string, number>()
  for (const { disk } of scene.world.members) {
    for (const [key, { fact }] of disk.holdings) {
      if (!isSystemId(fact.id)) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return [...counts].filter(([, n]) => n * 2 > scene.world.members.length).map(([key]) => key)
}

/** When the first member became Source by a counter-sync; null: not yet. */
function firstElection(scene: Scene): () => number | null {
  let atMs: number | null = null
  scene.world.watchers.push({
    status: (_entry, _from, to, why) => {
      if (to === 'source' && why.startsWith('holds exactly')) atMs ??= scene.world.nowMs
    },
  })
  return () => atMs
}
