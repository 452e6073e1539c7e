/**
 * Tokens that are no good any more, or never were: at the member that issued them, with its answers
 * as they go over the wire. Two at once and members that were removed: test/node/driver/door.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { decodeDoorAnswer, encodeDoorRequest } from '../../src/wire/door.ts'
import { Lone, SELF } from '../support/lone-member.ts'

async function knock(lone: Lone, from: string, secret: Uint8Array, peer = from) {
  const request = encodeDoorRequest({ kind: 'redeem', secret, peer, name: peer, addresses: [] })
  const bytes = await lone.member.roster.onDoor(from, request)
  const answer = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
  if (!answer.ok) throw new Error(answer.sentence)
  return answer.value
}

describe('an invitation', () => {
  const bad: readonly (readonly [
    what: string,
    code: string,
    secret: (good: Uint8Array, lone: Lone) => Promise<Uint8Array>,
  ])[] = [
    [
      'used',
      'USED_TOKEN',
      async (good, lone) => {
        await knock(lone, 'first', good)
        return good
      },
    ],
    [
      'expired',
      'EXPIRED_TOKEN',
      async (good, lone) => {
        await lone.clock.pass(61_000)
        return good
      },
    ],
    ['altered', 'UNKNOWN_TOKEN', async good => good.with(3, good[3]! ^ 1)],
    ['guessed', 'UNKNOWN_TOKEN', async good => new Uint8Array(good.length)],
  ]
  for (const [what, code, secretOf] of bad) {
    test(`a token that is ${what}, lets nobody in`, async () => {
      const lone = await (await Lone.open()).start()
      const expires = lone.clock.wallMs() + 60_000
      const good = await lone.member.roster.door.invite({ expires, uses: 1 })
      const secret = await secretOf(good, lone)
      const before = lone.member.roster.members().map(({ peer }) => peer)
      for (let n = 0; n < 20; n++)
        expect(await knock(lone, `b${n}`, secret)).toMatchObject({ kind: 'refused', code })
      expect(lone.member.roster.members().map(({ peer }) => peer)).toEqual(before)
      expect(lone.fatal).toEqual([])
    })
  }

  test('is not redeemed in the name of another by who is no member', async () => {
    const lone = await (await Lone.open()).start()
    const expires = lone.clock.wallMs() + 60_000
    const secret = await lone.member.roster.door.invite({ expires, uses: 1 })
    const answer = await knock(lone, 'b', secret, 'c')
    expect(answer).toMatchObject({ kind: 'refused', code: 'NOT_MEMBER' })
    expect(lone.member.roster.members().map(({ peer }) => peer)).toEqual([SELF])
    expect(await knock(lone, 'c', secret)).toMatchObject({ kind: 'welcome' })
  })
})
