/**
 * Reads the results that a suite of .ci/run left behind: vitest's JSON report, or a plain
 * {"passed": N, "failed": N}. It never guesses: what it cannot read is an error.
 *
 *   counts.mjs FILE               prints "PASSED FAILED"
 *   counts.mjs --failures FILE    prints each failed test of a report of vitest, with its reason
 *   counts.mjs --ran FILE,… PATH…   fails unless each test file has run in one of the reports: passed
 *                                   tests, none skipped
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { argv, cwd, exit } from 'node:process'

function counts(report) {
  if (!Array.isArray(report.testResults)) return [report.passed, report.failed]
  const tests = report.testResults.flatMap(file => file.assertionResults)
  const count = status => tests.filter(test => test.status === status).length
  // a file that broke outside its tests failed, too, though none of its tests did
  const broken = report.testResults.filter(
    file =>
      file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )
  for (const file of broken) console.error(`broken: ${file.name}\n${file.message}`)
  const unhandled = report.success === false && count('failed') + broken.length === 0 ? 1 : 0
  return [count('passed'), count('failed') + broken.length + unhandled]
}

function notRun(reports, paths) {
  const results = reports.flatMap(({ testResults }) => testResults)
  const files = new Map(results.map(file => [relative(cwd(), file.name), file]))
  return paths.filter(path => {
    const tests = files.get(path)?.assertionResults ?? []
    return tests.length === 0 || tests.some(({ status }) => !['passed', 'failed'].includes(status))
  })
}

/** As much of a failure's text as helps: its message and where it was thrown. */
const REASON_LINES_MAX = 30

function* failures({ testResults = [] }) {
  for (const file of testResults) {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed')
    const broken = file.status === 'failed' && failed.length === 0
    const reasons = broken
      ? [{ fullName: 'broke outside of its tests', failureMessages: [file.message] }]
      : failed
    for (const { fullName, failureMessages = [] } of reasons) {
      yield `${relative(cwd(), file.name)}: ${fullName}`
      yield* failureMessages.join('\n').split('\n').slice(0, REASON_LINES_MAX)
    }
  }
}

const mode = ['--ran', '--failures'].find(name => name === argv[2])
const [report, ...more] = argv[mode === undefined ? 2 : 3]
  .split(',')
  .map(path => JSON.parse(readFileSync(path, 'utf8')))
if (mode === '--failures') {
  for (const line of failures(report)) console.log(line)
  exit(0)
}
if (mode === '--ran') {
  const missing = notRun([report, ...more], argv.slice(4))
  for (const path of missing) console.error(`did not run, or not wholly: ${path}`)
  exit(missing.length === 0 ? 0 : 1)
}
const [passed, failed] = counts(report)
if (!Number.isSafeInteger(passed) || !Number.isSafeInteger(failed)) {
  console.error(`no counts in ${argv[2]}`)
  exit(1)
}
console.log(`${passed} ${failed}`)
