/** The door: one token lets in as many as it says, and a removed member learns that it was. */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { hashBytes } from '../../../src/base/hash.ts'
import { limits } from '../../../src/base/limits.ts'
import { systemId } from '../../../src/node/driver/system.ts'
import { decodeDoorAnswer, encodeDoorRequest } from '../../../src/wire/door.ts'
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
