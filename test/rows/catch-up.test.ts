/**
 * Whole members that come late: one that is many versions behind, and one that joins a network that
 * holds much. `VECHE_DEEP=1` runs the sizes that the rows name.
 */
import { describe, expect, it } from 'vitest'
import { Scene } from '../../sim/scene.ts'
import { readEvents } from '../../src/node/ledger/events.ts'

const isDeep = process.env.VECHE_DEEP === '1'

/** Puts at one member, some hundred at a time. */
async function putMany(scene: Scene, ids: readonly string[], textOf: (at: number) => string) {
  for (let at = 0; at < ids.length; at += 500) {
    const slice = ids.slice(at, at + 500)
    await scene.ask(
      Promise.all(slice.map((id, n) => scene.begin(0, id, textOf(at + n), { wait: 'pending' }))),
    )
  }
}

/** How many collisions a member has ever told of. */
async function collisionsTold(scene: Scene, place: number): Promise<number> {
  const entries = await scene.ask(scene.world.at(place).member!.store.events(0, 1_000_000))
  const told = entries.flatMap(entry => readEvents(entry))
  expect(told.length).toBeGreaterThan(0)
  return told.filter(({ body }) => body.kind === 'collision').length
}

describe('a member that was away', () => {
  for (const behind of [1, 2, 5000]) {
    it(`S003-3: ${behind} versions behind, catches up without a collision at anybody`, async () => {
      const scene = await Scene.started({ members: 3, seed: `behind ${behind}` })
      await scene.put(0, 'item', 'first', { wait: 'majority' })
      await scene.settle()
      scene.world.crash(scene.world.at(2), 'power')
      await putMany(
        scene,
        Array.from({ length: behind }, () => 'item'),
        n => `version ${n}`,
      )
      scene.world.start(scene.world.at(2))
      await scene.settle(60_000)
      for (const place of [0, 1, 2]) {
        expect(await scene.get(place, 'item')).toBe(`version ${behind - 1}`)
        const head = await scene.ask(scene.world.at(place).service!.head({ id: 'item' }))
        expect(head.position).toBe(behind + 1)
        expect(await collisionsTold(scene, place)).toBe(0)
      }
    })
  }
})

describe('a network that holds much', () => {
  const items = isDeep ? 100_000 : 5000
  it('S003-26: takes a joining member in, which becomes Source and drains its queue', async () => {
    const scene = await Scene.started({ members: 3, seed: 'much' })
    const joining = scene.world.at(2)
    scene.world.crash(joining, 'power')
    const ids = Array.from({ length: items }, (_, n) => `item/${n}`)
    await putMany(scene, ids, n => `${n}`)
    await scene.run(5000)
    scene.world.start(joining)
    await scene.until(() => joining.member !== null, 1000)
    const own = await scene.put(2, 'own', 'of the joining member')
    expect(own.level).toBe('pending')
    await scene.until(() => scene.status(2) === 'source', 300_000)
    await scene.settle(60_000)
    expect(joining.member!.store.counts().pending).toBe(0)
    expect(await scene.get(0, 'own')).toBe('of the joining member')
    expect(joining.disk.holdings.size).toBeGreaterThan(items)
    expect(scene.monitor.counts.demotions).toBe(0)
  })
})
