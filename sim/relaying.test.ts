/**
 * G5 where not everybody reaches everybody: members that reach each other over others stay Sources
 * under a steady load of writes, for what one adds is passed on to who is not reached by it.
 */
import { describe, expect, it, vi } from 'vitest'
import { Scene } from './scene.ts'

vi.setConfig({ testTimeout: 120_000 })

/** From now on these pairs of places cannot speak with each other. */
function cut(scene: Scene, ...pairs: readonly (readonly [number, number])[]): void {
  for (const [one, other] of pairs) {
    scene.world.cut(scene.world.at(one), scene.world.at(other), 'both')
  }
}

/** Writes at every member in turn, ten in a second, for so long; how many of each level. */
async function writeFor(scene: Scene, seconds: number): Promise<void> {
  const { members } = scene.world
  for (let n = 0; n < 10 * seconds; n++) {
    await scene.put(n % members.length, `item/${n}`, `${n}`)
    await scene.run(100)
  }
}

/** A fact of each member is agreed at each other one. */
function isEverywhere(scene: Scene, ids: readonly string[]): boolean {
  return scene.world.members.every(({ disk }) => {
    const agreed = [...disk.holdings.values()].filter(({ state }) => state.kind === 'agreed')
    return ids.every(id => agreed.some(({ fact }) => fact.id === id))
  })
}

const shapes: Record<string, { members: number; pairs: readonly (readonly [number, number])[] }> = {
  'a chain of three': { members: 3, pairs: [[0, 2]] },
  'a ring of four (seed 700117)': {
    members: 4,
    pairs: [
      [0, 2],
      [1, 3],
    ],
  },
  'a chain of five': {
    members: 5,
    pairs: [
      [0, 2],
      [0, 3],
      [0, 4],
      [1, 3],
      [1, 4],
      [2, 4],
    ],
  },
  'five of whom two do not reach each other': { members: 5, pairs: [[1, 3]] },
}

describe('G5: under a steady load of writes', () => {
  for (const [name, { members, pairs }] of Object.entries(shapes)) {
    it(`${name} keeps its Sources, and each write comes to all within a second`, async () => {
      const scene = await Scene.started({ members })
      cut(scene, ...pairs)
      await writeFor(scene, 20) // what came while the links were thought to stand is compared
      await scene.until(() => scene.are('source'), 10_000)
      const { demotions } = scene.monitor.counts
      await writeFor(scene, 30)
      const last = scene.world.members.map((_, at) => `last/${at}`)
      for (const [at, id] of last.entries()) await scene.put(at, id, id, { wait: 'agreed' })
      await scene.until(() => isEverywhere(scene, last), 1000)
      expect(scene.monitor.counts.demotions).toBe(demotions)
      expect(scene.are('source')).toBe(true)
      scene.world.heal()
      await scene.settle()
    })
  }
})

describe('where everybody reaches everybody', () => {
  it('nothing is passed on', async () => {
    const scene = await Scene.started({ members: 4 })
    let relays = 0
    for (const { member } of scene.world.up()) {
      const { links } = member
      const send = links.send.bind(links)
      links.send = (to, body) => {
        if (body.kind === 'relay') relays += 1
        return send(to, body)
      }
    }
    await scene.run(2000) // until the pings of all say that they reach each other
    await writeFor(scene, 5)
    await scene.settle()
    expect(relays).toBe(0)
  })
})
