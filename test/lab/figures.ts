/**
 * What a run of the lab amounts to: counts of everything that was done and looked at, added over its
 * networks, as the ledger takes them and as a person reads them. A zero is told with its denominator.
 */
import type { Verdict } from '../../sim/checker/check.ts'
import type { Settled } from './settle.ts'
import type { Counts } from './tape.ts'

/** One network: formed, harmed, healed, judged. */
export interface Outcome {
  readonly seed: string
  readonly members: number
  readonly seconds: number
  readonly counts: Counts
  readonly settled: Settled | null
  readonly verdict: Verdict | null
  /** What must not have happened, beside what the verdict says. */
  readonly findings: readonly string[]
}

export interface Figures {
  networks: number
  passed: number
  failed: number
  seconds: number
  faults: Record<string, number>
  faultCount: number
  kills: number
  powerCuts: number
  partitions: number
  operations: { done: number; refused: number; unknown: number }
  acknowledged: number
  lost: number
  diverged: number
  falseSplits: number
  copiesLookedFor: number
  sourceMsMax: number
  equalMsMax: number
  /** How long daemons waited for a processor while they settled. */
  waitedMsMax: number
}

export function isGood({ verdict, findings }: Outcome): boolean {
  return verdict?.ok === true && findings.length === 0
}

/** All networks together. */
export function figuresOf(outcomes: readonly Outcome[]): Figures {
  const faults: Record<string, number> = {}
  const operations = { done: 0, refused: 0, unknown: 0 }
  for (const { counts } of outcomes) {
    for (const [kind, count] of Object.entries(counts.faults)) {
      faults[kind] = (faults[kind] ?? 0) + count
    }
    for (const kind of ['done', 'refused', 'unknown'] as const) {
      operations[kind] += counts.operations[kind]
    }
  }
  const count = (prefix: string) =>
    Object.entries(faults).reduce((sum, [kind, n]) => sum + (kind.startsWith(prefix) ? n : 0), 0)
  const failures = (check: number) =>
    outcomes.reduce((sum, { verdict }) => sum + (verdict?.answers[check]?.count ?? 0), 0)
  const looked = (check: number, what: string) =>
    outcomes.reduce((sum, { verdict }) => sum + (verdict?.answers[check]?.looked.get(what) ?? 0), 0)
  const most = (of: (settled: Settled) => number | null) =>
    Math.max(0, ...outcomes.map(({ settled }) => (settled === null ? 0 : (of(settled) ?? 0))))
  const passed = outcomes.filter(isGood).length
  return {
    networks: outcomes.length,
    passed,
    failed: outcomes.length - passed,
    seconds: outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    faults,
    faultCount: count(''),
    kills: count('kill'),
    powerCuts: count('power cut'),
    partitions: count('cut: '),
    operations,
    acknowledged: looked(1, 'acknowledged writes'),
    lost: failures(1) + failures(8),
    diverged: failures(4),
    falseSplits: failures(5),
    copiesLookedFor: looked(1, 'copies looked for'),
    sourceMsMax: most(({ sourceMs }) => sourceMs),
    equalMsMax: most(({ equalMs }) => equalMs),
    waitedMsMax: most(({ waitedMs }) => waitedMs),
  }
}

/** The figures in a few lines. */
export function figuresText(figures: Figures): string {
  const { done, refused, unknown } = figures.operations
  const kinds = Object.entries(figures.faults)
    .sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => `${count} ${kind}`)
  const { lost, acknowledged, diverged, falseSplits, networks } = figures
  return [
    `${networks} networks, ${figures.seconds} s of faults, ${figures.failed} failed`,
    `clients   ${done} done, ${refused} refused, ${unknown} unknown`,
    `faults    ${figures.faultCount}: ${kinds.join(', ')}`,
    `of these  ${figures.kills} kills, ${figures.powerCuts} power cuts, ${figures.partitions} partitions`,
    `judged    ${lost} lost of ${acknowledged} acknowledged (${figures.copiesLookedFor} copies looked for), ${diverged} diverged, ${falseSplits} false splits`,
    `settled   a Source after at most ${seconds(figures.sourceMsMax)}, one hash after at most ${seconds(figures.equalMsMax)}; the daemons waited for a processor up to ${seconds(figures.waitedMsMax)} of that`,
  ].join('\n')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
