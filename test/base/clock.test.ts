/** The network clock: it only grows, follows who is ahead within bounds, and gives no stamp twice. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockMs, cutAt, hearClock, nextStamp, startClock } from '../../src/base/clock.ts'
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

  it('gives ascending stamps in any mixture of time and hearing', () => {
    const events = fc.array(
      fc.record({
        ms: fc.integer({ min: 0, max: 50 }),
        aheadMs: fc.integer({ min: -99, max: 99 }),
      }),
    )
    fc.assert(
      fc.property(events, list => {
        const clock = clockAt(0)
        let now = 0
        let last = nextStamp(clock, now)
        for (const { ms, aheadMs } of list) {
          now += ms
          const stamp = stampOf(clockMs(clock, now) + aheadMs)
          hearClock(clock, { stamp, monotonicMs: now, wallMs: wallMs + now })
          const next = nextStamp(clock, now)
          expect(next > last).toBe(true)
          last = next
        }
      }),
    )
  })

  it('follows a clock ahead of its own, and no clock behind', () => {
    const clock = clockAt(0)
    const heard = { monotonicMs: 0, wallMs }
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs - 1) })).toBe('behind')
    expect(hearClock(clock, { ...heard, stamp: stampOf(wallMs + 10_000) })).toBe('followed')
    expect(clockMs(clock, 0)).toBe(wallMs + 10_000)
  })

  it('follows up to the bound above its own wall clock, and tells who is beyond', () => {
    const heard = { monotonicMs: 0, wallMs }
    const edge = wallMs + limits.clockAheadMs
    const atEdge = clockAt(0)
    expect(hearClock(atEdge, { ...heard, stamp: stampOf(edge) })).toBe('followed')
    const beyond = clockAt(0)
    expect(hearClock(beyond, { ...heard, stamp: stampOf(edge + 1) })).toBe('far')
    expect(clockMs(beyond, 0)).toBe(edge)
    expect(hearClock(beyond, { ...heard, stamp: stampOf(edge + 99_999) })).toBe('far')
    expect(clockMs(beyond, 0)).toBe(edge)
  })

  it('cuts at the last whole second that lies the settle time back', () => {
    const clock = clockAt(0)
    expect(cutAt(clock, 0)).toBe(wallMs - limits.settleMs)
    expect(cutAt(clock, 999)).toBe(wallMs - limits.settleMs)
    expect(cutAt(clock, 1000)).toBe(wallMs - limits.settleMs + 1000)
    expect(cutAt(startClock({ monotonicMs: 0, wallMs: 100, persisted: null }), 0)).toBe(0)
  })
})
