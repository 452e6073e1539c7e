/** A process that stood still gives up its status before it says or takes anything (PROTOCOL 9). */
import { describe, expect, it } from 'vitest'
import { Bench, waysOf } from '../../support/agreement-bench.ts'

describe('with quorum `roster`, after a pause of over 3 s', () => {
  function paused(): Bench {
    const bench = new Bench({ others: ['a', 'b'], quorum: 'roster' }).makeSource('a', 'b')
    bench.reach('a')
    bench.tick(100)
    bench.now += 3001
    return bench
  }

  it('a Source gives up its status with the first message, before it answers anything', () => {
    const bench = paused()
    expect(waysOf(bench.message(bench.envelope('a', { status: 'source' })))).toContain(
      'source -> counter-sync',
    )
    expect(bench.state.source).toBeNull()
  })

  it('a Source gives up its status with a tick', () => {
    expect(waysOf(paused().tick())).toContain('source -> counter-sync')
  })

  it('a Source of quorum `visible` stays', () => {
    const bench = new Bench({ others: ['a', 'b'] }).makeSource('a', 'b')
    bench.now += 3001
    expect(waysOf(bench.message(bench.envelope('a', { status: 'source' })))).toEqual([])
  })
})
