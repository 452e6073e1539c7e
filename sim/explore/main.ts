/**
 * The explorer's command line.
 *
 *   npm run explore -- --members 2 --states 1000000
 *   npm run explore -- --members 3 --quorum roster --surprises 2
 *   npm run explore -- --ci --result FILE
 *
 * Exits 0 when everything held, 1 on a violation (told by its shortest way), 2 when it was not
 * understood. `--result FILE` leaves {"passed", "failed"} behind, counted in states.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  type PlantedBug,
  plantedBugNames,
  type Quorum,
} from '../../src/consensus/agreement/state.ts'
import { type Planned, plannedForCi } from './ci.ts'
import { type Exploration, type Explored, explore, type Found } from './explore.ts'
import type { Order } from './moves.ts'
import { exploreRosters } from './roster/main.ts'

const HELP = `npm run explore -- [options]
  --members N      2 to 4 (default: 2)
  --states N       stop after so many (default: 1000000)
  --surprises N    losses, cuts, crashes, writes, … in one life at most (default: 2)
  --order WHICH    free or fifo (default: free for 2 members, fifo for more)
  --quorum WHICH   visible or roster (default: visible)
  --quantum MS     time advances by so much (default: 1000)
  --writes N       users' writes at most (default: 2)
  --recover N      liveness from every N-th state; 0: never (default: 200)
  --begin N        only this beginning (0: Sources, 1: empty, 2: different facts,
                   3, of three and more: the first lacks what the others have)
  --planted BUG    ${plantedBugNames.join(', ')}
  --ci             all that CI explores, one after the other
  --roster         changes of the roster instead, with --states and --result
  --result FILE    write {"passed": N, "failed": N}
`

class UsageError extends Error {
  override readonly name = 'UsageError'
}

interface Asked {
  readonly planned: readonly Planned[]
  readonly result: string | null
}

const optionNames = [
  'members',
  'states',
  'surprises',
  'order',
  'quorum',
  'quantum',
  'writes',
  'recover',
  'begin',
  'planted',
  'result',
] as const

function readArguments(args: readonly string[]): Asked | 'help' {
  const options = Object.fromEntries(optionNames.map(name => [name, { type: 'string' as const }]))
  const parsed = parseArgs({
    args: [...args],
    options: { ...options, ci: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  const values: Readonly<Record<string, unknown>> = parsed.values
  if (values.help === true) return 'help'
  const text = (name: string, otherwise: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : otherwise
  }
  const whole = (name: string, otherwise: number, min: number, max: number) => {
    const value = Number(text(name, String(otherwise)))
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new UsageError(`--${name} is a number from ${min} to ${max}`)
  }
  const members = whole('members', 2, 2, 4)
  const order = oneOf<Order>('order', text('order', members === 2 ? 'free' : 'fifo'), [
    'free',
    'fifo',
  ])
  const quorum = oneOf<Quorum>('quorum', text('quorum', 'visible'), ['visible', 'roster'])
  const planted = text('planted', '')
  const bugs = planted === '' ? [] : [oneOf<PlantedBug>('planted', planted, plantedBugNames)]
  const begin = values.begin === undefined ? null : whole('begin', 0, 0, members === 2 ? 2 : 3)
  const exploration: Exploration = {
    setting: {
      members,
      quorum,
      planted: new Set(bugs),
      quantumMs: whole('quantum', 1000, 100, 5000),
      writesMax: whole('writes', 2, 0, 4),
    },
    order,
    surprisesMax: whole('surprises', 2, 0, 20),
    statesMax: whole('states', 1_000_000, 1, 100_000_000),
    recoverEvery: whole('recover', 200, 0, 1_000_000_000),
    ...(begin === null ? {} : { beginnings: [begin] }),
  }
  return {
    planned: values.ci === true ? plannedForCi() : [{ exploration, mustEnd: false }],
    result: values.result === undefined ? null : text('result', ''),
  }
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find(other => other === value)
  if (found === undefined) throw new UsageError(`--${name} is one of ${known.join(', ')}`)
  return found
}

function report(explored: Explored, { setting, order }: Exploration, seconds: number): string {
  const { states, transitions, depth, layers, violation } = explored
  const lines = [
    `${setting.members} members, quorum ${setting.quorum}, order ${order}, time by ${setting.quantumMs} ms`,
    ...layers.map(
      layer =>
        `  ${layer.surprises} surprises: ${layer.states} states, ${layer.isExhausted ? 'exhausted' : 'not exhausted'}`,
    ),
    `${states} states, ${transitions} transitions, depth ${depth}, ${explored.recoveries} recoveries ` +
      `(Source after ${explored.sourceMs} ms, equal after ${explored.equalMs} ms at most)`,
    `${seconds.toFixed(1)} s, ${Math.round(states / seconds)} states/s`,
    explored.isExhausted
      ? 'the frontier is exhausted within these bounds'
      : 'more is to be explored',
  ]
  if (violation !== null) lines.push(...wayText(violation))
  return lines.join('\n')
}

function wayText({ sentence, beginning, path }: Found): string[] {
  const told = path.map((text, at) => `  ${at + 1}. ${text}`)
  return [`VIOLATION ${sentence}`, `from: ${beginning}`, ...told]
}

function run({ exploration, mustEnd }: Planned): Explored {
  const began = performance.now()
  const explored = explore(exploration)
  const seconds = (performance.now() - began) / 1000
  process.stdout.write(`${report(explored, exploration, seconds)}\n`)
  if (mustEnd && !explored.isExhausted) process.stdout.write('FAILED: this should have ended\n')
  return explored
}

function main(): number {
  try {
    const args = process.argv.slice(2)
    if (args.includes('--roster')) return exploreRosters(args)
    const asked = readArguments(args)
    if (asked === 'help') {
      process.stdout.write(HELP)
      return 0
    }
    let passed = 0
    let failed = 0
    for (const planned of asked.planned) {
      const explored = run(planned)
      const hasEnded = explored.isExhausted || !planned.mustEnd
      passed += explored.states
      failed += explored.violation === null && hasEnded ? 0 : 1
    }
    if (asked.planned.length > 1)
      process.stdout.write(`${passed} states in all, ${failed} failed\n`)
    if (asked.result !== null) {
      writeFileSync(asked.result, `${JSON.stringify({ passed, failed })}\n`)
    }
    return failed === 0 ? 0 : 1
  } catch (error) {
    const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
    if (!isUsage) throw error
    process.stderr.write(`${error.message}\n${HELP}`)
    return 2
  }
}

process.exitCode = main()
