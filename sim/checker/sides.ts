/**
 * The part of check 6 that is G6: with `quorum: roster` two sides of a cut never have Sources at the
 * same time for longer than `sidesMs`. Judged from the sides and statuses that were written down;
 * whenever the sides change, the time begins anew. Without `sides` lines nothing is judged, and said.
 */
import type { HistoryLine } from './format.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'

const SIDES_MS = 7000

/** Two sides with Sources, and since when. */
interface Double {
  readonly sinceMs: number
  readonly seq: number
}

/** Runs the check. */
export function checkSides(run: Run, report: Report): void {
  const { quorum, records, bounds } = run.begin
  if (quorum !== 'roster') return
  if (records.sides !== true || !records.statuses) {
    report.notes.push('no `sides` lines: whether two sides had Sources was not looked at')
    return
  }
  const mostMs = bounds.sidesMs ?? SIDES_MS
  const sources = new Set<string>()
  let sides: readonly (readonly string[])[] = []
  let double: Double | null = null
  for (const line of run.lines) {
    if (double !== null && line.atMs - double.sinceMs > mostMs) {
      const names = withSource(sides, sources).map(side => side.join('+'))
      const sentence = `Sources on two sides for over ${mostMs} ms: ${names.join(' and ')}`
      report.fail(sentence, double.seq, line.seq)
      double = { sinceMs: line.atMs, seq: line.seq } // said once for each such time
    }
    const isCut = line.kind === 'sides'
    if (isCut) {
      sides = line.sides
      report.look('cuts and joins')
    }
    if (line.kind === 'status') {
      if (line.status === 'source') sources.add(line.member)
      else sources.delete(line.member)
    }
    if (!isCut && line.kind !== 'status') continue
    if (withSource(sides, sources).length < 2) double = null
    else if (double === null || isCut) double = begun(line)
  }
}

function begun({ atMs, seq }: HistoryLine): Double {
  return { sinceMs: atMs, seq }
}

function withSource(
  sides: readonly (readonly string[])[],
  sources: ReadonlySet<string>,
): readonly (readonly string[])[] {
  return sides.filter(side => side.some(member => sources.has(member)))
}
