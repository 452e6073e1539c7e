/** What seeds draw: every kind of load, and none that costs as much as a dozen others. */
import { expect, it } from 'vitest'
import { asksPerSecond, drawnOptions } from './draw.ts'

const SEEDS = 2000

it('draws crowds and quiet worlds, on few items and many, and no world busier than its bound', () => {
  const drawn = Array.from({ length: SEEDS }, (_, seed) => drawnOptions(seed))
  const busy = (few: boolean) =>
    drawn
      .filter(({ load }) => load.items <= 10 === few)
      .map(({ load, members }) => asksPerSecond(load, members))
  expect(Math.max(...busy(true))).toBeLessThanOrEqual(25)
  expect(Math.max(...busy(false))).toBeLessThanOrEqual(60)
  for (const rates of [busy(true), busy(false)]) {
    expect(rates.filter(rate => rate > 15).length).toBeGreaterThan(SEEDS / 20)
    expect(rates.filter(rate => rate < 3).length).toBeGreaterThan(SEEDS / 20)
  }
})
