/** What single messages of others change at one member. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { isReached } from '../../../src/consensus/agreement/reach.ts'
import { Bench, waysOf } from '../../support/agreement-bench.ts'

describe('a ping', () => {
  it('that a probe has overtaken still tells whom its sender reaches', () => {
    const bench = new Bench({ others: ['a'] })
    bench.answered('a')
    const ping = bench.envelope('a')
    bench.message(bench.envelope('a'))
    bench.ping(ping, { answers: ['me'] })
    expect(isReached(bench.state, bench.peer('a'))).toBe(true)
  })

  it('that came late says nothing against a newer one', () => {
    const bench = new Bench({ others: ['a'] })
    bench.answered('a')
    const older = bench.envelope('a')
    bench.ping(bench.envelope('a'), { answers: ['me'] })
    bench.ping(older, { answers: [] })
    expect(isReached(bench.state, bench.peer('a'))).toBe(true)
  })

  it('S003-27: keeps one hash of a member that is no Source, a history of a Source', () => {
    const bench = new Bench({ others: ['a'] })
    const say = (cut: number, status: 'source' | 'counter-sync') =>
      bench.ping(bench.envelope('a', { status, cut, hash: `h${cut}` }))
    say(1, 'counter-sync')
    say(2, 'counter-sync')
    expect(bench.peer('a').history).toEqual([{ cut: 2, hash: 'h2' }])
    say(3, 'source')
    say(4, 'source')
    expect(bench.peer('a').history.map(entry => entry.cut)).toEqual([3, 4])
    for (let cut = 5; cut <= 200; cut++) say(cut, 'source')
    expect(bench.peer('a').history.length).toBe(limits.historyEntriesMax)
    say(201, 'counter-sync')
    expect(bench.peer('a').history).toEqual([{ cut: 201, hash: 'h201' }])
  })

  it('makes an entry, another message makes none', () => {
    const bench = new Bench({ others: ['a'] })
    bench.message(bench.envelope('a', { status: 'source', cut: 1, hash: 'h1' }))
    expect(bench.peer('a').history).toEqual([])
    bench.ping(bench.envelope('a', { status: 'source', cut: 2, hash: 'h2' }))
    expect(bench.peer('a').history).toEqual([{ cut: 2, hash: 'h2' }])
  })
})

describe('a loss of status', () => {
  it('S003-30: within one message the list of every other Source lacks who stepped down', () => {
    const bench = new Bench({ others: ['a', 'b', 'c'] }).makeSource('a', 'b', 'c')
    bench.message(bench.envelope('b', { status: 'counter-sync' }))
    expect(bench.peer('b').sourceSince).toBeNull()
    expect(bench.state.source).not.toBeNull()
  })

  it('S003-30: of the only other Source, unmarked, ends this one in the same step', () => {
    const bench = new Bench({ others: ['a', 'b'] }).makeLongSource('a')
    const effects = bench.message(bench.envelope('a', { status: 'counter-sync' }))
    expect(waysOf(effects)).toEqual(['source -> counter-sync'])
    expect(effects.at(-1)).toEqual({ kind: 'announce' })
  })

  it('of the only other Source that was marked in this period leaves this one Source', () => {
    const bench = new Bench({ others: ['a'] }).makeLongSource('a')
    bench.peer('a').marked = true
    bench.message(bench.envelope('a', { status: 'counter-sync' }))
    expect(bench.state.source).not.toBeNull()
  })

  it('topples no Source in its first period: it may be the echo of its own loss', () => {
    const bench = new Bench({ others: ['a'] }).makeSource('a')
    bench.now = limits.checkMs - 1
    bench.message(bench.envelope('a', { status: 'counter-sync' }))
    expect(bench.state.source).not.toBeNull()
    const later = new Bench({ others: ['a'] }).makeSource('a')
    later.peer('a').marked = true
    later.tick(limits.checkMs)
    later.message(later.envelope('a', { status: 'counter-sync' }))
    expect(later.state.source).toBeNull()
  })

  it('of a newcomer that no check counts yet topples nobody', () => {
    const bench = new Bench({ others: ['a'] }).makeLongSource()
    bench.now += 100
    bench.message(bench.envelope('a', { status: 'source' }))
    bench.now += 100
    bench.message(bench.envelope('a', { status: 'counter-sync' }))
    expect(bench.state.source).not.toBeNull()
  })
})

describe('a member that was opened anew', () => {
  const anew = { incarnation: 'i2', status: 'counter-sync' } as const

  it('and was marked before in this period does not take its only other Source down', () => {
    const bench = new Bench({ others: ['a'] }).makeLongSource('a')
    bench.peer('a').marked = true
    expect(waysOf(bench.message(bench.envelope('a', anew)))).toEqual([])
    expect(bench.peer('a').sourceSince).toBeNull()
    expect(bench.peer('a').marked).toBe(false)
  })

  it('and was not marked takes it down, as any loss of status does', () => {
    const bench = new Bench({ others: ['a'] }).makeLongSource('a')
    expect(waysOf(bench.message(bench.envelope('a', anew)))).toEqual(['source -> counter-sync'])
  })

  it('and is Source again before anything else is heard of it is a newcomer on the list', () => {
    const bench = new Bench({ others: ['a'] }).makeSource('a')
    bench.ping(bench.envelope('a', { status: 'source', cut: 1, hash: 'old' }))
    bench.now = 2000
    bench.message(bench.envelope('a', { incarnation: 'i2', status: 'source' }))
    expect(bench.peer('a').sourceSince).toBe(2000)
    expect(bench.peer('a').history).toEqual([])
  })

  it('is not taken for its former self by a message of its former life that comes late', () => {
    const bench = new Bench({ others: ['a'] })
    const late = bench.envelope('a', { status: 'source' })
    bench.message(bench.envelope('a', { incarnation: 'i2' }))
    bench.ping(late, { answers: ['me'] })
    expect(bench.peer('a').incarnation).toBe('i2')
    expect(bench.peer('a').sourceSince).toBeNull()
    expect(bench.peer('a').ping).toBeNull()
  })

  it('with a wiped disk and an older clock is heard once its former self has gone silent', () => {
    const bench = new Bench({ others: ['a'] })
    bench.message(bench.envelope('a', { clock: stampOf(60_000) }))
    bench.now = limits.heardMs + 1
    bench.message(bench.envelope('a', { incarnation: 'i2', clock: stampOf(10), gap: true }))
    expect(bench.peer('a').incarnation).toBe('i2')
    expect(bench.peer('a').gap).toBe(true)
  })
})

describe('a heal', () => {
  /** Two Sources that marked each other; the other announces `hash` at the same cut. */
  function differing(said: { cut: number; marked: boolean; marksMe: boolean }) {
    const bench = new Bench({ others: ['a'], own: { cut: 1000, hash: 'mine' } }).makeSource('a')
    bench.reach('a', { status: 'source' })
    bench.peer('a').marked = said.marked
    const envelope = bench.envelope('a', { status: 'source', cut: said.cut, hash: 'theirs' })
    return {
      bench,
      effects: bench.ping(envelope, { answers: ['me'], marked: said.marksMe ? ['me'] : [] }),
    }
  }
  const compares = (effects: readonly { kind: string }[]) =>
    effects.filter(effect => effect.kind === 'compare').length

  it('compares with a Source that differs at the same cut, when both marked each other', () => {
    const { effects } = differing({ cut: 1000, marked: true, marksMe: true })
    expect(effects).toEqual([
      { kind: 'compare', ticket: 1, peer: 'a', scope: 'settled', purpose: 'heal' },
    ])
  })

  it('leaves alone who was not marked, who did not mark me, and who is at another cut', () => {
    expect(compares(differing({ cut: 1000, marked: false, marksMe: true }).effects)).toBe(0)
    expect(compares(differing({ cut: 1000, marked: true, marksMe: false }).effects)).toBe(0)
    expect(compares(differing({ cut: 2000, marked: true, marksMe: true }).effects)).toBe(0)
  })

  it('comes about also for who reaches the cut after the other announced it', () => {
    const { bench, effects } = differing({ cut: 2000, marked: true, marksMe: true })
    expect(compares(effects)).toBe(0)
    expect(compares(bench.own({ cut: 2000, hash: 'mine later' }))).toBe(1)
  })

  it('is not tried with a Source that is heard but not reached', () => {
    const { bench } = differing({ cut: 2000, marked: true, marksMe: true })
    bench.now = limits.heardMs + 1
    const said = { status: 'source', cut: 1000, hash: 'theirs' } as const
    expect(compares(bench.ping(bench.envelope('a', said), { marked: ['me'] }))).toBe(0)
  })

  it('is told the others: a cut announced before is announced anew, with the next tick', () => {
    const { bench } = differing({ cut: 1000, marked: true, marksMe: true })
    bench.tick(100)
    const announces = (effects: readonly { kind: string }[]) =>
      effects.filter(effect => effect.kind === 'announce').length
    expect(announces(bench.tick(100))).toBe(0)
    expect(announces(bench.own({ hash: 'healed' }))).toBe(0)
    expect(announces(bench.own({ hash: 'healed more' }))).toBe(0)
    expect(announces(bench.tick(100))).toBe(1)
    expect(announces(bench.tick(100))).toBe(0)
  })

  it('happens at most once a second with each Source', () => {
    const { bench } = differing({ cut: 1000, marked: true, marksMe: true })
    const again = (now: number) => {
      bench.now = now
      const said = { status: 'source', cut: 1000, hash: 'theirs' } as const
      bench.answered('a')
      return compares(bench.ping(bench.envelope('a', said), { answers: ['me'], marked: ['me'] }))
    }
    expect([again(500), again(999), again(1000), again(1500)]).toEqual([0, 0, 1, 0])
  })
})
