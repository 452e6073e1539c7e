/** The five-second check of one Source, with marks set by hand. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { Bench, waysOf } from '../../support/agreement-bench.ts'

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `s${at + 1}`)
}

/** A Source among `others` others on whose list all were from the beginning. */
function sourceAmong(others: number): Bench {
  return new Bench({ others: namesOf(others) }).makeSource(...namesOf(others))
}

describe('the check', () => {
  it('S003-29: of n Sources each needs the marks of at least half of the others, rounded up', () => {
    for (let others = 0; others <= 8; others++)
      for (let marked = 0; marked <= others; marked++) {
        const bench = sourceAmong(others)
        for (const id of namesOf(marked)) bench.peer(id).marked = true
        bench.tick(limits.checkMs)
        const isStrictMajority = (marked + 1) * 2 > others + 1
        expect([others, marked, bench.state.source !== null]).toEqual([
          others,
          marked,
          isStrictMajority,
        ])
        expect(bench.state.lastCheck).toEqual({ marked, of: others, at: limits.checkMs })
      }
  })

  it('S003-29: clears the marks and begins its own history anew with what it announces now', () => {
    const bench = sourceAmong(2)
    bench.peer('s1').marked = true
    bench.own({ cut: 1000, hash: 'h1' })
    bench.own({ cut: 2000, hash: 'h2' })
    expect(bench.state.history.length).toBe(3)
    bench.tick(limits.checkMs)
    expect(bench.state.history).toEqual([{ cut: 2000, hash: 'h2' }])
    expect(bench.peer('s1').marked).toBe(false)
  })

  it('runs first at the end of the first whole period, and then every five seconds', () => {
    const bench = sourceAmong(1)
    const checks: number[] = []
    for (let ms = 0; ms < 16_000; ms += 100) {
      bench.peer('s1').marked = true
      bench.tick(100)
      if (bench.state.lastCheck?.at === bench.now) checks.push(bench.now)
    }
    expect(checks).toEqual([5000, 10_000, 15_000])
  })

  it('S003-29: a member that became Source within the period counts neither above nor below', () => {
    const bench = sourceAmong(1)
    bench.peer('s1').marked = true
    const late = new Bench({ others: ['s1', 'new'] }).makeSource('s1')
    late.now = limits.checkMs - 50
    late.ping(late.envelope('new', { status: 'source' }))
    late.peer('s1').marked = true
    late.peer('new').marked = true
    late.tick(50)
    expect(late.state.lastCheck).toEqual({ marked: 1, of: 1, at: limits.checkMs })
    late.peer('s1').marked = true
    late.tick(limits.checkMs)
    expect(late.state.lastCheck).toEqual({ marked: 1, of: 2, at: 2 * limits.checkMs })
  })

  it('S003-31: a silent Source is forgotten only when a check has counted it as unmarked', () => {
    const bench = sourceAmong(3)
    const say = () => {
      for (const id of ['s1', 's2']) {
        bench.message(bench.envelope(id, { status: 'source' }))
        bench.peer(id).marked = true
      }
    }
    bench.peer('s3').marked = true // in sync, and then never heard again
    for (let ms = 0; ms < 5000; ms += 500) {
      say()
      bench.tick(500)
    }
    expect(bench.state.lastCheck).toEqual({ marked: 3, of: 3, at: 5000 })
    expect(bench.peer('s3').sourceSince).not.toBeNull()
    for (let ms = 0; ms < 5000; ms += 500) {
      say()
      bench.tick(500)
    }
    expect(bench.state.lastCheck).toEqual({ marked: 2, of: 3, at: 10_000 })
    expect(bench.peer('s3').sourceSince).toBeNull()
  })

  it('S003-30: who finds too few marked loses the status, says so, and counts how many', () => {
    const bench = sourceAmong(4)
    bench.peer('s1').marked = true
    const effects = bench.tick(limits.checkMs)
    expect(waysOf(effects)[0]).toBe('source -> counter-sync')
    expect(effects.at(-1)).toEqual({ kind: 'announce' })
    const [status] = effects.filter(effect => effect.kind === 'status')
    expect(status?.sentence).toBe('only 1 of 4 other Sources were in sync')
  })
})
