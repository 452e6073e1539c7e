/**
 * How links come back: after a restart, a double dial, a line that works one way, a reconnect.
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { startProxy } from './proxy.ts'
import { type Member, Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

const portOf = (m: Member) => Number(/\/tcp\/(\d+)/.exec(m.network.addresses()[0]!)?.[1])

/** Stops a member, waits until the others know, and starts it again with its key and port. */
async function restart(old: Member, others: readonly Member[]): Promise<Member> {
  const listen = [`/ip4/127.0.0.1/tcp/${portOf(old)}`]
  await old.network.stop()
  await scene.until('the others saw it go', () => others.every(m => !m.network.isConnected(old.id)))
  const fresh = await scene.member({ key: old.key, listen })
  for (const other of others) fresh.admits.set(other.id, 'member')
  fresh.network.setContacts(others.map(m => m.contact()))
  return fresh
}

test('a member that was stopped and started again is back in gossip within 2 s, whoever dials', async () => {
  const members = await scene.members(2)
  const inOrder = members.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for (const index of [0, 1]) {
    const others = inOrder.filter((_, i) => i !== index)
    inOrder[index] = await restart(inOrder[index]!, others)
    await scene.linked(inOrder, 2000)
  }
})

test('two members that dial each other at once end with one connection that carries both ways', async () => {
  const a = await scene.member()
  const b = await scene.member()
  a.door = async () => utf8('yes')
  b.door = a.door
  scene.introduce([a, b])
  // A knock dials at once, whoever is smaller; both together cross on their way.
  const crossed = () =>
    [a, b].some(m => m.logs.some(line => line.includes('Two connections with one peer')))
  for (let round = 0; round < 50 && !crossed(); round++) {
    a.network.reconnect(b.id)
    await Promise.allSettled([
      a.network.knock(b.contact(), utf8('?')),
      b.network.knock(a.contact(), utf8('?')),
    ])
  }
  expect(crossed()).toBe(true)
  await scene.linked([a, b])
  await a.network.send(b.id, 'main', utf8('to b'))
  await b.network.send(a.id, 'main', utf8('to a'))
  await scene.until('both frames came', () => a.frames.length === 1 && b.frames.length === 1)
})

test('a member that vanished without a word and came back replaces its dead connection', async () => {
  const members = [await scene.member(), await scene.member()]
  const [near, far] = members.toSorted((x, y) => (x.id < y.id ? 1 : -1)) as [Member, Member]
  // The one that will vanish is the smaller, so it dialled: through a line that can go silent.
  const proxy = await startProxy(portOf(near))
  scene.onEnd(() => proxy.close())
  for (const [m, other] of [
    [near, far],
    [far, near],
  ] as const)
    m.admits.set(other.id, 'member')
  far.network.setContacts([{ peer: near.id, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }])
  near.network.setContacts([far.contact()])
  await scene.linked([near, far])
  proxy.freeze()
  const listen = [`/ip4/127.0.0.1/tcp/${portOf(far)}`]
  await far.network.stop()
  expect(near.network.isConnected(far.id)).toBe(true)
  const again = await scene.member({ key: far.key, listen })
  again.admits.set(near.id, 'member')
  again.network.setContacts([near.contact()])
  await scene.linked([near, again], 2000)
})

test('a link over which one direction is dead is cut by the silent watch and heals with the line', async () => {
  const a = await scene.member()
  const b = await scene.member()
  const [dialler, dialled] = a.id < b.id ? [a, b] : [b, a]
  const proxy = await startProxy(portOf(dialled))
  scene.onEnd(() => proxy.close())
  dialler.admits.set(dialled.id, 'member')
  dialled.admits.set(dialler.id, 'member')
  dialler.network.setContacts([
    { peer: dialled.id, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] },
  ])
  await scene.linked([a, b])
  proxy.swallowAnswers(true)
  const cutMs = performance.now()
  await scene.until('the deaf side cuts', () => !dialler.network.isConnected(dialled.id), 6000)
  expect(performance.now() - cutMs).toBeLessThan(5000)
  expect(dialler.logs.some(line => line.includes('Nothing was heard over this link'))).toBe(true)
  const before = proxy.accepted()
  await scene.until('it dials again', () => proxy.accepted() > before)
  proxy.swallowAnswers(false)
  await scene.linked([a, b])
})

test('reconnect cuts a link and makes it anew, whichever side asks', async () => {
  const [a, b] = await scene.members(2)
  for (const [asks, other] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    const before = asks.events.length
    asks.network.reconnect(other.id)
    expect(asks.network.isConnected(other.id)).toBe(false)
    await scene.until('it stands again', () =>
      asks.events.slice(before).includes(`connected ${other.id}`),
    )
    await scene.linked([a!, b!])
  }
})

test('connected and disconnected alternate for every peer', async () => {
  const [a, b, c] = await scene.members(3)
  b!.network.reconnect(a!.id)
  c!.network.reconnect(b!.id)
  for (const m of [b!, c!]) a!.network.reconnect(m.id)
  await scene.linked([a!, b!, c!])
  for (const m of [a!, b!, c!]) {
    for (const other of [a!, b!, c!]) {
      const kinds = m.events.filter(e => e.endsWith(other.id)).map(e => e.split(' ')[0])
      kinds.forEach((kind, i) => {
        expect(kind).toBe(i % 2 === 0 ? 'connected' : 'disconnected')
      })
    }
  }
})

test('stop ends every link, and what is sent afterwards is refused', async () => {
  const [a, b] = await scene.members(2)
  await a!.network.stop()
  await a!.network.stop()
  expect(a!.network.isConnected(b!.id)).toBe(false)
  expect(a!.events.at(-1)).toBe(`disconnected ${b!.id}`)
  await expect(a!.network.send(b!.id, 'main', utf8('x'))).rejects.toThrow('no link')
  await scene.until('the other sees it', () => !b!.network.isConnected(a!.id))
})
