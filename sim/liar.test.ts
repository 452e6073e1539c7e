/**
 * A member that lies in every way of the repertoire: the others stay whole, and say who it is.
 */
import { describe, expect, it } from 'vitest'
import { type LieKind, lies } from './liar-lies.ts'
import { simulate } from './run.ts'

const kinds = Object.keys(lies) as LieKind[]
const harmless = kinds.filter(kind => lies[kind].isHarmless)

async function run(seed: string, told: readonly LieKind[]) {
  const swarm = { kinds: ['kill', 'partition'], skewMs: 0 } as const
  return await simulate({ seed, members: 4, seconds: 15, lies: told, swarm })
}

describe('with a member that lies', () => {
  it('lies that show themselves change nothing, and whoever hears them names the liar', async () => {
    const { violations, liar } = await run('harmless', harmless)
    expect(violations).toEqual([])
    expect(liar!.told.size).toBeGreaterThan(8)
    expect(liar!.namedBy.size).toBe(3)
  })

  it('the others come together when a plausible liar is removed', async () => {
    const { violations, liar } = await run('plausible', kinds)
    expect(violations).toEqual([])
    expect(liar!.told.size).toBeGreaterThan(12)
  })

  it('payloads that nobody has, and a liar that lets each question for them run out, keep no other payload waiting', async () => {
    const swarm = { kinds: ['kill', 'partition', 'pause', 'breakLink'] } as const
    const { violations } = await simulate({
      seed: 8,
      members: 4,
      seconds: 20,
      lies: harmless,
      swarm,
    })
    expect(violations).toEqual([])
  })
})
