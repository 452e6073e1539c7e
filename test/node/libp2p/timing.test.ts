/**
 * When is dialled and when is cut, on a virtual clock: the rules of the dial loop and the watchdog.
 */
import { expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { Dialer } from '../../../src/node/libp2p/dialer.ts'
import { dialSentence } from '../../../src/node/libp2p/reasons.ts'
import { Watchdog } from '../../../src/node/libp2p/watchdog.ts'
import type { Clock, Contact } from '../../../src/node/ports.ts'

/** A clock that moves when it is told to, and can jump over its timers like a suspended machine. */
class VirtualClock implements Clock {
  #nowMs = 0
  readonly #timers: { atMs: number; callback: () => void }[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  after(ms: number, callback: () => void) {
    const timer = { atMs: this.#nowMs + ms, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer)
        if (index >= 0) this.#timers.splice(index, 1)
      },
    }
  }

  /** Runs all timers of the time that passes, each at its moment. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    while (true) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > endMs) break
      this.#timers.splice(this.#timers.indexOf(next), 1)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
      await new Promise(resolve => setImmediate(resolve))
    }
    this.#nowMs = endMs
  }

  /** The machine sleeps: time passes, timers wait. */
  jump(ms: number): void {
    this.#nowMs += ms
  }
}

/** A dial loop of `self` whose every dial is noted and fails, with `why`. */
function loop(
  self: string,
  contact: Contact,
  why: (addresses: readonly string[]) => string = () => 'refused',
) {
  const clock = new VirtualClock()
  const said: unknown[] = []
  const dials: { readonly atMs: number; readonly addresses: readonly string[] }[] = []
  const dialer = new Dialer({
    self,
    clock,
    log: (_level, _sentence, fields) => said.push(fields?.reason),
    isConnected: () => false,
    chance: () => 0.5,
    dial: ({ addresses }) => {
      dials.push({ atMs: clock.monotonicMs(), addresses })
      return Promise.reject(new Error(why(addresses)))
    },
  })
  dialer.start()
  dialer.setContacts([contact])
  return { clock, dials, dialer, said }
}

test('the smaller peer id dials at once, the larger only after a silence', async () => {
  const small = loop('a', { peer: 'b', addresses: ['x'] })
  const large = loop('b', { peer: 'a', addresses: ['x'] })
  await small.clock.pass(limits.dialPatienceMs + 1)
  await large.clock.pass(limits.dialPatienceMs + 1)
  expect(small.dials[0]?.atMs).toBe(0)
  expect(large.dials.map(({ atMs }) => atMs)).toEqual([limits.dialPatienceMs])
})

test('a dead member is dialled for ever, less often, but at least every two seconds', async () => {
  const { clock, dials } = loop('a', { peer: 'b', addresses: ['x'] })
  await clock.pass(120_000)
  const gaps = dials.slice(1).map(({ atMs }, i) => atMs - dials[i]!.atMs)
  expect(gaps[0]).toBe(250)
  expect(gaps.at(-1)).toBe(1500)
  expect(Math.max(...gaps)).toBeLessThan(2000)
  expect(gaps).toEqual(gaps.toSorted((x, y) => x - y))
})

test('each round of a member with many addresses begins at another one', async () => {
  const { clock, dials } = loop('a', { peer: 'b', addresses: ['x', 'y', 'z'] })
  await clock.pass(600)
  expect(dials.map(({ addresses }) => addresses.join(''))).toEqual(['xyz', 'yzx', 'zxy'])
})

test('why a dead member is not reached is logged once, whichever address was tried first', async () => {
  const why = (addresses: readonly string[]) =>
    dialSentence(new AggregateError(addresses.map(address => new Error(`refused at ${address}`))))
  const { clock, dials, said } = loop('a', { peer: 'b', addresses: ['x', 'y', 'z'] }, why)
  await clock.pass(60_000)
  expect(dials.length).toBeGreaterThan(50)
  expect(said).toEqual(['No address of it answers: refused at x; refused at y; refused at z.'])
})

test('reasons that take turns are each logged once, and no more than eight of them', async () => {
  const contact = { peer: 'b', addresses: ['x'] }
  let dials = 0
  const two = loop('a', contact, () => (dials++ % 2 === 0 ? 'refused' : 'time out'))
  await two.clock.pass(10_000)
  expect(two.said).toEqual(['refused', 'time out'])
  const ever = loop('a', contact, () => `${dials++}`)
  await ever.clock.pass(10_000)
  expect(ever.dials.length).toBeGreaterThan(8)
  expect(ever.said).toHaveLength(8)
})

test('an address found on the local network is dialled at once and first', async () => {
  const { clock, dials, dialer } = loop('a', { peer: 'b', addresses: ['x'] })
  await clock.pass(100)
  dialer.found({ peer: 'b', addresses: ['near'] })
  await clock.pass(0)
  expect(dials.at(-1)).toEqual({ atMs: 100, addresses: ['near', 'x'] })
})

test('who is no contact any more, or after stop, is not dialled', async () => {
  const { clock, dials, dialer } = loop('a', { peer: 'b', addresses: ['x'] })
  dialer.setContacts([])
  await clock.pass(10_000)
  expect(dials).toEqual([])
  dialer.setContacts([{ peer: 'b', addresses: ['x'] }])
  dialer.stop()
  await clock.pass(10_000)
  expect(dials).toEqual([])
})

function watched() {
  const clock = new VirtualClock()
  const link = { peer: 'b', heardAt: 0, gossipHeardAt: 0 }
  const cuts: { readonly atMs: number; readonly reason: string }[] = []
  const watchdog = new Watchdog({
    clock,
    links: () => [link],
    cut: (_, reason) => cuts.push({ atMs: clock.monotonicMs(), reason }),
  })
  watchdog.start()
  return { clock, link, cuts, watchdog }
}

test('a silent link is cut after three seconds and not before', async () => {
  const { clock, cuts } = watched()
  await clock.pass(limits.linkSilenceMs)
  expect(cuts).toEqual([])
  await clock.pass(500)
  expect(cuts.map(({ reason }) => reason)).toEqual(['Nothing was heard over this link.'])
})

test('a link whose frames come while its gossip is dead is cut too, but later', async () => {
  const { clock, link, cuts } = watched()
  while (cuts.length === 0 && clock.monotonicMs() < 60_000) {
    await clock.pass(500)
    link.heardAt = clock.monotonicMs()
  }
  expect(cuts.map(({ reason }) => reason)).toEqual(['No gossip was heard from this member.'])
  expect(cuts[0]!.atMs).toBeGreaterThan(limits.gossipSilenceMs)
})

test('a machine that slept does not take its own absence for the silence of others', async () => {
  const { clock, cuts } = watched()
  await clock.pass(1000)
  clock.jump(3_600_000)
  await clock.pass(limits.linkSilenceMs)
  expect(cuts).toEqual([])
  await clock.pass(1000)
  expect(cuts.length).toBeGreaterThan(0)
})

test('a stopped watchdog cuts nobody', async () => {
  const { clock, cuts, watchdog } = watched()
  watchdog.stop()
  await clock.pass(60_000)
  expect(cuts).toEqual([])
})
