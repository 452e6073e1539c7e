/**
 * Who is let in: the network key, the roster, the door, and how a link to a stranger ends.
 */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { utf8, utf8Text } from '../../../src/base/bytes.ts'
import { limits } from '../../../src/base/limits.ts'
import { NetworkError } from '../../../src/node/ports.ts'
import { Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

test('S003-34: with another network key a dial and a knock fail with a sentence that says so', async () => {
  const a = await scene.member()
  const b = await scene.member({ networkKey: new Uint8Array(randomBytes(32)) })
  scene.introduce([a, b])
  const sentence = /its network key is another/
  await expect(a.network.knock(b.contact(), utf8('hello'))).rejects.toThrow(sentence)
  await expect(a.network.knock(b.contact(), utf8('hello'))).rejects.toThrow(NetworkError)
  const dialler = a.id < b.id ? a : b
  await scene.until('the dial loop says it', () => dialler.logs.some(line => sentence.test(line)))
  expect([...a.events, ...b.events]).toEqual([])
})

test('S003-34: a peer that is refused gets no link, no gossip and no answer at the door', async () => {
  const [a, b] = await scene.members(2)
  const stranger = await scene.member()
  for (const m of [a!, b!]) stranger.admits.set(m.id, 'member')
  stranger.network.setContacts([a!.contact(), b!.contact()])
  await expect(stranger.network.knock(a!.contact(), utf8('hello'))).rejects.toThrow(NetworkError)
  await scene.until('members go on', () => a!.gossip.length > 3 && b!.gossip.length > 3)
  expect(stranger.events).toEqual([])
  expect(stranger.gossip).toEqual([])
  expect([...a!.gossip, ...b!.gossip].filter(({ from }) => from === stranger.id)).toEqual([])
})

test('a peer at the door gets one answer for its request and nothing else', async () => {
  const [a, b] = await scene.members(2)
  const guest = await scene.member()
  for (const m of [a!, b!]) {
    m.admits.set(guest.id, 'door')
    m.door = async (from, request) => utf8(`${from} said ${utf8Text(request)}`)
    guest.admits.set(m.id, 'member')
  }
  const answer = await guest.network.knock(a!.contact(), utf8('let me in'))
  expect(utf8Text(answer)).toBe(`${guest.id} said let me in`)
  // It takes them for members and dials; they do not, so no link ever stands.
  guest.network.setContacts([a!.contact(), b!.contact()])
  const before = a!.gossip.length
  await scene.until('members go on', () => a!.gossip.length > before + 4)
  expect(guest.events).toEqual([])
  expect(guest.gossip).toEqual([])
  expect(a!.gossip.some(({ from }) => from === guest.id)).toBe(false)
  expect(a!.frames.concat(b!.frames)).toEqual([])
})

test('a guest that is let in while it knocks gets its answer, and then a link', async () => {
  const a = await scene.member()
  const guest = await scene.member()
  a.admits.set(guest.id, 'door')
  a.door = async from => {
    a.admits.set(from, 'member')
    a.network.setContacts([guest.contact()])
    return utf8('welcome')
  }
  expect(utf8Text(await guest.network.knock(a.contact(), utf8('token')))).toBe('welcome')
  guest.admits.set(a.id, 'member')
  guest.network.setContacts([a.contact()])
  await scene.linked([a, guest])
})

test('a member that knocks at a member keeps its link', async () => {
  const [a, b] = await scene.members(2)
  b!.door = async () => utf8('yes')
  expect(utf8Text(await a!.network.knock(b!.contact(), utf8('?')))).toBe('yes')
  await a!.network.send(b!.id, 'main', utf8('still here'))
  await scene.until('the frame came', () => b!.frames.length === 1)
  expect(a!.events).toEqual([`connected ${b!.id}`])
})

test('who is removed from the roster is cut off at the next change of contacts', async () => {
  const [a, b] = await scene.members(2)
  a!.admits.set(b!.id, 'door')
  a!.network.setContacts([])
  await scene.until('both see the end', () =>
    [a!, b!].every(m => m.events.some(event => event.startsWith('disconnected'))),
  )
  a!.door = async () => utf8('you were removed')
  const answer = await b!.network.knock(a!.contact(), utf8('am I a member?'))
  expect(utf8Text(answer)).toBe('you were removed')
})

test('too many knocks within ten seconds find the door shut', async () => {
  const a = await scene.member()
  const guest = await scene.member()
  a.admits.set(guest.id, 'door')
  let asked = 0
  a.door = async () => {
    asked++
    return new Uint8Array(limits.doorAnswerBytesMax)
  }
  const knock = () => guest.network.knock(a.contact(), new Uint8Array(limits.doorRequestBytesMax))
  for (let i = 0; i < limits.doorKnocksMax; i++)
    expect((await knock()).length).toBe(limits.doorAnswerBytesMax)
  await expect(knock()).rejects.toThrow(/The door stays shut/)
  expect(asked).toBe(limits.doorKnocksMax)
})
