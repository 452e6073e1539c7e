/**
 * Judges a history: all checks, in order, and the verdict as a person reads it. Each check answers
 * pass, fail or unknown with its denominators; the verdict is good only if all ten pass.
 */
import { checkChains } from './chains.ts'
import { checkCollisions } from './collisions.ts'
import { checkConverged } from './converge.ts'
import { checkInvented } from './invented.ts'
import { checkLife } from './life.ts'
import { checkLost } from './lost.ts'
import { checkMajority } from './majority.ts'
import { checkOrder } from './order.ts'
import type { ReadHistory } from './read.ts'
import { checkShown } from './reads.ts'
import { type Answer, CHECKS, type CheckNumber, Report } from './report.ts'
import { checkResurrection } from './resurrection.ts'
import { prepare } from './run.ts'
import { checkSides } from './sides.ts'

export interface Verdict {
  readonly ok: boolean
  readonly answers: readonly Answer[]
}

/** Runs every check over a history; never throws for what the history says. */
export function checkHistory({ lines, problems }: ReadHistory): Verdict {
  const reports = CHECKS.map((_, number) => new Report(number as CheckNumber))
  const report = (number: CheckNumber) => reports[number]!
  for (const problem of problems) report(0).unknown(problem)
  const run = prepare(lines, report(0))
  if (run === null) {
    for (const one of reports.slice(1)) one.unknown('there is no history to look at')
  } else {
    checkLost(run, report(1))
    checkInvented(run, report(2))
    checkChains(run, report(3))
    checkShown(run, report(3), report(7))
    checkConverged(run, report(4))
    checkCollisions(run, report(5))
    checkMajority(run, report(6))
    checkSides(run, report(6))
    checkOrder(run, report(7))
    checkResurrection(run, report(8))
    checkLife(run, report(9))
  }
  const answers = reports.map(one => one.answer())
  return { ok: answers.every(({ answer }) => answer === 'pass'), answers }
}

/** The verdict in lines: a check each, with what was looked at, and the witnesses. */
export function verdictText({ ok, answers }: Verdict): string {
  const lines = answers.flatMap(answer => {
    const looked = [...answer.looked].map(([what, count]) => `${count} ${what}`).join(', ')
    const head = `${answer.check} ${answer.answer.padEnd(7)} ${answer.name}`
    const findings = answer.findings.map(({ kind, sentence, witness }) => {
      const where = witness.length === 0 ? '' : ` (lines ${witness.join(', ')})`
      return `    ${kind === 'unknown' ? 'cannot tell: ' : ''}${sentence}${where}`
    })
    const rest = answer.count - answer.findings.length
    const more = rest > 0 ? [`    and ${rest} more`] : []
    const notes = answer.notes.map(note => `    note: ${note}`)
    return [looked === '' ? head : `${head}: ${looked}`, ...findings, ...more, ...notes]
  })
  const failed = answers.filter(({ answer }) => answer !== 'pass').map(({ check }) => check)
  const verdict = ok ? 'PASS' : `FAIL: checks ${failed.join(', ')}`
  return [...lines, verdict].join('\n')
}
