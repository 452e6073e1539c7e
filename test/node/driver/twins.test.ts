/** Two daemons with one identity: who hears both tells people and the copies, and nobody is fooled. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import type { Body } from '../../../src/consensus/messages.ts'
import { decodeFrame, encodeFrame } from '../../../src/wire/frame.ts'
import { BEGIN_MS, Lone, SELF } from '../../support/lone-member.ts'

const first = '11'.repeat(8)
const second = '22'.repeat(8)

function twinOf(lone: Lone) {
  return lone.member.problems.list().filter(({ reason }) => reason === 'twin')
}

/** Something that is said under an identity by one of its lives, at a time of the network clock. */
function say(lone: Lone, life: string, ms: number, from = 'b', body?: Body): void {
  const clock = stampOf(BEGIN_MS + ms)
  const envelope = lone.envelope(from, { incarnation: life, clock })
  const bodies: Body[] = [body ?? { kind: 'probe', number: 1 }]
  void lone.network.listener?.frame(from, 'main', encodeFrame({ envelope, bodies }))
}

async function listening(): Promise<Lone> {
  const lone = await (await Lone.open({ others: ['b'] })).start()
  lone.network.connected.add('b')
  return lone
}

function toldTwins(lone: Lone): Body[] {
  return lone.network.sent.flatMap(({ frame }) => {
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    return decoded.ok ? decoded.frame.bodies.filter(({ kind }) => kind === 'twin') : []
  })
}

describe('a member of which two daemons run', () => {
  it('is named with what to do, and told, once it spoke in turns; and no more when one ended', async () => {
    const lone = await listening()
    say(lone, first, 1000)
    say(lone, second, 3000)
    expect(twinOf(lone)).toEqual([])
    say(lone, first, 5000)
    await lone.clock.pass(200)
    expect(twinOf(lone)).toMatchObject([{ member: 'b', nextStep: expect.stringContaining('Stop') }])
    expect(toldTwins(lone)).toEqual([{ kind: 'twin', lives: [first, second] }])
    await lone.clock.pass(limits.twinMs)
    say(lone, first, 40_000)
    expect(twinOf(lone)).toEqual([])
  })

  it('is not seen in one that was started again, whose old messages come late', async () => {
    const lone = await listening()
    say(lone, first, 1000)
    say(lone, second, 3000)
    say(lone, first, 2900)
    say(lone, second, 4000)
    say(lone, first, 3000 + limits.twinMarginMs)
    expect(twinOf(lone)).toEqual([])
  })

  it('learns of it from who hears both, and takes no harm from a word that is not about it', async () => {
    const lone = await listening()
    say(lone, first, 1000, 'b', { kind: 'twin', lives: [first, second] })
    expect(twinOf(lone)).toEqual([])
    const { incarnation } = lone.member
    say(lone, first, 1100, 'b', { kind: 'twin', lives: [incarnation, second] })
    expect(twinOf(lone)).toMatchObject([{ member: SELF, sentence: expect.stringContaining('b') }])
    await lone.put('a', 'still written')
    expect(lone.fatal).toEqual([])
  })

  it('learns of it from gossip under its own name', async () => {
    const lone = await listening()
    say(lone, lone.member.incarnation, 1000, SELF)
    expect(twinOf(lone)).toEqual([])
    say(lone, second, 1000, SELF)
    expect(twinOf(lone)).toMatchObject([{ member: SELF }])
  })
})
