/**
 * What many runs add up to, for the ledger and the automatic checks: seeds, simulated time, faults
 * by kind and by pair, client operations by outcome, and what was found, each zero with its
 * denominator. Totals of several processes are joined; nothing in them is random or of this machine.
 */
import type { OutcomeCounts } from './history.ts'
import { type MarkName, markNames } from './marks.ts'
import type { RunResult } from './run.ts'
import type { Guarantee } from './verdict.ts'

export interface FailedSeed {
  readonly seed: number
  /** What repeats it. */
  readonly command: string
  readonly guarantee: Guarantee
  readonly atMs: number
  readonly sentence: string
}

export interface Totals {
  seeds: number
  simulatedMs: number
  moments: number
  readonly faults: Record<string, number>
  /** Two kinds that were under way together. */
  readonly pairs: Record<string, number>
  readonly operations: Record<keyof OutcomeCounts, number>
  /** Acknowledged writes that were looked for. */
  acknowledged: number
  /** Runs that the history checker judged. */
  judged: number
  /** What the history checker looked at, by name. */
  readonly looked: Record<string, number>
  /** Coverage marks, by name. */
  readonly marks: Record<string, number>
  /** Seeds that were run a second time, and those whose trace was another then. */
  twice: number
  unequal: number
  readonly failed: FailedSeed[]
  /** From the heal to the first Source, and until all were equal. */
  readonly firstSourceMs: number[]
  readonly settleMs: number[]
}

export function noTotals(): Totals {
  return {
    seeds: 0,
    simulatedMs: 0,
    moments: 0,
    faults: {},
    pairs: {},
    operations: { open: 0, done: 0, refused: 0, unknown: 0 },
    acknowledged: 0,
    judged: 0,
    looked: {},
    marks: {},
    twice: 0,
    unequal: 0,
    failed: [],
    firstSourceMs: [],
    settleMs: [],
  }
}

/** A run with the coverage marks that it met, where these are looked for. */
type Marked = RunResult & { readonly marks?: ReadonlyMap<string, number> }

/** Adds one run. */
export function addRun(totals: Totals, result: Marked): void {
  totals.seeds += 1
  totals.simulatedMs += result.simulatedMs
  totals.moments += result.moments
  addCounts(totals.faults, result.faults)
  addCounts(totals.pairs, result.faultPairs)
  addCounts(totals.marks, result.marks ?? [])
  addCounts(totals.operations, Object.entries(result.outcomes))
  totals.acknowledged += result.history.acknowledged().length
  if (result.judged !== null) totals.judged += 1
  for (const { looked } of result.judged ?? []) addCounts(totals.looked, looked)
  if (result.firstSourceMs !== null) totals.firstSourceMs.push(result.firstSourceMs)
  if (result.convergedMs !== null) totals.settleMs.push(result.convergedMs)
}

/** Adds the totals of another process. */
export function addTotals(totals: Totals, other: Totals): void {
  for (const key of ['seeds', 'simulatedMs', 'moments', 'acknowledged', 'judged'] as const) {
    totals[key] += other[key]
  }
  totals.twice += other.twice
  totals.unequal += other.unequal
  for (const key of ['faults', 'pairs', 'operations', 'looked', 'marks'] as const) {
    addCounts(totals[key], Object.entries(other[key]))
  }
  totals.failed.push(...other.failed)
  totals.firstSourceMs.push(...other.firstSourceMs)
  totals.settleMs.push(...other.settleMs)
}

function addCounts(
  counts: Record<string, number>,
  added: Iterable<readonly [string, number]>,
): void {
  for (const [name, count] of added) counts[name] = (counts[name] ?? 0) + count
}

/** What was found, by what it means for who relies on it. */
export function findings({ failed }: Totals) {
  const count = (...guarantees: readonly Guarantee[]) =>
    failed.filter(({ guarantee }) => guarantees.includes(guarantee)).length
  return {
    lost: count('G1', 'check 1', 'check 8'),
    diverged: count('G2', 'check 4'),
    falseSplits: count('G3', 'check 5'),
  }
}

/** The totals as the soak and the automatic checks read them. */
export function totalsJson(totals: Totals): Record<string, unknown> {
  const { firstSourceMs, settleMs, ...rest } = totals
  const { done, refused, unknown } = totals.operations
  return {
    ...rest,
    operations: { done, refused, unknown },
    faultCount: Object.values(totals.faults).reduce((sum, count) => sum + count, 0),
    ...findings(totals),
    neverMet: neverMet(totals),
    firstSource: spread(firstSourceMs),
    settle: spread(settleMs),
  }
}

/** Marks that no run met: after enough seeds each of them says that the runs are too tame. */
export function neverMet({ marks }: Pick<Totals, 'marks'>): MarkName[] {
  return markNames.filter(name => (marks[name] ?? 0) === 0)
}

function spread(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0)
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

/** The totals in a few lines. */
export function totalsText(totals: Totals): string {
  const { seeds, simulatedMs, operations, faults, acknowledged, judged, failed } = totals
  const { lost, diverged, falseSplits } = findings(totals)
  const faultCount = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const settle = spread(totals.settleMs)
  const lines = [
    `${seeds} seeds, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours, ${failed.length} failed`,
    `clients   ${operations.done} done, ${operations.refused} refused, ${operations.unknown} unknown`,
    `faults    ${faultCount}: ${Object.entries(faults)
      .sort((a, b) => b[1] - a[1])
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
    `judged    ${judged} histories; ${lost} lost of ${acknowledged} acknowledged, ${diverged} diverged, ${falseSplits} false splits`,
    `settled   p50 ${(settle.p50Ms / 1000).toFixed(1)} s, p99 ${(settle.p99Ms / 1000).toFixed(1)} s after the heal`,
  ]
  const never = neverMet(totals)
  lines.push(`marks     ${markNames.length - never.length} of ${markNames.length} met`)
  if (never.length > 0 && never.length <= 10) lines.push(`never     ${never.join('; ')}`)
  if (totals.twice > 0) lines.push(`twice     ${totals.twice}, ${totals.unequal} of them unequal`)
  if (failed.length > 0) {
    lines.push(`failing seeds: ${failed.map(({ seed }) => seed).join(' ')}`)
  }
  return `${lines.join('\n')}\n`
}
