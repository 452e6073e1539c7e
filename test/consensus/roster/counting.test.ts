/** What the agreement machine makes of a roster that changes: of whom more than half is counted. */
import { describe, expect, it } from 'vitest'
import { reachesMajority } from '../../../src/consensus/agreement/reach.ts'
import { Bench } from '../../support/agreement-bench.ts'

const members = ['a', 'b', 'c', 'd', 'me']

/** This member knows, or has accepted, a configuration with these bodies of electors. */
function tell(bench: Bench, configuration: number, ...bodies: readonly string[][]): void {
  bench.take({ kind: 'roster', now: bench.now, quorum: 'roster', members, bodies, configuration })
}

function reach(bench: Bench, id: string, configuration: number): void {
  bench.answered(id)
  bench.ping(bench.envelope(id), { answers: ['me'], configuration })
}

describe('more than half of a roster', () => {
  it('is more than half of both configurations while the outcome of a change is not known', () => {
    const bench = new Bench({ others: ['a', 'b', 'c', 'd'], quorum: 'roster' })
    tell(bench, 5, ['me', 'a', 'b'], ['me', 'a', 'b', 'c'])
    reach(bench, 'a', 5)
    expect(reachesMajority(bench.state)).toBe(false)
    reach(bench, 'c', 5)
    expect(reachesMajority(bench.state)).toBe(true)
    tell(bench, 5, ['me', 'a', 'b'])
    expect(reachesMajority(bench.state)).toBe(true)
  })

  it('counts nobody who shows a higher configuration, until that is known here, too', () => {
    const bench = new Bench({ others: ['a', 'b', 'c', 'd'], quorum: 'roster' })
    tell(bench, 4, ['me', 'a', 'b'])
    reach(bench, 'a', 5)
    expect(reachesMajority(bench.state)).toBe(false)
    reach(bench, 'b', 3)
    expect(reachesMajority(bench.state)).toBe(true)
    const later = new Bench({ others: ['a', 'b', 'c', 'd'], quorum: 'roster' })
    reach(later, 'a', 5)
    tell(later, 5, ['me', 'a', 'b'])
    expect(reachesMajority(later.state)).toBe(true)
  })

  it('is never reached by who is in no body: it joined, and is not in effect', () => {
    const bench = new Bench({ others: ['a', 'b', 'c', 'd'], quorum: 'roster' })
    tell(bench, 4, ['a'])
    expect(reachesMajority(bench.state)).toBe(false)
    bench.tick(20_000)
    expect(bench.state.source).toBeNull()
  })
})
