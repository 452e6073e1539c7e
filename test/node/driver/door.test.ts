/** The door: one token lets in as many as it says, and a removed member learns that it was. */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { hashBytes } from '../../../src/base/hash.ts'
import { limits } from '../../../src/base/limits.ts'
import { isStranger } from '../../../src/node/driver/stranger.ts'
import { membershipsOf, systemId } from '../../../src/node/driver/system.ts'
import {
  type DoorAnswer,
  decodeDoorAnswer,
  encodeDoorAnswer,
  encodeDoorRequest,
} from '../../../src/wire/door.ts'
import { Lone, memberFact, removedFact, SELF } from '../../support/lone-member.ts'

async function knock(lone: Lone, from: string, secret: Uint8Array) {
  const request = encodeDoorRequest({
    kind: 'redeem',
    secret,
    peer: from,
    name: from,
    addresses: [],
  })
  return await answered(lone, from, request)
}

async function answered(lone: Lone, from: string, request: Uint8Array) {
  const bytes = await lone.member.roster.onDoor(from, request)
  const answer = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
  if (!answer.ok) throw new Error(answer.sentence)
  return answer.value
}

async function invited(lone: Lone, uses = 1): Promise<Uint8Array> {
  const expires = lone.clock.wallMs() + 60_000
  return await lone.member.roster.door.invite({ expires, uses })
}

describe('a token for one use', () => {
  it('lets in one of two who knock at the same moment', async () => {
    const lone = await (await Lone.open()).start()
    const secret = await invited(lone)
    const answers = await Promise.all(['b', 'c'].map(from => knock(lone, from, secret)))
    expect(answers.map(({ kind }) => kind)).toEqual(['welcome', 'refused'])
    expect(
      lone.member.roster
        .members()
        .map(({ peer }) => peer)
        .sort(),
    ).toEqual(['b', SELF])
  })

  it('makes one membership of two knocks of one peer', async () => {
    const lone = await (await Lone.open()).start()
    const secret = await invited(lone)
    const answers = await Promise.all(['b', 'b'].map(from => knock(lone, from, secret)))
    expect(answers.map(({ kind }) => kind)).toEqual(['welcome', 'welcome'])
    expect(lone.member.roster.members().map(({ peer, number }) => `${peer}/${number}`)).toEqual([
      'b/1',
      `${SELF}/1`,
    ])
  })

  it('does not let in again who was removed since', async () => {
    const lone = await (await Lone.open()).start()
    const secret = await invited(lone)
    await knock(lone, 'b', secret)
    await lone.member.roster.take(SELF, [removedFact('b')])
    expect(await knock(lone, 'b', secret)).toMatchObject({ kind: 'refused', code: 'USED_TOKEN' })
    expect(await knock(lone, 'b', await invited(lone))).toMatchObject({ kind: 'welcome' })
  })

  it('lets its peer in whose use was written before a crash, and no other', async () => {
    const lone = await (await Lone.open()).start()
    const secret = await invited(lone)
    const invitation = { expires: lone.clock.wallMs() + 60_000, uses: 1, usedBy: ['b'] }
    const value = utf8(JSON.stringify(invitation))
    const key = `invitation/${hashBytes(secret)}`
    await lone.member.ledger.record([{ kind: 'meta', key, value }])
    expect(await knock(lone, 'c', secret)).toMatchObject({ kind: 'refused' })
    expect(await knock(lone, 'b', secret)).toMatchObject({ kind: 'welcome' })
  })
})

