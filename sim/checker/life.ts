/**
 * Check 9: bounds and life. Every question was answered; measures stay below their ceilings; after
 * the last fault a Source exists within its time and stays, and a write at every member is done
 * within its time.
 */
import type { Report } from './report.ts'
import { isWrite, lastMembers, type Run } from './run.ts'

/** Runs the check. */
export function checkLife(run: Run, report: Report): void {
  for (const { asked, end, request } of run.operations.values()) {
    report.look('answers')
    if (end !== null) continue
    report.fail(`${request} (${asked.op} of ${asked.id}) was never answered`, asked.seq)
  }
  for (const line of run.lines) {
    if (line.kind !== 'sample') continue
    report.look('samples')
    if (line.value <= line.limit) continue
    const sentence = `${line.what} of ${line.member} is ${line.value}, at most ${line.limit}`
    report.fail(sentence, line.seq)
  }
  const healedMs = healedAt(run)
  if (healedMs === null) {
    report.unknown('a fault is never ended: the run was not healed')
    return
  }
  checkWrites(run, healedMs, report)
  if (run.begin.records.statuses) checkSources(run, healedMs, report)
}

/** When the last fault ended; null if one did not. */
function healedAt(run: Run): number | null {
  const open = new Set<number>()
  let atMs = run.begin.atMs
  for (const line of run.lines) {
    if (line.kind !== 'fault') continue
    atMs = line.atMs
    if (line.phase === 'start') open.add(line.mark)
    if (line.phase === 'stop') open.delete(line.mark)
  }
  return open.size === 0 ? atMs : null
}

function checkWrites(run: Run, healedMs: number, report: Report): void {
  const { writeMs } = run.begin.bounds
  const writing = new Set<string>()
  for (const operation of run.operations.values()) {
    const { asked, end, request } = operation
    if (!isWrite(operation) || asked.atMs < healedMs || end === null) continue
    report.look('writes after the heal')
    const tookMs = end.atMs - asked.atMs
    if (end.kind === 'unknown') {
      report.fail(`${request} is unknown, though nothing was faulty any more`, asked.seq, end.seq)
    } else if (tookMs > writeMs) {
      report.fail(`${request} took ${tookMs} ms after the heal`, asked.seq, end.seq)
    } else if (end.kind === 'done') writing.add(asked.member)
  }
  const idle = lastMembers(run).filter(member => !writing.has(member))
  if (idle.length === 0) return
  report.unknown(`no write was done after the heal at ${idle.join(', ')}`)
}

/** A Source that loses its status at a check after the last fault has so long until there is one again. */
const ELECTION_MS = 3000

/**
 * Members that were apart are linked again within this, and those that differ find out at their next
 * check, which is no longer away than a Source is due: until then a status may be lost.
 */
const LINK_MS = 3000

function checkSources(run: Run, healedMs: number, report: Report): void {
  const { sourceMs } = run.begin.bounds
  const dueMs = healedMs + sourceMs
  const endMs = run.lines.at(-1)!.atMs
  if (endMs < dueMs) {
    report.unknown('the history ends before a Source is due after the last fault')
    return
  }
  const sources = new Set<string>()
  let isDue = false
  let isMissing = false
  let lostMs = Number.NEGATIVE_INFINITY
  for (const line of run.lines) {
    const graceMs = lostMs > healedMs ? lostMs + ELECTION_MS : dueMs
    if (line.atMs > dueMs && !isDue) {
      isDue = true
      report.look('Sources when due', sources.size)
    }
    if (isDue && sources.size === 0 && line.atMs > graceMs && !isMissing) {
      isMissing = true
      report.fail(`there is no Source ${line.atMs - healedMs} ms after the last fault`, line.seq)
    }
    if (line.kind !== 'status') continue
    if (line.status === 'source') sources.add(line.member)
    else if (sources.delete(line.member) && sources.size === 0) {
      lostMs = line.atMs
      if (lostMs <= dueMs + LINK_MS) continue
      report.fail(`${line.member} was the last Source, and gave it up in calm`, line.seq)
    }
  }
}
