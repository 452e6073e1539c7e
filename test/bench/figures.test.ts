/** What figures are made of, and how runs of the bench are read and merged. */
import { describe, expect, it } from 'vitest'
import { lineOf, median, mergeRuns, percentile, round, slope } from '../../bench/figures.ts'
import { readOptions } from '../../bench/options.ts'
import { pace, pump, until } from '../../bench/pump.ts'

describe('figures', () => {
  it('a percentile is a number of the list, whatever its order', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => ((at * 37) % 100) + 1)
    expect([0, 0.5, 0.99, 1].map(share => percentile(hundred, share))).toEqual([1, 51, 100, 100])
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBe(0)
  })

  it('a median is the middle one, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  it('a slope is that of the line, and 0 where there is none', () => {
    const line = [0, 1, 2, 3].map((x): [number, number] => [x, 5 + 2 * x])
    expect(slope(line)).toBeCloseTo(2)
    expect(slope([[1, 9]])).toBe(0)
    expect(slope([])).toBe(0)
  })

  it('of several runs the median is shown, with the range and the median floor', () => {
    const run = (value: number, floor: number) => [
      { row: 'puts', name: 'puts', value, unit: '/s', floor: { name: 'LevelDB', value: floor } },
    ]
    expect(mergeRuns([run(30, 100), run(10, 300), run(20, 200)])).toEqual([
      {
        row: 'puts',
        name: 'puts',
        value: 20,
        unit: '/s',
        floor: { name: 'LevelDB', value: 200 },
        range: [10, 30],
      },
    ])
    expect(mergeRuns([run(30, 100)])).toEqual(run(30, 100))
  })

  it('a figure of one row is not that of another with the same name', () => {
    const figure = (row: string) => ({ row, name: 'p50', value: 1, unit: 'ms' })
    expect(mergeRuns([[figure('puts'), figure('gets')]])).toHaveLength(2)
  })

  it('a figure is shown with its ratio to the floor', () => {
    const floor = { name: 'one fsync', value: 0.2 }
    const line = lineOf({ row: 'latency', name: 'p50', value: 0.9, unit: 'ms', floor })
    expect(line).toContain('4.50 × one fsync (0.200)')
    expect([1234567.8, 0, 0.01234, Number.NaN].map(round)).toEqual([
      '1,234,568',
      '0',
      '0.0123',
      '–',
    ])
  })
})

describe('load', () => {
  it('so many calls are made, never more in flight than asked for', async () => {
    let [now, most] = [0, 0]
    const put = await pump({ inFlight: 4, calls: 50 }, async () => {
      most = Math.max(most, ++now)
      await Promise.resolve()
      now -= 1
    })
    expect([put.done, most]).toEqual([50, 4])
  })

  it('a call that fails ends the run', async () => {
    const fails = async (n: number) => {
      if (n === 3) throw new Error('the fourth')
    }
    await expect(pump({ inFlight: 2, calls: 9 }, fails)).rejects.toThrow('the fourth')
    await expect(pace({ perSecond: 1000, seconds: 0.05 }, fails)).rejects.toThrow('the fourth')
  })

  it('what does not come to hold is told by its name', async () => {
    let asked = 0
    expect(
      await until('the third time', async () => ++asked === 3, { everyMs: 1 }),
    ).toBeGreaterThan(0)
    const never = until('pigs fly', async () => false, { ms: 5, everyMs: 1 })
    await expect(never).rejects.toThrow('Not within 0.005 s: pigs fly.')
  })

  it('a steady load counts a call from when it was due, so that a standstill shows', async () => {
    const begin = performance.now()
    // The first call stands still for 100 ms and so do all, as in a daemon that hangs.
    const put = await pace({ perSecond: 1000, seconds: 0.1 }, async () => {
      while (performance.now() - begin < 100) await new Promise(resolve => setTimeout(resolve, 5))
    })
    expect(put.done).toBe(100)
    expect(put.p50Ms).toBeGreaterThan(40)
  })
})

describe('the command line', () => {
  it('is read, and a word that it does not know is refused', () => {
    expect(readOptions(['--quick', '--only', 'puts,gets', '--runs', '3'])).toMatchObject({
      isQuick: true,
      isLarge: false,
      only: ['puts', 'gets'],
      runs: 3,
      daemon: null,
    })
    expect(readOptions(['--list'])).toBe('list')
    expect(() => readOptions(['--quik'])).toThrow('--quik')
    expect(() => readOptions(['--runs', '0'])).toThrow('--runs')
  })
})
