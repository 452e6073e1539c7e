/**
 * Gossip is passed on in turns: one copy of a message on the link between its two hearers, and
 * still one where its author's own way is dead.
 */
import type { GossipSub } from '@libp2p/gossipsub'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { passOnInTurns, turnOf } from '../../../src/node/libp2p/gossip-turns.ts'
import { startProxy } from './proxy.ts'
import { type Member, Scene } from './scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.end())

const MESSAGES = 40
/** Far more than what gossip says of itself meanwhile. */
const BYTES = 4000

const portOf = (m: Member) => Number(/\/tcp\/(\d+)/.exec(m.network.addresses()[0]!)?.[1])

/** Three members in the order of their ids; the first two dial the last one through a line each. */
async function three() {
  const members = [await scene.member(), await scene.member(), await scene.member()]
  members.sort((x, y) => (x.id < y.id ? -1 : 1))
  const [a, b, c] = members as [Member, Member, Member]
  const lines = [await startProxy(portOf(c)), await startProxy(portOf(c))] as const
  for (const line of lines) scene.onEnd(() => line.close())
  for (const one of members)
    for (const other of members) if (other !== one) one.admits.set(other.id, 'member')
  for (const [at, one] of [a, b].entries()) {
    const through = `/ip4/127.0.0.1/tcp/${lines[at]!.port}`
    const other = one === a ? b : a
    one.network.setContacts([{ peer: c.id, addresses: [through] }, other.contact()])
  }
  await scene.linked(members)
  return { a, b, c, lines }
}

const wordsOf = (hearer: Member, author: Member) =>
  hearer.gossip.filter(({ from, text }) => from === author.id && text.startsWith('word')).length

/** All messages, or the one of this number. */
function say(author: Member, only?: number): void {
  for (let n = only ?? 1; n <= (only ?? MESSAGES); n++)
    author.network.publish(new TextEncoder().encode(`word ${n} `.padEnd(BYTES, '.')))
}

test('S004-13: of what one member says one copy crosses the link between the two others', async () => {
  const { a, b, c, lines } = await three()
  const before = lines[1].passed()
  // One after the other: many at once take a busy machine longer than a turn, and then are passed on by both.
  for (let n = 1; n <= MESSAGES; n++) {
    say(a, n)
    await scene.until('both heard it', () => [b, c].every(m => wordsOf(m, a) === n))
  }
  // What c says afterwards comes over the same link, behind whatever was passed on in both directions.
  const heard = wordsOf(b, c)
  await new Promise(resolve => setTimeout(resolve, 2 * limits.gossipTurnsMs))
  expect(heard).toBe(0)
  const now = lines[1].passed()
  const bytes = now.there + now.back - before.there - before.back
  expect(bytes).toBeGreaterThan(MESSAGES * BYTES)
  expect(bytes).toBeLessThan(1.7 * MESSAGES * BYTES)
})

test('what a member says comes to whom its own way is dead to, by the other one', async () => {
  const { a, b, c, lines } = await three()
  lines[0].freeze()
  say(a)
  await scene.until('c heard it of b', () => wordsOf(c, a) === MESSAGES)
  expect(wordsOf(b, a)).toBe(MESSAGES)
})

test('each hearer has a turn of its own, and the first does not wait', () => {
  const ids = ['a', 'b', 'c', 'd']
  for (const author of ids) {
    const turns = ids.filter(id => id !== author).map(id => turnOf(id, author, ids))
    expect(turns.toSorted((x, y) => x - y)).toEqual(
      [0, 1, 2].map(place => (place * limits.gossipTurnsMs) / 3),
    )
  }
  expect(turnOf('b', 'a', ids)).toBe(0)
  expect(turnOf('a', 'd', ids)).toBe(0)
})

test('who is not in the list of subscribers, and an author of whom nobody knows, have turns all the same', () => {
  expect(turnOf('b', 'a', ['a'])).toBe(0)
  expect(turnOf('b', 'x', [])).toBe(0)
  expect(turnOf('b', 'x', ['a', 'c'])).toBe((1 * limits.gossipTurnsMs) / 3)
})

/** What gossipsub is to `passOnInTurns`, for the member b of many. */
class Passing extends EventTarget {
  readonly passed: string[] = []
  readonly #subscribers: readonly string[]

  constructor(subscribers: readonly string[]) {
    super()
    this.#subscribers = subscribers
    passOnInTurns(this as unknown as GossipSub, 'b')
  }

  getSubscribers = () => this.#subscribers
  reportMessageValidationResult = (id: string) => this.passed.push(id)

  hear(msgId: string, author: string, through: string): void {
    const msg = { type: 'signed', from: author, topic: 'topic' }
    const detail = { msgId, msg, propagationSource: through }
    this.dispatchEvent(new CustomEvent('gossipsub:message', { detail }))
  }
}

test('a message waits for its turn once, on whatever way it comes', () => {
  vi.useFakeTimers()
  try {
    const gossip = new Passing(['a', 'c', 'd'])
    gossip.hear('from its author, the last in turn', 'c', 'c')
    expect(gossip.passed).toEqual([])
    // In a chain each member hears it of the one before.
    gossip.hear('from somebody else', 'c', 'd')
    gossip.hear('from its author, the first in turn', 'a', 'a')
    expect(gossip.passed).toEqual(['from somebody else', 'from its author, the first in turn'])
    vi.advanceTimersByTime(limits.gossipTurnsMs)
    expect(gossip.passed.at(-1)).toBe('from its author, the last in turn')
  } finally {
    vi.useRealTimers()
  }
})

test('where a message goes from neighbour to neighbour nobody waits', () => {
  const ids = Array.from({ length: limits.floodPeersMax + 1 }, (_, n) => `m${n}`)
  const gossip = new Passing(ids)
  gossip.hear('at once', 'm7', 'm7')
  expect(gossip.passed).toEqual(['at once'])
})
