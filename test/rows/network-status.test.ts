/** Whether the network is synchronized, as every whole member tells it. */
import { expect, it } from 'vitest'
import { Scene } from '../../sim/scene.ts'
import { limits } from '../../src/base/limits.ts'

const LOOK_MS = 50
/** Two pings, and what it takes to look and to pass on. */
const AGREED_MS = 2 * limits.pingMs + 2 * LOOK_MS

/** Waits until every member that is up tells the same; answers how long they told two things. */
async function disagreement(scene: Scene, wanted: boolean, withinMs: number): Promise<number> {
  let firstAtMs: number | null = null
  for (const endMs = scene.world.nowMs + withinMs; scene.world.nowMs < endMs; ) {
    await scene.run(LOOK_MS)
    const told: boolean[] = []
    for (const { service } of scene.world.up())
      told.push((await scene.ask(service.status({}))).synchronized)
    if (told.includes(wanted)) firstAtMs ??= scene.world.nowMs
    if (told.every(one => one === wanted)) return scene.world.nowMs - firstAtMs!
  }
  throw new Error(`not all told ${wanted} within ${withinMs} ms`)
}

it('S003-19: all tell it alike within two pings, when Sources come and when the last is gone', async () => {
  const scene = await Scene.open({ members: 4, latencyMs: [5, 80] })
  scene.world.startAll()
  expect(await disagreement(scene, true, 10_000)).toBeLessThanOrEqual(AGREED_MS)
  await scene.put(0, 'k', 'k', { wait: 'majority' })
  await scene.settle() // nobody is empty when it comes back
  const others = scene.at(1, 2, 3)
  for (const entry of others) scene.world.crash(entry, 'kill')
  await scene.run(15_000)
  for (let n = 0; n < 300; n++) await scene.put(0, `item/${n}`, `${n}`, { wait: 'pending' })
  await scene.run(6000)
  for (const entry of others) {
    entry.disk.weather.fsyncMs = [6000, 6000] // taking what they missed takes them long
    scene.world.start(entry)
  }
  await scene.until(() => scene.are('source-sync', 1, 2, 3), 10_000)
  expect(await disagreement(scene, true, 2000)).toBeLessThanOrEqual(AGREED_MS)
  scene.world.crash(scene.world.at(0), 'power')
  expect(await disagreement(scene, false, 8000)).toBeLessThanOrEqual(AGREED_MS)
  expect(scene.are('counter-sync', 1, 2, 3)).toBe(true)
  for (const { disk } of others) disk.weather.fsyncMs = [1, 2]
  scene.world.start(scene.world.at(0))
  await scene.settle()
})
