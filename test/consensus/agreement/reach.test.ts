/** Who is heard, answers, is reached, and which Sources are seen: the words of PROTOCOL 1. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import {
  answersMe,
  component,
  isHeard,
  isReached,
  participants,
  reachesMajority,
  seesSource,
} from '../../../src/consensus/agreement/reach.ts'
import { Bench } from '../../support/agreement-bench.ts'

describe('heard, answers me, reached', () => {
  it('each last for the silence period, both ends included', () => {
    const bench = new Bench({ others: ['a'] })
    const seen = () => {
      const peer = bench.peer('a')
      return [isHeard, answersMe, isReached].map(is => is(bench.state, peer))
    }
    expect(seen()).toEqual([false, false, false])
    bench.reach('a')
    expect(seen()).toEqual([true, true, true])
    bench.tick(limits.heardMs)
    expect(seen()).toEqual([true, true, true])
    bench.tick(1)
    expect(seen()).toEqual([false, false, false])
  })

  it('a member that answers, and did not, is told so with the next tick and not a second later', () => {
    const bench = new Bench({ others: ['a'] })
    const announces = () => bench.tick(100).some(({ kind }) => kind === 'announce')
    announces()
    expect([announces(), announces()]).toEqual([false, false])
    bench.answered('a')
    expect([announces(), announces()]).toEqual([true, false])
    bench.answered('a') // it goes on answering: nothing new
    expect(announces()).toBe(false)
    bench.tick(limits.heardMs)
    expect([announces(), announces()]).toEqual([false, false])
    bench.answered('a')
    expect(announces()).toBe(true)
  })

  it('a member whose ping does not name me among those that answer it is not reached', () => {
    const bench = new Bench({ others: ['a'] })
    bench.answered('a')
    bench.ping(bench.envelope('a'), { answers: ['somebody'] })
    expect(isReached(bench.state, bench.peer('a'))).toBe(false)
  })

  it('a member that is only heard through others is not reached and takes no part', () => {
    const bench = new Bench({ others: ['a'] })
    bench.ping(bench.envelope('a'), { answers: ['me'] })
    expect(isReached(bench.state, bench.peer('a'))).toBe(false)
    expect(participants(bench.state)).toEqual([])
  })

  it('an empty member is reached, and no participant', () => {
    const bench = new Bench({ others: ['a'] })
    bench.reach('a', { empty: true })
    expect(isReached(bench.state, bench.peer('a'))).toBe(true)
    expect(participants(bench.state)).toEqual([])
  })

  it('more than half of the roster counts this member, and half is not enough', () => {
    const bench = new Bench({ others: ['a', 'b', 'c'] })
    bench.reach('a')
    expect(reachesMajority(bench.state)).toBe(false)
    bench.reach('b')
    expect(reachesMajority(bench.state)).toBe(true)
  })
})

describe('a Source is seen', () => {
  /** me – a – b – c in a chain, where c is Source; gossip of all comes through. */
  function chain(): Bench {
    const bench = new Bench({ others: ['a', 'b', 'c', 'd'] })
    bench.answered('a')
    bench.ping(bench.envelope('a'), { answers: ['me', 'b'], reached: ['me', 'b'] })
    bench.ping(bench.envelope('b'), { answers: ['a', 'c'], reached: ['a', 'c'] })
    bench.ping(bench.envelope('c', { status: 'source' }), { answers: ['b'], reached: ['b'] })
    return bench
  }

  it('through others that reach it', () => {
    const bench = chain()
    expect(component(bench.state).map(peer => peer.id)).toEqual(['a', 'b', 'c'])
    expect(seesSource(bench.state)).toBe(true)
    expect(bench.state.status).toBe('source-sync')
  })

  it('not when it is heard but nobody in my component reaches it', () => {
    const bench = chain()
    bench.ping(bench.envelope('b'), { answers: ['a'], reached: ['a'] })
    expect(seesSource(bench.state)).toBe(false)
    expect(bench.state.status).toBe('counter-sync')
  })

  it('S003-19: not any more when it has been silent for the silence period', () => {
    const bench = chain()
    bench.tick(limits.heardMs - 1000)
    bench.answered('a')
    bench.ping(bench.envelope('a'), { answers: ['me', 'b'], reached: ['me', 'b'] })
    bench.ping(bench.envelope('b'), { answers: ['a', 'c'], reached: ['a', 'c'] })
    bench.tick(1000)
    expect(seesSource(bench.state)).toBe(true)
    bench.tick(1)
    expect(seesSource(bench.state)).toBe(false)
    expect(bench.peer('c').sourceSince).toBeNull()
  })
})
