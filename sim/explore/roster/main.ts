/**
 * The roster's part of the explorer's command line.
 *
 *   npm run explore -- --roster [--states N] [--result FILE]
 *
 * Exits 0 when everything held, 1 on a violation (told by its shortest way). `--states N` bounds each
 * setting; `--result FILE` leaves {"passed", "failed"} behind, counted in states.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { exploreRoster } from './explore.ts'
import { deep } from './settings.ts'

export function exploreRosters(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      roster: { type: 'boolean' },
      states: { type: 'string' },
      result: { type: 'string' },
    },
  })
  let passed = 0
  let failed = 0
  for (const [setting, bounds] of deep) {
    const statesMax = values.states === undefined ? bounds.statesMax : Number(values.states)
    const began = performance.now()
    const explored = exploreRoster(setting, { ...bounds, statesMax })
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    const { states, transitions, depth, recoveries, violation } = explored
    const end = explored.isExhausted ? 'exhausted' : 'not exhausted'
    process.stdout.write(
      `${setting.name}: ${states} states, ${end}, ${transitions} transitions, depth ${depth}, ` +
        `${recoveries} recoveries, ${seconds} s\n`,
    )
    passed += states
    if (violation === null) continue
    failed += 1
    const told = violation.path.map((text, at) => `  ${at}. ${text}`)
    process.stdout.write(`VIOLATION ${violation.sentence}\n${told.join('\n')}\n`)
  }
  process.stdout.write(`${passed} states of rosters, ${failed} violations\n`)
  if (values.result !== undefined) {
    writeFileSync(values.result, `${JSON.stringify({ passed: passed - failed, failed })}\n`)
  }
  return failed === 0 ? 0 : 1
}
