/** One member that sees a Source: with whom it compares, and when it becomes Source itself. */
import { describe, expect, it } from 'vitest'
import { Bench, waysOf } from '../../support/agreement-bench.ts'

/** A member in source-sync at cut 1000; the Sources announce at the same cut. */
function among(hashes: Readonly<Record<string, string>>, own: string): Bench {
  const bench = new Bench({ others: Object.keys(hashes), own: { cut: 1000, hash: own } })
  for (const [id, hash] of Object.entries(hashes))
    bench.reach(id, { status: 'source', cut: 1000, hash })
  return bench
}

describe('source-sync', () => {
  it('S003-26: becomes Source when its hash is in the histories of half of the Sources, rounded up', () => {
    for (const [equal, of] of [
      [1, 1],
      [1, 2],
      [2, 3],
      [2, 4],
      [3, 5],
    ] as const) {
      const bench = new Bench({
        others: Array.from({ length: of }, (_, at) => `s${at}`),
        own: { cut: 1000, hash: 'mine' },
      })
      for (let at = 0; at < of; at++)
        bench.ping(bench.envelope(`s${at}`, { status: 'source', cut: 1000, hash: 'theirs' }))
      bench.answered('s0')
      const say = (at: number) => {
        const said = { status: 'source', cut: 2000, hash: at < equal ? 'same' : 'other' } as const
        bench.ping(bench.envelope(`s${at}`, said), { answers: ['me'] })
      }
      for (let at = 1; at < of; at++) say(at)
      say(0)
      const isSource = () => bench.state.source !== null
      expect([equal, of, isSource()]).toEqual([equal, of, false])
      bench.state.sync = null // the comparison that began is of no interest here
      bench.own({ cut: 2000, hash: 'same' })
      bench.tick(100)
      expect([equal, of, isSource()]).toEqual([equal, of, true])
    }
  })

  it('compares with a reached Source that differs, and with one at a time', () => {
    const bench = among({ a: 'x', b: 'x', c: 'x' }, 'mine')
    expect(bench.state.sync?.asking?.peer).toBe('a')
    expect(waysOf(bench.tick(100))).toEqual([])
  })

  it('compares also when an old announcement was common and this cut is not', () => {
    const bench = among({ a: 'old', b: 'x', c: 'x' }, 'mine')
    const { ticket } = bench.state.sync!.asking!
    bench.own({ hash: 'old' })
    const result = { done: true, theirRoot: '', theirCut: 1000, theyLack: [], theyHave: [] }
    bench.take({ kind: 'compared', now: bench.now, ticket, peer: 'a', ...result })
    bench.now = 1000
    for (const id of ['b', 'c']) bench.peer(id).answeredAt = Number.NEGATIVE_INFINITY
    bench.own({ cut: 2000, hash: 'still old' })
    const said = { status: 'source', cut: 2000, hash: 'new' } as const
    bench.reach('a', said)
    expect(bench.state.source).toBeNull()
    expect(bench.state.sync?.asking?.peer).toBe('a')
  })
})
