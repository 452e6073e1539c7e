/** The roster machine: what is decided, by whom, and what becomes of votes that were lost. */
import { describe, expect, it } from 'vitest'
import {
  after as afterChange,
  type Change,
  type Configuration,
  electorates,
  isDecided,
  isMajority,
} from '../../../src/consensus/roster/configuration.ts'
import { countingOf } from '../../../src/consensus/roster/counting.ts'
import { stepRoster } from '../../../src/consensus/roster/machine.ts'
import {
  createRoster,
  freshVote,
  type RosterEffect,
  type RosterState,
  type Vote,
} from '../../../src/consensus/roster/state.ts'

const seat = (peer: string, membership = 1) => ({ peer, membership })
const rosterOf = (...peers: string[]): Configuration => ({
  number: 4,
  quorum: 'roster',
  members: peers.map(peer => seat(peer)),
})
const add = (peer: string): Change => ({ kind: 'add', seat: seat(peer) })
const remove = (peer: string): Change => ({ kind: 'remove', seat: seat(peer) })

/** Members whose messages arrive at once, but for those that are silent. */
class Table {
  readonly states = new Map<string, RosterState>()
  readonly endings: string[] = []
  readonly silent = new Set<string>()

  constructor(known: Configuration, peers: readonly string[], saved: Vote | null = null) {
    for (const self of peers) this.states.set(self, createRoster({ self, known, saved }))
  }

  take(at: string, event: Parameters<typeof stepRoster>[1]): void {
    const state = this.states.get(at)
    if (state === undefined || this.silent.has(at)) return
    for (const effect of stepRoster(state, event)) this.#run(at, effect)
  }

  known(at: string): string {
    const { number, members } = this.states.get(at)!.known
    return `${number}: ${members.map(({ peer }) => peer).join('')}`
  }

  #run(at: string, effect: RosterEffect): void {
    if (effect.kind === 'save' || effect.kind === 'send') {
      for (const { to, message } of effect.messages)
        this.take(to, { kind: 'message', from: at, message })
    }
    if (effect.kind === 'ended') this.endings.push(`${at} ${effect.ending.kind}`)
    if (effect.kind !== 'decided') return
    for (const [peer, { known }] of this.states) {
      const next = afterChange(known, effect.decision.change)
      if (next === null || !isDecided(known, effect.decision)) continue
      this.take(peer, { kind: 'known', known: next, decision: effect.decision })
    }
  }
}

describe('a change of the roster', () => {
  it('takes more than half of the members before, and of those after', () => {
    const cases: [Configuration, Change, string, boolean][] = [
      [rosterOf('a', 'b', 'c'), add('d'), 'ab', false],
      [rosterOf('a', 'b', 'c'), add('d'), 'abc', true],
      [rosterOf('a', 'b', 'c'), add('d'), 'abd', true],
      [rosterOf('a', 'b', 'c', 'd'), remove('d'), 'ab', false],
      [rosterOf('a', 'b', 'c', 'd'), remove('d'), 'acd', true],
      [rosterOf('a'), add('b'), 'a', false],
      [rosterOf('a'), add('b'), 'ab', true],
    ]
    for (const [before, change, accepted, is] of cases) {
      const decision = {
        number: 5,
        change,
        ballot: { counter: 1, peer: 'a' },
        accepted: [...accepted],
      }
      expect([accepted, isDecided(before, decision)]).toEqual([accepted, is])
    }
  })

  it('is one member, and never the last one', () => {
    expect(afterChange(rosterOf('a'), remove('a'))).toBeNull()
    expect(afterChange(rosterOf('a', 'b'), add('b'))).toBeNull()
    expect(afterChange(rosterOf('a', 'b'), { kind: 'remove', seat: seat('b', 2) })).toBeNull()
    expect(electorates(rosterOf('a', 'b'), add('c')).map(body => body.length)).toEqual([2, 3])
  })

  it('is decided while a minority is silent, and is learned by all who hear', () => {
    const table = new Table(rosterOf('a', 'b', 'c'), ['a', 'b', 'c', 'd'])
    table.silent.add('c')
    table.take('a', { kind: 'propose', wish: add('d') })
    expect(table.endings).toEqual(['a done'])
    expect(['a', 'b', 'd'].map(at => table.known(at))).toEqual(Array(3).fill('5: abcd'))
    expect(table.known('c')).toBe('4: abc')
  })

  it('that was begun and left is finished by whoever finds it, before its own wish', () => {
    const table = new Table(rosterOf('a', 'b', 'c'), ['a', 'b', 'c'])
    const ballot = { counter: 7, peer: 'a' }
    const accept = { kind: 'accept', number: 5, ballot, change: remove('c') } as const
    table.take('b', { kind: 'message', from: 'a', message: accept })
    expect(countingOf(table.states.get('b')!)).toMatchObject({
      shown: 5,
      bodies: [
        ['a', 'b', 'c'],
        ['a', 'b'],
      ],
    })
    table.silent.add('a')
    table.take('c', { kind: 'propose', wish: remove('a') })
    table.take('c', { kind: 'retry' })
    table.silent.delete('a')
    table.take('b', { kind: 'propose', wish: null })
    expect(table.known('a')).toBe('5: ab')
    expect(table.known('b')).toBe('5: ab')
  })

  it('from visible needs the promise of every member, and else is given up', () => {
    const visible: Configuration = { ...rosterOf('a', 'b', 'c'), quorum: 'visible' }
    const begin: Change = { kind: 'begin', members: visible.members }
    const whole = new Table(visible, ['a', 'b', 'c'])
    whole.take('a', { kind: 'propose', wish: begin })
    expect(whole.states.get('c')!.known.quorum).toBe('roster')
    const part = new Table(visible, ['a', 'b', 'c'])
    part.silent.add('c')
    part.take('a', { kind: 'propose', wish: begin })
    expect(part.endings).toEqual([])
    part.take('a', { kind: 'retry' })
    expect(part.endings).toEqual(['a stayed'])
    expect(part.states.get('b')!.known).toMatchObject({ number: 5, quorum: 'visible' })
  })
})

describe('a vote that may have been forgotten', () => {
  it('counts only where all others give theirs', () => {
    const electors = rosterOf('a', 'b', 'c').members
    const votes = (text: string) =>
      new Map([...text].map(one => [one.toLowerCase(), { isSure: one === one.toLowerCase() }]))
    expect(
      ['aB', 'ab', 'abC', 'aBC', 'AB', 'c'].map(text => isMajority(electors, votes(text))),
    ).toEqual([false, true, true, true, false, false])
  })

  it('is sure again once a decision rests on what was said after the loss', () => {
    const table = new Table(rosterOf('a', 'b'), ['a', 'b'], freshVote(5, false))
    table.take('a', { kind: 'propose', wish: add('c') })
    expect(table.known('b')).toBe('4: ab')
    table.states.set('c', createRoster({ self: 'c', known: rosterOf('a', 'b'), saved: null }))
    table.take('a', { kind: 'retry' })
    expect(table.known('b')).toBe('5: abc')
    expect(table.states.get('a')!.vote).toEqual(freshVote(6, true))
  })

  it('of a number that is over leaves the next one sure, and of one that is lost does not', () => {
    const open = (saved: Vote) => createRoster({ self: 'a', known: rosterOf('a'), saved }).vote
    expect(open({ ...freshVote(3, true), promised: { counter: 2, peer: 'b' } })).toEqual(
      freshVote(5, true),
    )
    expect(open(freshVote(9, true))).toEqual(freshVote(5, false))
  })
})
