/**
 * A member that lies in every way of the repertoire: the others stay whole, and say who it is.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../src/base/bytes.ts'
import { sha256 } from './history.ts'
import { type LieKind, lies } from './liar-lies.ts'
import { simulate } from './run.ts'
import { Scene } from './scene.ts'

const kinds = Object.keys(lies) as LieKind[]
const harmless = kinds.filter(kind => lies[kind].isHarmless)

async function run(seed: string, told: readonly LieKind[]) {
  const swarm = {
    kinds: ['kill', 'partition'],
    everyMs: 5000,
    atOnce: 1,
    lastMs: [50, 2000],
    skewMs: 0,
    writesAfter: true,
    lastCutMs: 0,
  } as const
  return await simulate({ seed, members: 4, seconds: 15, lies: told, swarm })
}

describe('with a member that lies', () => {
  it('lies that show themselves change nothing, and whoever hears them names the liar', async () => {
    const { violations, liar } = await run('harmless', harmless)
    expect(violations).toEqual([])
    expect(liar!.told.size).toBeGreaterThanOrEqual(8)
    expect(liar!.namedBy.size).toBe(3)
  })

  it('the others come together when a plausible liar is removed', async () => {
    const { violations, liar } = await run('plausible', kinds)
    expect(violations).toEqual([])
    expect(liar!.told.size).toBeGreaterThan(12)
  })

  it('payloads that nobody has, and a member that lets each question for them run out, keep no other payload waiting for good', async () => {
    const scene = await Scene.open({ members: 3 })
    const [one, silent, other] = scene.at(0, 1, 2)
    scene.world.liar = silent!.id
    scene.world.tongue = port => ({
      ...port,
      send: (peer, lane, frame) =>
        lane === 'bulk' ? Promise.resolve() : port.send(peer, lane, frame),
    })
    // A timer that rang early by this clock was taken for an answer: the silent one was asked again.
    one!.skew.rate = 0.98
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 10_000)
    for (let n = 0; n < 36; n++) one!.member!.payloads.want(sha256(utf8(`nobody ${n}`)), 10)
    await scene.run(1000)
    const text = 'large'.padEnd(100_000, '.')
    await scene.put(2, 'large', text)
    const blob = sha256(utf8(text))
    expect(other!.disk.payloads.has(blob)).toBe(true)
    await scene.until(() => one!.disk.payloads.has(blob), 45_000)
  })
})
