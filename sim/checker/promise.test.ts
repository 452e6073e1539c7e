/**
 * What an answer promises of the disk of its moment, and which sides may have Sources at once: each
 * in a history of a few lines, right and wrong.
 */
import { describe, expect, it } from 'vitest'
import { checkHistory } from './check.ts'
import type { HistoryLine, Unplaced } from './format.ts'
import { hashOf } from './hashes.ts'
import type { CheckNumber } from './report.ts'

type Timed = readonly [atMs: number, line: Unplaced]

/** What one check finds in a history of these lines. */
function found(check: CheckNumber, quorum: 'visible' | 'roster', ...timed: readonly Timed[]) {
  const begin: Unplaced = {
    kind: 'begin',
    format: 1,
    run: 'promise',
    members: ['a', 'b', 'c'],
    quorum,
    records: { holds: true, statuses: true, samples: false, sides: true },
    mayDestroyAll: false,
    bounds: { sourceMs: 1, debtMs: 1, writeMs: 1000, rosterLagMs: 0, persistMs: 0 },
  }
  const lines = [[0, begin] as const, ...timed].map(
    ([atMs, line], seq) => ({ ...line, seq, atMs }) as HistoryLine,
  )
  const answer = checkHistory({ lines, problems: [] }).answers[check]!
  return answer.findings.filter(({ kind }) => kind === 'fail').map(({ sentence }) => sentence)
}

describe('an answer and the disk of its moment', () => {
  const version = hashOf('version')
  const answered = (op: 'put' | 'resolve', blob: string | null, payload: boolean): Timed[] => {
    const asked = { request: 'r', client: 'c', member: 'a', op, id: 'x', blob, size: 1 } as const
    const level = op === 'put' ? 'pending' : null
    const told = { request: 'r', version, blob: null, level, heldBy: ['a'] } as const
    return [
      [1, { kind: 'invoke', ...asked }],
      [2, { kind: 'hold', member: 'a', id: 'x', version, state: 'fresh', payload }],
      [3, { kind: 'done', ...told }],
    ]
  }

  it('a write is blamed that was answered without its payload', () => {
    expect(found(1, 'visible', ...answered('put', hashOf('value'), false))).toHaveLength(1)
    expect(found(1, 'visible', ...answered('put', hashOf('value'), true))).toEqual([])
  })

  it('who keeps a branch is not blamed for bytes of it that are still on their way', () => {
    expect(found(1, 'visible', ...answered('resolve', null, false))).toEqual([])
    expect(found(1, 'visible', ...answered('resolve', hashOf('value'), false))).toHaveLength(1)
  })
})

describe('an answer that counts a disk which was destroyed meanwhile', () => {
  const version = hashOf('version')
  const asked = { request: 'r', client: 'c', member: 'a', op: 'put', id: 'x', size: 1 } as const
  const lost: Unplaced = {
    kind: 'fault',
    fault: 'another disk',
    scope: ['b'],
    phase: 'once',
    mark: 1,
    destroyed: ['b'],
  }
  const hold = (member: string): Unplaced => ({
    kind: 'hold',
    member,
    id: 'x',
    version,
    state: 'agreed',
    payload: true,
  })
  const told = { request: 'r', version, blob: null, level: 'majority', heldBy: ['a', 'b'] } as const
  const invoke: Unplaced = { kind: 'invoke', ...asked, blob: hashOf('value') }
  const done: Unplaced = { kind: 'done', ...told }

  it('is not blamed if it held the write before: who answers may not know yet (seed 1016)', () => {
    const held: Timed[] = [
      [2, hold('a')],
      [3, hold('b')],
      [4, lost],
    ]
    expect(found(1, 'visible', [1, invoke], ...held, [5, done])).toEqual([])
  })

  it('is blamed if it never held it', () => {
    expect(found(1, 'visible', [1, invoke], [2, hold('a')], [4, lost], [5, done])).toHaveLength(1)
  })
})

