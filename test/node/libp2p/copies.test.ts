/**
 * Two daemons with one key, because a store was copied: each member hears both in turns, whichever
 * peer id is the smaller one, or nobody could ever know (docs/decisions/0013).
 */
import { afterEach, test } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { generatePrivateKey, memberIdOf } from '../../../src/node/libp2p/keys.ts'
import { type Member, Scene } from './scene.ts'

let scene: Scene

afterEach(async () => {
  await scene.end()
})

/** What a member heard of an identity, each change of voice once. */
function turnsOf(member: Member, id: string): string[] {
  const voices = member.gossip.filter(({ from }) => from === id).map(({ text }) => text)
  return voices.filter((voice, at) => voice !== voices[at - 1])
}

test.each(['smallest', 'largest'] as const)(
  'a member hears both copies of the one with the %s peer id, and the first again',
  async which => {
    scene = new Scene()
    const keys = await Promise.all(Array.from({ length: 2 }, generatePrivateKey))
    keys.sort((a, b) => (memberIdOf(a) < memberIdOf(b) ? -1 : 1))
    const [copied, own] = which === 'smallest' ? [keys[0], keys[1]] : [keys[1], keys[0]]
    const member = await scene.member({ key: own! })
    const copies = [
      await scene.member({ key: copied!, pulseMs: 0 }),
      await scene.member({ key: copied!, pulseMs: 0 }),
    ]
    for (const [at, copy] of copies.entries()) {
      copy.admits.set(member.id, 'member')
      const pulse = setInterval(() => copy.network.publish(utf8(`copy ${at}`)), 200)
      scene.onEnd(() => clearInterval(pulse))
    }
    const { id } = copies[0]!
    member.admits.set(id, 'member')
    member.network.setContacts([copies[0]!.contact()])
    copies[0]!.network.setContacts([member.contact()])
    await scene.until('the first copy is heard', () => turnsOf(member, id).length > 0)
    copies[1]!.network.setContacts([member.contact()])
    await scene.until('both are heard by turns', () => turnsOf(member, id).length > 2, 60_000)
  },
)
