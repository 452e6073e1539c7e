/** When an election without a Source may end: the conditions of both quorum settings. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { mayElect } from '../../../src/consensus/agreement/elect.ts'
import { Bench } from '../../support/agreement-bench.ts'

/** A member whose others go on being reached while time passes. */
function passTime(bench: Bench, ms: number, reached: readonly string[]): void {
  for (let left = ms; left > 0; left -= 500) {
    bench.tick(Math.min(500, left))
    for (const id of reached) bench.reach(id)
  }
}

describe('an election may end', () => {
  it('at once in a roster of one', () => {
    expect(mayElect(new Bench({ others: [] }).state)).toBe(true)
  })

  it('alone only when nobody was reached for one silence period', () => {
    const bench = new Bench({ others: ['a'] })
    passTime(bench, limits.heardMs - 500, [])
    expect(mayElect(bench.state)).toBe(false)
    passTime(bench, 500, [])
    expect(mayElect(bench.state)).toBe(true)
  })

  it('at once when all are reached', () => {
    const bench = new Bench({ others: ['a', 'b'] })
    bench.reach('a')
    expect(mayElect(bench.state)).toBe(false)
    bench.reach('b')
    expect(mayElect(bench.state)).toBe(true)
  })

  it('not before a newly heard member had a second to be reached', () => {
    const bench = new Bench({ others: ['a', 'b'] })
    passTime(bench, 4000, ['a'])
    expect(mayElect(bench.state)).toBe(true)
    bench.ping(bench.envelope('b'))
    expect(mayElect(bench.state)).toBe(false)
    passTime(bench, limits.pingMs, ['a'])
    expect(mayElect(bench.state)).toBe(true)
  })
})

describe('with quorum `roster` an election may end', () => {
  function among(...others: readonly string[]): Bench {
    return new Bench({ others, quorum: 'roster' })
  }

  it('only with more than half of the roster reached', () => {
    const bench = among('a', 'b', 'c')
    passTime(bench, 10_000, ['a'])
    expect(mayElect(bench.state)).toBe(false)
    passTime(bench, 1000, ['a', 'b'])
    expect(mayElect(bench.state)).toBe(true)
  })

  it('not while a member that is not reached was heard within five seconds', () => {
    const bench = among('a', 'b')
    passTime(bench, 6000, ['a'])
    expect(mayElect(bench.state)).toBe(true)
    bench.message(bench.envelope('b'))
    passTime(bench, limits.rosterSilenceMs - 500, ['a'])
    expect(mayElect(bench.state)).toBe(false)
    passTime(bench, 500, ['a'])
    expect(mayElect(bench.state)).toBe(true)
  })

  it('when the member that is not reached says in a fresh ping that it is no Source', () => {
    const bench = among('a', 'b')
    passTime(bench, 6000, ['a'])
    bench.ping(bench.envelope('b'))
    passTime(bench, 1000, ['a'])
    expect(mayElect(bench.state)).toBe(true)
    passTime(bench, limits.heardMs, ['a'])
    expect(mayElect(bench.state)).toBe(false) // the ping is too old, the silence too short
  })

  it('not while the member that is not reached says that it is Source', () => {
    const bench = among('a', 'b')
    passTime(bench, 6000, ['a'])
    bench.ping(bench.envelope('b', { status: 'source' }))
    passTime(bench, 1000, ['a'])
    expect(mayElect(bench.state)).toBe(false)
  })

  it('only five seconds after its own start, when a member was never heard', () => {
    const bench = among('a', 'b')
    passTime(bench, limits.rosterSilenceMs - 500, ['a'])
    expect(mayElect(bench.state)).toBe(false)
    passTime(bench, 500, ['a'])
    expect(mayElect(bench.state)).toBe(true)
  })
})