describe('a write whose copies are destroyed but for that of a member that left', () => {
  const version = hashOf('version')
  const asked = { request: 'r', client: 'c', member: 'a', op: 'put', id: 'x', size: 1 } as const
  const held = { kind: 'hold', id: 'x', version, state: 'agreed', payload: true } as const
  const destroyed = { fault: 'another disk', phase: 'once', mark: 1 } as const
  const settled: Unplaced = {
    kind: 'dump',
    member: 'c',
    moment: 'settled',
    status: 'source',
    roster: ['b', 'c'],
    cut: 0,
    hash: null,
    facts: [],
    items: null,
  }
  const lines = (roster: readonly string[]): Timed[] => [
    [1, { kind: 'invoke', ...asked, blob: hashOf('value') }],
    [2, { ...held, member: 'a' }],
    [3, { ...held, member: 'b' }],
    [4, { kind: 'done', request: 'r', version, blob: null, level: 'agreed', heldBy: ['a', 'b'] }],
    [5, { kind: 'fault', ...destroyed, scope: ['b'], destroyed: ['b'] }],
    [6, { kind: 'roster', members: roster }],
    [7, settled],
  ]

  it('is away, not lost (seed 9023); while that member belongs to the network it is lost', () => {
    expect(found(1, 'visible', ...lines(['b', 'c']))).toEqual([])
    expect(found(1, 'visible', ...lines(['a', 'b', 'c']))).toHaveLength(1)
  })
})

describe('a new Source on whose disk something rotted that most of its round hold', () => {
  const version = hashOf('version')
  const held = { kind: 'hold', id: 'x', version, state: 'agreed', payload: true } as const
  const disk: Unplaced = {
    kind: 'dump',
    member: 'c',
    moment: 'crash',
    status: 'down',
    roster: null,
    cut: null,
    hash: null,
    facts: [],
    items: null,
  }
  const round = { members: ['a', 'b', 'c'], since: 9 }
  const lines = (fault: string): Timed[] => [
    [1, { ...held, member: 'a' }],
    [2, { ...held, member: 'b' }],
    [3, { ...held, member: 'c' }],
    [4, { kind: 'fault', fault: 'rot', scope: ['c'], phase: 'once', mark: 0, destroyed: ['c'] }],
    [5, disk],
    [6, { kind: 'fault', fault, scope: ['c'], phase: 'once', mark: 1, destroyed: [] }],
    [7, { kind: 'status', member: 'c', status: 'source', round }],
    [8, { kind: 'roster', members: ['a', 'b', 'c'] }],
  ]

  it('is not blamed: its tree has it until somebody looks (seed 700147)', () => {
    const rotten = `rot in version ${version.slice(0, 12)}`
    expect(found(6, 'visible', ...lines(rotten))).toEqual([])
    expect(found(6, 'visible', ...lines('rot in version 0000'))).toHaveLength(1)
  })
})

describe('two sides with Sources, under quorum roster', () => {
  const source = (member: string, status: 'source' | 'counter-sync' = 'source'): Unplaced => ({
    kind: 'status',
    member,
    status,
    round: null,
  })
  const cut: Unplaced = { kind: 'sides', sides: [['a'], ['b', 'c']] }
  const joined: Unplaced = { kind: 'sides', sides: [['a', 'b', 'c']] }
  const begun: Timed[] = [
    [1, joined],
    [2, source('a')],
    [3, source('b')],
    [1000, cut],
  ]

  it('for longer than seven seconds are blamed, once', () => {
    const later: Timed[] = [
      [7999, source('c')],
      [8001, source('c')],
      [8002, source('c')],
    ]
    expect(found(6, 'roster', ...begun, ...later)).toEqual([
      'Sources on two sides for over 7000 ms: a and b+c',
    ])
  })

  it('are not, when one gives it up in time, or the sides meet, or the quorum is visible', () => {
    const end: Timed = [20_000, source('c')]
    expect(found(6, 'roster', ...begun, [6000, source('a', 'counter-sync')], end)).toEqual([])
    expect(found(6, 'roster', ...begun, [6000, joined], end)).toEqual([])
    expect(found(6, 'visible', ...begun, end)).toEqual([])
  })
})
