/**
 * Hands a finished run to the history checker, which shares nothing with the product: last writes
 * at every member, then every member whole, some idle time, and whole again. What the checker finds
 * becomes a violation like those that the simulator's own checks find.
 */
import { checkHistory } from './checker/check.ts'
import type { Answer } from './checker/report.ts'
import type { Lines } from './history-lines.ts'
import type { HistoryRecorder } from './history-recorder.ts'
import { takingPart } from './settled.ts'
import type { Judged, Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** Dumps every member that takes part, at one instant. */
export async function dumpAll(world: World, recorder: HistoryRecorder): Promise<void> {
  for (const entry of takingPart(world)) await recorder.dump(entry, 'settled')
}

/** What the checker says of a history; each finding is added to the verdict of the run. */
export function judge(lines: Lines, verdict: Verdict): readonly Answer[] {
  const { answers } = checkHistory({ lines: lines.list, problems: [] })
  for (const { check, answer, findings } of answers) {
    if (answer === 'pass') continue
    for (const { kind, sentence, witness } of findings) {
      const where = witness.length === 0 ? '' : ` (lines ${witness.join(', ')})`
      const told = kind === 'unknown' ? `cannot tell: ${sentence}${where}` : `${sentence}${where}`
      const atMs = lines.list[witness.at(-1) ?? -1]?.atMs
      verdict.fail(`check ${check}` satisfies Judged, told, atMs)
    }
  }
  return answers
}
