/** How often a member ticks: a quarter of a second is for those alone who have nothing to wait for. */
import { expect, test } from 'vitest'
import { Pace } from '../../../src/node/driver/pace.ts'

const source = { since: 0, checkAt: 5000 }
const WORKED_AT = 10_000

/** Milliseconds to the next tick of a member that worked at second ten and heard of others at these moments. */
function tickMs(now: number, heardAt: readonly number[] = [], from: typeof source | null = source) {
  const pace = new Pace()
  pace.worked(WORKED_AT)
  const peers = new Map(heardAt.map((at, n) => [`${n}`, { heardAt: at }]))
  return pace.tickMs({ source: from, peers } as unknown as Parameters<Pace['tickMs']>[0], now)
}

test('a member that worked in the last three seconds ticks ten times a second', () => {
  expect(tickMs(WORKED_AT)).toBe(100)
  expect(tickMs(WORKED_AT + 2999)).toBe(100)
  expect(tickMs(WORKED_AT + 3000)).toBe(250)
})

test('so does one that is no Source', () => {
  expect(tickMs(20_000, [20_000])).toBe(250)
  expect(tickMs(20_000, [20_000], null)).toBe(100)
})

test('and one that has not heard a member of its roster for longer than a ping and a half, or never', () => {
  expect(tickMs(20_000, [19_000, 18_500])).toBe(250)
  expect(tickMs(20_000, [19_000, 18_499])).toBe(100)
  expect(tickMs(20_000, [19_000, Number.NEGATIVE_INFINITY])).toBe(100)
})

test('one that has not done anything since its start rests', () => {
  const idle = { source, peers: new Map() } as unknown as Parameters<Pace['tickMs']>[0]
  expect(new Pace().tickMs(idle, 0)).toBe(250)
})
