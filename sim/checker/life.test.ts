/**
 * When somebody must be a Source: from its time after the last fault on, but for the moments in
 * which members that had been apart find out and elect anew. Histories of a few lines.
 */
import { describe, expect, it } from 'vitest'
import { checkHistory } from './check.ts'
import type { HistoryLine, Unplaced } from './format.ts'

const HEALED_MS = 60_000
const SOURCE_MS = 10_000
const END_MS = 90_000

type Change = readonly [atMs: number, member: string, status: 'source' | 'counter-sync']

/** What the check finds when members change like this; both are Sources when the faults end. */
function found(...changes: readonly Change[]) {
  const fault = { fault: 'cut', scope: ['a', 'b'], mark: 1, destroyed: [] } as const
  const timed: (readonly [number, Unplaced])[] = [
    [
      0,
      {
        kind: 'begin',
        format: 1,
        run: 'life',
        members: ['a', 'b'],
        quorum: 'visible',
        records: { holds: false, statuses: true, samples: false },
        mayDestroyAll: false,
        bounds: { sourceMs: SOURCE_MS, debtMs: 1, writeMs: 1000, rosterLagMs: 0, persistMs: 0 },
      },
    ],
    [1, { kind: 'status', member: 'a', status: 'source', round: null }],
    [2, { kind: 'status', member: 'b', status: 'source', round: null }],
    [3, { kind: 'fault', phase: 'start', ...fault }],
    [HEALED_MS, { kind: 'fault', phase: 'stop', ...fault }],
    ...changes.map(
      ([atMs, member, status]) => [atMs, { kind: 'status', member, status, round: null }] as const,
    ),
    [END_MS, { kind: 'roster', members: ['a', 'b'] }],
  ]
  const lines = timed.map(([atMs, line], seq) => ({ ...line, seq, atMs }) as HistoryLine)
  const { findings } = checkHistory({ lines, problems: [] }).answers[9]!
  return findings.filter(({ kind }) => kind === 'fail').map(({ sentence }) => sentence)
}

/** Both give their status up at a moment; one has it again after a while. */
const lost = (atMs: number, forMs: number): Change[] => [
  [atMs, 'a', 'counter-sync'],
  [atMs + 1, 'b', 'counter-sync'],
  [atMs + forMs, 'a', 'source'],
]

describe('after the last fault', () => {
  it('Sources that were apart may find out at their next check, and elect anew (seed 1012507)', () => {
    expect(found(...lost(HEALED_MS + 300, 2000))).toEqual([])
    expect(found(...lost(HEALED_MS + SOURCE_MS + 300, 20))).toEqual([])
  })

  it('somebody is a Source in time, and soon again', () => {
    expect(found(...lost(HEALED_MS - 10, SOURCE_MS + 1000))).toEqual([
      'there is no Source 10990 ms after the last fault',
    ])
    expect(found(...lost(HEALED_MS + SOURCE_MS + 300, 4000))).toEqual([
      'there is no Source 14300 ms after the last fault',
    ])
  })

  it('no status is lost in calm', () => {
    expect(found(...lost(HEALED_MS + SOURCE_MS + 5000, 20))).toEqual([
      'b was the last Source, and gave it up in calm',
    ])
  })
})
