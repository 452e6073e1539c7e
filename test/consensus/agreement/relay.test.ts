/** Who passes adds on, and to whom: once to each that the adder does not reach. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { relayTargets } from '../../../src/consensus/agreement/relay.ts'
import { Bench } from '../../support/agreement-bench.ts'

/** A Source `me` that reaches all of these, each with whom it reaches itself. */
function source(
  reached: Readonly<Record<string, readonly string[]>>,
  ...heard: readonly string[]
): Bench {
  const bench = new Bench({ others: [...Object.keys(reached), ...heard] }).makeSource(
    ...Object.keys(reached),
  )
  for (const [id, theirs] of Object.entries(reached)) {
    bench.reach(id, { status: 'source' })
    bench.ping(bench.envelope(id, { status: 'source' }), { answers: ['me'], reached: theirs })
  }
  return bench
}

const targets = ({ state }: Bench, from: string, adder = from) => relayTargets(state, from, adder)

describe('adds of a Source are passed on', () => {
  it('to nobody where it reaches all', () => {
    const bench = source({ a: ['me', 'b'], b: ['me', 'a'] })
    expect(targets(bench, 'a')).toEqual([])
  })

  it('to whom it does not reach, and not back', () => {
    const bench = source({ a: ['me'], b: ['me'] })
    expect(targets(bench, 'a')).toEqual(['b'])
    expect(targets(bench, 'b')).toEqual(['a'])
  })

  it('by the first in order of those that could', () => {
    expect(targets(source({ a: ['me', 'b'], b: ['me', 'a', 'c'], c: ['me', 'b'] }), 'a')).toEqual(
      [],
    )
    expect(targets(source({ a: ['me', 'z'], z: ['me', 'a', 'c'], c: ['me', 'z'] }), 'a')).toEqual([
      'c',
    ])
  })

  it('by the next one where the first is no Source or was not heard for long', () => {
    const bench = source({ a: ['me', 'b'], b: ['me', 'a', 'c'], c: ['me', 'b'] })
    bench.ping(bench.envelope('b', { status: 'counter-sync' }), {
      answers: ['me'],
      reached: ['a', 'c'],
    })
    expect(targets(bench, 'a')).toEqual(['c'])
    const silent = source({ a: ['me', 'b'], b: ['me', 'a', 'c'], c: ['me', 'b'] })
    silent.tick(limits.heardMs)
    for (const id of ['a', 'c']) {
      silent.reach(id, { status: 'source' })
      silent.ping(silent.envelope(id, { status: 'source' }), {
        answers: ['me'],
        reached: ['me', 'b'],
      })
    }
    silent.tick(1)
    expect(targets(silent, 'a')).toEqual(['c'])
  })

  it('further on, where they were passed on already, to whom neither of the two reaches', () => {
    const bench = source({ a: ['me'], c: ['me'], d: ['me'] }, 'x')
    bench.ping(bench.envelope('x', { status: 'source' }), { reached: ['a', 'd'] })
    expect(targets(bench, 'a', 'x')).toEqual(['c'])
  })

  it('by nobody who is no Source itself', () => {
    const bench = source({ a: ['me'], b: ['me'] })
    bench.state.source = null
    expect(targets(bench, 'a')).toEqual([])
  })
})