describe('a member that was removed while it was away', () => {
  it('is answered with the facts of its own memberships alone', async () => {
    const lone = await (await Lone.open({ others: ['b', 'bb', 'c'] })).start()
    await lone.member.roster.take(SELF, [removedFact('b'), removedFact('bb')])
    const answer = await answered(lone, 'b', encodeDoorRequest({ kind: 'hello' }))
    expect(answer.kind === 'removed' && answer.facts.map(({ id }) => id).sort()).toEqual([
      systemId.member('b', 1),
      systemId.removed('b', 1),
    ])
  })

  it('is not taken for one whose id only contains its own', async () => {
    const lone = await (await Lone.open({ others: ['bb'] })).start()
    await lone.member.roster.take(SELF, [memberFact('xbx'), removedFact('xbx')])
    expect(await answered(lone, 'b', encodeDoorRequest({ kind: 'hello' }))).toMatchObject({
      kind: 'refused',
      code: 'NOT_MEMBER',
    })
  })
})

describe('a member that was removed itself', () => {
  const removed = async () => {
    const lone = await (await Lone.open({ others: ['b', 'c'] })).start()
    const secret = await invited(lone)
    await lone.member.roster.take(SELF, [removedFact(SELF), removedFact('c')])
    return { lone, secret }
  }

  it('says so to everybody who knocks: also to who joined since, or again (seed 700076)', async () => {
    const { lone } = await removed()
    for (const from of ['b', 'c', 'd']) {
      expect(lone.member.roster.admit(from)).toBe('door')
      const answer = await answered(lone, from, encodeDoorRequest({ kind: 'hello' }))
      expect(answer.kind === 'removed' && answer.facts.map(({ id }) => id).sort()).toEqual([
        systemId.member(SELF, 1),
        systemId.removed(SELF, 1),
      ])
    }
  })

  it('lets nobody in, and does not call the one who knocks removed', async () => {
    const { lone, secret } = await removed()
    expect(await knock(lone, 'd', secret)).toMatchObject({ code: 'UNKNOWN_TOKEN' })
  })
})

describe('a token of another member', () => {
  it('is asked of all others, and never of the one who knocks (seed 700076)', async () => {
    const lone = await (await Lone.open({ others: ['b', 'c'] })).start()
    const asked: string[] = []
    lone.network.knock = async ({ peer }) => {
      asked.push(peer)
      return encodeDoorAnswer({ kind: 'refused', code: 'UNKNOWN_TOKEN', sentence: 'Not mine.' })
    }
    const answer = await knock(lone, 'b', new Uint8Array(32))
    expect(answer).toMatchObject({ kind: 'refused', code: 'UNKNOWN_TOKEN' })
    expect(asked).toEqual(['c'])
  })
})

describe('a machine whose invitation nobody knows of', () => {
  const doorSays = (lone: Lone, answer: DoorAnswer) => {
    lone.network.knock = async () => encodeDoorAnswer(answer)
  }
  const unknown = { kind: 'refused', code: 'NOT_MEMBER', sentence: 'No member.' } as const
  const told = (lone: Lone) => lone.member.problems.list().map(({ reason }) => reason)

  it('says so with the next step, remembers it for `join`, and forgets it when it is known', async () => {
    const lone = await (await Lone.open({ others: ['b', 'c'] })).start()
    doorSays(lone, unknown)
    await lone.clock.pass(6000)
    expect(told(lone)).toEqual(['stranger'])
    expect(await isStranger(lone.store)).toBe(true)
    doorSays(lone, { kind: 'welcome', facts: [] })
    await lone.clock.pass(11_000)
    expect(told(lone)).toEqual([])
    expect(await isStranger(lone.store)).toBe(false)
  })

  it('is no stranger to who is only busy, or removed', async () => {
    const lone = await (await Lone.open({ others: ['b'] })).start()
    doorSays(lone, { ...unknown, code: 'BUSY' })
    await lone.clock.pass(6000)
    expect(told(lone)).toEqual([])
    doorSays(lone, unknown)
    await lone.clock.pass(6000)
    await lone.member.roster.take(SELF, [removedFact('b')])
    await lone.clock.pass(1000)
    expect(told(lone)).toEqual([])
  })

  it('is one member when two let it in that did not know of each other', () => {
    const [first, second] = [memberFact('b'), { ...memberFact('b'), version: 'f'.repeat(64) }]
    expect(membershipsOf([first, second])).toHaveLength(1)
  })
})
