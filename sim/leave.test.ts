/** What a member that leaves is told of what stays with it (PROTOCOL 10). */
import { expect, it } from 'vitest'
import { countUnsharedPayloads } from '../src/node/service/unshared.ts'
import { Scene } from './scene.ts'

it('a member that leaves counts the payloads that only it holds, and none when others have them', async () => {
  const scene = await Scene.open({ members: 3 })
  const leaver = scene.world.at(0)
  let isHeldBack = true
  scene.world.liar = leaver.id
  scene.world.tongue = port => ({
    ...port,
    send: (peer, lane, frame) =>
      isHeldBack && lane === 'bulk' ? Promise.resolve() : port.send(peer, lane, frame),
  })
  scene.world.startAll()
  await scene.until(() => scene.are('source'), 10_000)
  await scene.put(0, 'small', 'small', { wait: 'majority' })
  await scene.put(0, 'large', 'large'.padEnd(100_000, '.'), { wait: 'agreed' })
  await scene.run(1000)
  expect(await scene.ask(countUnsharedPayloads(leaver.member!))).toBe(1)
  isHeldBack = false
  await scene.until(() => scene.at(1)[0]!.member!.payloads.missing().length === 0, 120_000)
  expect(await scene.ask(leaver.service!.leave())).toMatchObject({
    unshared: 0,
    unsharedPayloads: 0,
  })
}, 60_000)
