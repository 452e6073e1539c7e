/** One member's round of counter-sync: what its answers are seen from, and what it then plans. */
import { describe, expect, it } from 'vitest'
import type { FactRef, FactState } from '../../../src/base/fact.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import type { Effect } from '../../../src/consensus/agreement/events.ts'
import { Bench } from '../../support/agreement-bench.ts'

const agreed: FactState = { kind: 'agreed', added: stampOf(5) }

function ref(id: string): FactRef {
  return { id, version: id.repeat(64).slice(0, 64) }
}

function only<K extends Effect['kind']>(effects: readonly Effect[], kind: K) {
  return effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind)
}

/** A member in a round with a and b, who hold `ha` and `hb`; answers what it asks for. */
class Round {
  readonly bench = new Bench({ others: ['a', 'b'], own: { held: 'mine' } })
  readonly asked: Extract<Effect, { kind: 'compare' }>[]

  constructor() {
    const effects = [
      ...this.bench.reach('a', { held: 'ha' }),
      ...this.bench.reach('b', { held: 'hb' }),
    ]
    this.asked = only(effects, 'compare')
  }

  answer(peer: string, said: { lacks?: readonly string[]; has?: readonly string[] }): Effect[] {
    const ticket = this.asked.findLast(effect => effect.peer === peer)!.ticket
    const effects = this.bench.take({
      kind: 'compared',
      now: this.bench.now,
      ticket,
      peer,
      done: true,
      theirRoot: `h${peer}`,
      theirCut: 0,
      theyLack: (said.lacks ?? []).map(id => ({ ref: ref(id), state: agreed })),
      theyHave: (said.has ?? []).map(id => ({ ref: ref(id), state: agreed })),
    })
    this.asked.push(...only(effects, 'compare'))
    return effects
  }

  gained(...ids: readonly string[]): Effect[] {
    return this.bench.take({ kind: 'gained', now: this.bench.now, refs: ids.map(ref) })
  }

  rearranged(effect: { readonly ticket: number }, moved: number): Effect[] {
    const { now } = this.bench
    return this.bench.take({
      kind: 'rearranged',
      now,
      ticket: effect.ticket,
      moved,
      complete: true,
    })
  }
}

describe('a round', () => {
  it('asks each participant whose held set differs, and plans when all have answered', () => {
    const round = new Round()
    expect(round.asked.map(effect => effect.peer)).toEqual(['a', 'b'])
    expect(only(round.answer('a', {}), 'rearrange')).toEqual([])
    expect(only(round.answer('b', {}), 'rearrange').length).toBe(1)
  })

  it('sets aside what at least half lack, fetches what more than half have', () => {
    const round = new Round()
    round.answer('a', { lacks: ['1', '2'], has: ['3', '4'] })
    const [plan] = only(round.answer('b', { lacks: ['2'], has: ['4'] }), 'rearrange')
    expect(plan!.setAside.map(({ id }) => id)).toEqual(['2'])
    expect(plan!.fetch.flatMap(({ facts }) => facts.map(fact => fact.ref.id))).toEqual(['4'])
  })

  it('becomes Source when a plan that moves nothing is confirmed, not before', () => {
    const round = new Round()
    round.answer('a', { lacks: ['1'] })
    const [first] = only(round.answer('b', { lacks: ['1'] }), 'rearrange')
    const [second] = only(round.rearranged(first!, 1), 'rearrange')
    expect(round.bench.state.source).toBeNull()
    round.rearranged(second!, 0)
    expect(round.bench.state.source).not.toBeNull()
  })

  it('asks again when facts were gained under a comparison', () => {
    const round = new Round()
    round.answer('a', {})
    round.gained('1')
    round.bench.own({ held: 'mine and 1' })
    expect(only(round.answer('b', {}), 'rearrange')).toEqual([])
    expect(round.asked.map(effect => effect.peer)).toEqual(['a', 'b', 'b'])
  })

  it('works gained facts into the answers that it has', () => {
    const round = new Round()
    round.answer('a', { has: ['1'] })
    round.answer('b', {})
    round.gained('1', '2')
    const [plan] = only(round.bench.own({ held: 'mine, 1 and 2' }), 'rearrange')
    expect(plan).toBeUndefined() // one is under way
    const { answers } = round.bench.state.round!
    expect([...answers.get('a')!.lacks.values()].map(({ id }) => id)).toEqual(['2'])
    expect([...answers.get('b')!.lacks.values()].map(({ id }) => id)).toEqual(['1', '2'])
  })

  it('asks all anew when facts were lost: what came again is not what the others lack', () => {
    const round = new Round()
    round.answer('a', {})
    round.answer('b', {})
    const effects = round.bench.take({ kind: 'lost', now: round.bench.now, held: 'mine but 1' })
    round.asked.push(...only(effects, 'compare'))
    expect(round.asked.map(effect => effect.peer)).toEqual(['a', 'b', 'a', 'b'])
    round.answer('a', { has: ['1'] })
    round.gained('1')
    round.bench.own({ held: 'mine' })
    const lacking = [...round.bench.state.round!.answers.values()].map(({ lacks }) => lacks.size)
    expect(lacking).toEqual([0])
  })

  it('works a fact in once, however often it is told', () => {
    const round = new Round()
    round.answer('a', { has: ['1'] })
    round.gained('1', '1')
    round.gained('1')
    expect(round.bench.state.round!.answers.get('a')!.lacks.size).toBe(0)
    expect(round.bench.state.round!.answers.get('a')!.has.size).toBe(0)
  })

  it('is not confirmed while facts were gained whose root is not told yet', () => {
    const round = new Round()
    round.answer('a', {})
    const [plan] = only(round.answer('b', {}), 'rearrange')
    round.gained('1')
    expect(only(round.rearranged(plan!, 0), 'rearrange')).toEqual([])
    expect(round.bench.state.source).toBeNull()
    const [next] = only(round.bench.own({ held: 'mine and 1' }), 'rearrange')
    expect(next!.setAside.map(({ id }) => id)).toEqual(['1'])
  })

  it('does not take a member for its twin by a root that is not its own any more', () => {
    const round = new Round()
    round.answer('a', {})
    round.gained('1')
    expect(only(round.bench.reach('b', { held: 'mine' }), 'rearrange')).toEqual([])
    expect(round.bench.state.round!.answers.has('b')).toBe(false)
  })

  it('drops the answer of who went silent, and keeps the others', () => {
    const round = new Round()
    round.answer('a', {})
    round.answer('b', {})
    const { answers } = round.bench.state.round!
    for (let ms = 0; ms < 3500; ms += 500) {
      round.bench.tick(500)
      round.bench.reach('a', { held: 'ha' })
    }
    expect([...answers.keys()]).toEqual(['a'])
  })

  it('gives way as soon as a Source is seen', () => {
    const round = new Round()
    round.answer('a', {})
    round.bench.reach('b', { status: 'source' })
    expect(round.bench.state.round).toBeNull()
    expect(round.bench.state.status).toBe('source-sync')
  })
})
