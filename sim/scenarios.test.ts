/**
 * The scenarios that once broke a plainer rule, with whole members: every one of them broke the
 * agreement of a prototype (docs/protocol.md). Each ends with all equal and nothing lost.
 */
import { describe, expect, it, vi } from 'vitest'
import { participants } from '../src/consensus/agreement/reach.ts'
import { Scene } from './scene.ts'
import type { SimMember } from './world.ts'

const isDeep = process.env.VECHE_DEEP === '1'
vi.setConfig({ testTimeout: isDeep ? 600_000 : 120_000 })

/** Everybody speaks with its neighbours only; a ring closes. */
function neighbours(scene: Scene, shape: 'chain' | 'ring'): void {
  const { members } = scene.world
  for (const [at, one] of members.entries()) {
    for (const [to, other] of members.entries()) {
      if (to <= at + 1 || (shape === 'ring' && at === 0 && to === members.length - 1)) continue
      scene.world.cut(one, other, 'both')
    }
  }
}

describe('scenarios with whole members', () => {
  it('clocks ten seconds apart: one cut, and every member stays Source', async () => {
    const scene = await Scene.open({ members: 3 })
    scene.world.at(1).skew.wallOffsetMs = 10_000
    scene.world.at(2).skew.wallOffsetMs = -10_000
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 10_000)
    for (let n = 0; n < 10; n++) await scene.put(n % 3, `item/${n}`, `${n}`, { wait: 'majority' })
    const cuts = new Set(scene.world.up().map(entry => entry.member.ledger.sets.settled.cut))
    expect(Math.max(...cuts) - Math.min(...cuts)).toBeLessThanOrEqual(1000)
    await scene.run(20_000)
    expect(scene.monitor.counts.demotions).toBe(0)
    await scene.settle()
  })

  it('a chain of five with relayed pings elects a Source', async () => {
    const scene = await Scene.started({ members: 5 })
    await unequal(scene)
    await restart(scene, () => neighbours(scene, 'chain'))
    await scene.until(() => isAnySource(scene), 20_000)
    expect(scene.monitor.counts.elections).toBeGreaterThan(0)
    await scene.put(4, 'after', 'election')
    await scene.run(10_000)
    scene.world.heal()
    await scene.settle()
  })

  it('A {k, x}, B {k}, C {k, pending x}: x is held by most and stays', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    await scene.settle()
    const [c] = scene.at(2) as [SimMember]
    scene.world.partition(scene.world.members.map(entry => [entry]))
    await scene.until(() => scene.are('source') && noneReached(scene), 20_000)
    await scene.put(0, 'x', 'x', { wait: 'agreed' })
    scene.world.crash(c, 'power')
    scene.world.start(c)
    await scene.until(() => c.member !== null, 1000)
    await scene.put(2, 'x', 'x')
    expect(holdingOf(c, 'x')).toBe('pending')
    let onElection: string | undefined
    scene.world.watchers.push({
      status: (entry, _, to, why) => {
        if (to === 'source' && why.includes('of 3 hold')) onElection ??= holdingOf(entry, 'x')
      },
    })
    await restart(scene, () => scene.world.heal())
    await scene.until(() => isAnySource(scene), 20_000)
    expect(onElection).toBe('agreed')
    await scene.settle()
    expect(await scene.list(1)).toEqual(['k', 'x'])
  })

  it('one full member and two that just joined: nobody takes the empty ones for the majority', async () => {
    const scene = await Scene.open({ members: 3 })
    const [full, ...fresh] = scene.world.members
    scene.world.start(full!)
    await scene.until(() => scene.are('source', 0), 10_000)
    for (let n = 0; n < 20; n++) await scene.put(0, `item/${n}`, `${n}`, { wait: 'agreed' })
    scene.world.crash(full!, 'power')
    for (const entry of fresh) scene.world.start(entry)
    scene.world.start(full!)
    await scene.settle()
    expect(await scene.list(2)).toHaveLength(20)
  })

  it('a cut with both sides Source for 14 s loses nothing', async () => {
    const scene = await Scene.started({ members: 4 })
    await scene.put(0, 'shared', 'before', { wait: 'majority' })
    scene.world.partition([scene.at(0, 1), scene.at(2, 3)])
    await scene.until(() => scene.are('source') && noneReached(scene), 20_000)
    const beganAtMs = scene.world.nowMs
    for (let n = 0; scene.world.nowMs - beganAtMs < 14_000; n++) {
      await scene.put(n % 4, `side/${n % 4}/${n}`, `${n}`)
      await scene.run(500)
    }
    await scene.put(0, 'shared', 'left')
    await scene.put(2, 'shared', 'right')
    scene.world.heal()
    await scene.settle()
    const shared = (await scene.list(0)).filter(id => id.startsWith('shared'))
    expect(shared).toHaveLength(2)
    expect(await scene.list(3)).toEqual(await scene.list(0))
  })

  it('a numbering is not reused after a restore from an old copy', async () => {
    const scene = await Scene.started({ members: 3 })
    const member = scene.world.at(0)
    await scene.put(0, 'old', 'old', { wait: 'majority' })
    const copy = member.disk.copy()
    for (let n = 0; n < 10; n++) await scene.put(0, `lost/${n}`, `${n}`, { wait: 'majority' })
    scene.world.crash(member, 'power')
    member.disk.keep(copy, scene.world.nowMs)
    scene.world.start(member)
    await scene.until(() => scene.are('source', 0), 30_000)
    const again = await scene.put(0, 'new', 'new', { wait: 'majority', timeoutMs: 5000 })
    expect(again.level).toBe('majority')
    await scene.settle()
    expect(await scene.list(0)).toHaveLength(12)
  })

  it('an idle pair stays Source: an equal hash counts each time that it is said', async () => {
    const scene = await Scene.started({ members: 2 })
    await scene.put(0, 'only', 'one', { wait: 'majority' })
    await scene.run(120_000)
    expect(scene.monitor.counts.demotions).toBe(0)
    await scene.settle()
  })

  it('three idle members ping once a second each, and not again as their cut moves', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'only', 'one', { wait: 'majority' })
    await scene.run(10_000)
    const before = scene.world.network.counts.gossip
    await scene.run(60_000)
    const heard = scene.world.network.counts.gossip - before
    expect(heard).toBeGreaterThanOrEqual(3 * 2 * 58)
    expect(heard).toBeLessThanOrEqual(3 * 2 * 66)
    await scene.settle()
  })

  it('an idle member ticks four times a second, and asks who is there along with its ping or an answer', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'only', 'one', { wait: 'majority' })
    await scene.run(10_000)
    const member = scene.world.up()[1]!.member
    const said: { readonly kind: string; readonly at: number }[] = []
    const note = (kind: string) => said.push({ kind, at: member.now() })
    const { network } = member.ports
    const [publish, send] = [network.publish.bind(network), member.links.send.bind(member.links)]
    vi.spyOn(network, 'publish').mockImplementation(frame => {
      note('ping')
      publish(frame)
    })
    vi.spyOn(member.links, 'send').mockImplementation((to, body) => {
      note(body.kind)
      return send(to, body)
    })
    const ticks = vi.spyOn(member.probing, 'tick')
    await scene.run(60_000)
    expect(ticks.mock.calls.length).toBeGreaterThanOrEqual(4 * 59)
    expect(ticks.mock.calls.length).toBeLessThanOrEqual(4 * 60 + 1)
    const probes = said.filter(({ kind }) => kind === 'probe')
    expect(probes.length).toBeGreaterThanOrEqual(2 * 55)
    const along = new Set(said.filter(({ kind }) => kind !== 'probe').map(({ at }) => at))
    expect(probes.filter(({ at }) => !along.has(at))).toEqual([])
  })

  it('a member that comes and goes every 4.5 s does not stop the others from electing', async () => {
    const scene = await Scene.started({ members: 4 })
    await unequal(scene, 500)
    scene.world.network.weather.latencyMs = [100, 250] // one comparison takes seconds
    let isElected = false
    scene.world.watchers.push({
      status: (_entry, _from, to, why) => {
        isElected ||= to === 'source' && /of [34] hold/.test(why)
      },
    })
    await restart(scene, () => scene.world.heal())
    const restless = scene.world.at(3)
    for (let n = 0; n < 8 && !isElected; n++) {
      if (restless.life === null) scene.world.start(restless)
      else scene.world.crash(restless, 'kill')
      await scene.run(4500)
    }
    expect(isElected).toBe(true)
    scene.world.startAll()
    await scene.settle(60_000)
  })

  it('fact 5 of a chain before facts 2 to 4: held, invisible, then whole', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'chain', '1', { wait: 'majority' })
    const [a, b, c] = scene.at(0, 1, 2) as [never, never, never]
    scene.world.partition([[a], [b, c]])
    await scene.run(200)
    for (let n = 2; n <= 4; n++) await scene.put(0, 'chain', `${n}`)
    scene.world.heal()
    await scene.put(0, 'chain', '5')
    await scene.settle()
    expect(await scene.get(2, 'chain')).toBe('5')
    const { facts } = await scene.ask(scene.world.at(2).service!.history({ id: 'chain' }))
    expect(facts).toHaveLength(5)
  })

  it('a member with many set-aside facts comes back and hands them in', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    scene.world.partition([scene.at(0), scene.at(1, 2)])
    await scene.until(() => scene.are('source') && noneReached(scene, 0), 20_000)
    const count = isDeep ? 100_000 : 2000
    for (let from = 0; from < count; from += 500) {
      const writes = Array.from({ length: 500 }, (_, at) =>
        scene.begin(0, `bulk/${from + at}`, `${from + at}`, { wait: 'pending' }),
      )
      await scene.ask(Promise.all(writes))
    }
    await scene.put(1, 'other', 'side')
    scene.world.heal()
    await scene.until(() => scene.world.at(1).disk.holdings.size > count, 120_000)
    await scene.settle(120_000)
  })

  it('two members that imported the same folder alone have one item each, and no collision', async () => {
    const scene = await Scene.open({ members: 2 })
    scene.world.cut(scene.world.at(0), scene.world.at(1), 'both')
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 20_000)
    for (const place of [0, 1]) {
      for (let n = 0; n < 20; n++) await scene.put(place, `folder/${n}`, `same ${n}`)
      await scene.run(1000)
    }
    scene.world.heal()
    await scene.settle()
    expect(await scene.list(0)).toHaveLength(20)
    const stamps = await Promise.all([0, 1].map(place => stampsOf(scene, place)))
    expect(stamps[0]).toEqual(stamps[1])
  })

  it("a member that becomes Source 50 ms before another's check topples nobody", async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    scene.world.crash(scene.world.at(2), 'kill')
    await scene.run(12_000)
    const before = scene.monitor.counts.demotions
    for (let n = 0; n < 5; n++) {
      scene.world.start(scene.world.at(2))
      await scene.until(() => scene.are('source', 2), 20_000)
      const checkAt = scene.world.at(0).member!.agreement.source!.checkAt
      await scene.run(Math.max(0, checkAt - scene.world.nowMs) + 100)
      expect(scene.are('source', 0, 1)).toBe(true)
      scene.world.crash(scene.world.at(2), 'kill')
      await scene.run(900 * n)
    }
    expect(scene.monitor.counts.demotions).toBe(before)
    scene.world.startAll()
    await scene.settle()
  })

  it('a ring of five with quorum roster: each reaches three, and a Source is elected', async () => {
    const scene = await Scene.started({ members: 5, quorum: 'roster' })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    await scene.settle()
    await restart(scene, () => neighbours(scene, 'ring'))
    await scene.until(() => isAnySource(scene), 20_000)
    expect(scene.monitor.counts.elections).toBeGreaterThan(0)
    scene.world.heal()
    await scene.settle()
  })

  it('a member removed while it was away takes no part again and keeps its facts', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    const away = scene.world.at(2)
    scene.world.crash(away, 'kill')
    await scene.ask(scene.world.at(0).service!.remove({ member: away.id }))
    scene.world.start(away)
    await scene.run(10_000)
    expect(scene.world.at(0).member!.reached()).toEqual(['b'])
    expect(scene.world.at(1).member!.agreement.roster).toEqual(['a', 'b'])
    const { level } = await scene.put(0, 'after', 'removal', { wait: 'majority' })
    expect(level).toBe('majority')
    expect(away.disk.holdings.size).toBeGreaterThan(0)
    scene.check()
  })

  it('a very large add ahead of small ones does not hold them up', async () => {
    const scene = await Scene.started({ members: 3 })
    scene.world.network.weather.bytesPerMs = 1000
    const size = (isDeep ? 64 : 8) * 1024 * 1024
    await scene.put(0, 'large', 'x'.repeat(size), { wait: 'agreed' })
    const beganAtMs = scene.world.nowMs
    for (let n = 0; n < 20; n++) await scene.put(0, `small/${n}`, `${n}`, { wait: 'majority' })
    expect(scene.world.nowMs - beganAtMs).toBeLessThan(2000)
    expect(scene.world.at(1).member!.payloads.missing()).toHaveLength(1)
    await scene.settle(300_000)
  })
})

