/** The network clock: it never goes back, follows who is ahead within bounds, gives no stamp twice. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  boundsOf,
  clockMs,
  cutAt,
  hearClock,
  nextStamp,
  startClock,
  steerClock,
} from '../../src/base/clock.ts'
import { limits } from '../../src/base/limits.ts'
import { stampMs, stampOf } from '../../src/base/stamp.ts'

const wallMs = 1_700_000_000_000

function clockAt(monotonicMs: number, persisted: string | null = null) {
  return startClock({ monotonicMs, wallMs, persisted })
}

describe('the network clock', () => {
  it('starts from wall time, whatever the monotonic clock shows', () => {
    expect(clockMs(clockAt(5), 5)).toBe(wallMs)
    expect(clockMs(clockAt(987_654), 987_654 + 1000)).toBe(wallMs + 1000)
  })

  it('never starts before what was persisted, also when the wall clock was set back', () => {
    const clock = clockAt(0, stampOf(wallMs + 5000, 7))
    expect(nextStamp(clock, 0) > stampOf(wallMs + 5000, 7)).toBe(true)
  })

  it('gives ascending stamps, also within a millisecond and beyond its counter', () => {
    const clock = clockAt(0)
    let last = ''
    for (let at = 0; at < 70_000; at++) {
      const stamp = nextStamp(clock, 0)
      if (stamp <= last) throw new Error(`${stamp} after ${last}`)
      last = stamp
    }
    expect(stampMs(last)).toBe(wallMs + 1)
  })

  it('never goes back and gives ascending stamps in any mixture of time, hearing and wall clocks', () => {
    const apart = fc.integer({ min: -200_000, max: 200_000 })
    const event = fc.record({
      ms: fc.integer({ min: 0, max: 5000 }),
      aheadMs: fc.integer({ min: -99, max: 99_000 }),
      walls: fc.array(apart, { maxLength: 4 }),
      isHeard: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(event), list => {
        const clock = clockAt(0)
        let now = 0
        let last = nextStamp(clock, now)
        let shown = clockMs(clock, now)
        for (const { ms, aheadMs, walls, isHeard } of list) {
          now += ms
          expect(clockMs(clock, now)).toBeGreaterThanOrEqual(shown + Math.floor(ms / 2) - 1)
          const stamp = stampOf(clockMs(clock, now) + aheadMs)
          const bounds = boundsOf(
            wallMs + now,
            walls.map(wall => wallMs + now + wall),
          )
          const before = clockMs(clock, now)
          if (isHeard) hearClock(clock, { stamp, monotonicMs: now, bounds })
          else steerClock(clock, now, bounds)
          shown = clockMs(clock, now)
          expect(shown).toBeGreaterThanOrEqual(before)
          const next = nextStamp(clock, now)
          expect(next > last).toBe(true)
          last = next
        }
      }),
    )
  })

  it('follows a clock ahead of its own, and no clock behind', () => {
    const clock = clockAt(0)
    const heard = { monotonicMs: 0, bounds: boundsOf(wallMs, []) }
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs - 1) })).toBe('behind')
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs + 10_000) })).toBe('followed')
    expect(clockMs(clock, 0)).toBe(wallMs + 10_000)
  })

  it('follows up to the bound, tells who is beyond, and follows such a one not at all', () => {
    const heard = { monotonicMs: 0, bounds: boundsOf(wallMs, []) }
    const edge = wallMs + limits.clockAheadMs
    const atEdge = clockAt(0)
    expect(hearClock(atEdge, { ...heard, stamp: stampOf(edge) })).toBe('followed')
    const beyond = clockAt(0)
    expect(hearClock(beyond, { ...heard, stamp: stampOf(edge + 1) })).toBe('far')
    expect(clockMs(beyond, 0)).toBe(wallMs)
  })

  it('does not name another that comes back side by side with it', () => {
    const clock = clockAt(0, stampOf(wallMs + 100_000))
    const heard = { monotonicMs: 0, bounds: boundsOf(wallMs, []) }
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs + 100_500) })).toBe('behind')
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs + 102_000) })).toBe('far')
  })

  it('comes back at half speed to the latest wall clock that is believed, and goes on with it', () => {
    const clock = clockAt(0, stampOf(wallMs + 40_000))
    steerClock(clock, 0, boundsOf(wallMs, [wallMs + 9000]))
    expect(clockMs(clock, 10_000) - clockMs(clock, 0)).toBe(5000)
    expect(clockMs(clock, 70_000) - wallMs).toBe(80_000)
    expect(clockMs(clock, 3_600_000) - wallMs).toBe(3_610_000)
  })

  it('goes on at the pace of its machine while it is alone, wherever its wall clock is set', () => {
    const clock = clockAt(0)
    steerClock(clock, 0, boundsOf(wallMs - 300_000, []))
    expect(clockMs(clock, 10_000)).toBe(wallMs + 10_000)
  })

  it('cuts at the last whole second that lies the settle time back', () => {
    const clock = clockAt(0)
    expect(cutAt(clock, 0)).toBe(wallMs - limits.settleMs)
    expect(cutAt(clock, 999)).toBe(wallMs - limits.settleMs)
    expect(cutAt(clock, 1000)).toBe(wallMs - limits.settleMs + 1000)
    expect(cutAt(startClock({ monotonicMs: 0, wallMs: 100, persisted: null }), 0)).toBe(0)
  })
})

describe('the bounds that wall clocks give', () => {
  const aheadMs = (own: number, heard: readonly number[]) => {
    const bounds = boundsOf(
      wallMs + own,
      heard.map(ms => wallMs + ms),
    )
    return [bounds.limitMs - limits.clockAheadMs - wallMs, (bounds.backToMs ?? 0) - wallMs]
  }

  it('are the same for all of three or more, whoever of them is wrong', () => {
    for (const wrong of [-1e11, -70_000, 40_000, 70_000, 1e11]) {
      const right = [0, 25_000, -25_000]
      const all = [...right, wrong]
      const found = right.map(own =>
        aheadMs(
          own,
          all.filter(ms => ms !== own),
        ),
      )
      expect(new Set(found.map(String)).size).toBe(1)
      expect(found[0]![0]).toBeGreaterThanOrEqual(0)
      expect(found[0]![0]).toBeLessThanOrEqual(25_000)
    }
  })

  it('are those of the own machine when there are two: neither knows which is wrong', () => {
    expect(aheadMs(0, [3_600_000])).toEqual([0, 3_600_000])
    expect(aheadMs(3_600_000, [0])).toEqual([3_600_000, 3_600_000])
  })

  it('call no network clock far ahead where a wall clock shows a time before 1970', () => {
    for (const heard of [[], [-2e12], [-1e12, -3e12]]) {
      const { limitMs, backToMs } = boundsOf(-1e12, heard)
      expect(limitMs).toBe(limits.clockAheadMs)
      expect(backToMs).toBe(heard.length === 0 ? null : 0)
    }
    // Network clocks begin with 1970 as well.
    const clock = startClock({ monotonicMs: 0, wallMs: -1e12, persisted: null })
    const bounds = boundsOf(-1e12, [-1e12])
    const other = stampOf(30_000)
    expect(hearClock(clock, { stamp: other, monotonicMs: 0, bounds })).toBe('followed')
  })

  it('never bring a member below its own wall clock, whatever others show', () => {
    expect(aheadMs(0, [-1e9, -1e9])).toEqual([-1e9, 0])
  })
})