/** Ends all at once, changes the network, and starts all again: nobody is Source. */
async function restart(scene: Scene, change: () => void): Promise<void> {
  for (const entry of scene.world.members) scene.world.crash(entry, 'power')
  scene.world.heal()
  change()
  scene.world.startAll()
  await scene.until(() => scene.world.up().length === scene.world.members.length, 2000)
}

function isAnySource(scene: Scene): boolean {
  return scene.world.members.some((_, at) => scene.are('source', at))
}

/** The state in which a member holds the only fact of an item. */
function holdingOf({ disk }: SimMember, id: string): string | undefined {
  return [...disk.holdings.values()].find(({ fact }) => fact.id === id)?.state.kind
}

/** Everybody holds something of its own, in stores that were Source alone. */
async function unequal(scene: Scene, each = 50): Promise<void> {
  await scene.put(0, 'shared', 'all', { wait: 'majority' })
  scene.world.partition(scene.world.members.map(entry => [entry]))
  await scene.until(() => scene.are('source') && noneReached(scene), 30_000)
  for (const at of scene.world.members.keys()) {
    const writes = Array.from({ length: each }, (_, n) =>
      scene.begin(at, `own/${at}/${n}`, `${n}`, { wait: 'agreed' }),
    )
    await scene.ask(Promise.all(writes))
  }
}

/** Members (or one of them) are Source by themselves: their side has elected. */
function noneReached(scene: Scene, ...places: readonly number[]): boolean {
  const members = places.length === 0 ? scene.world.up() : scene.at(...places)
  return members.every(entry => {
    const { agreement } = entry.member!
    return participants(agreement).every(
      peer => !scene.world.network.isCut(entry.id, peer.id) && agreement.source !== null,
    )
  })
}

async function stampsOf(scene: Scene, place: number): Promise<string[]> {
  const { items } = await scene.ask(scene.world.at(place).service!.list({ limit: 1000 }))
  return items.map(item => `${item.id} ${item.stamp} ${item.by}`)
}
