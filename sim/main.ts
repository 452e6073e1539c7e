/**
 * The simulator's command line: one seed told in full, or many with the failing ones named.
 *
 *   npm run sim -- --seed 7 --members 5 --seconds 120
 *   npm run sim -- --seeds 200 --from 1000
 *
 * Exits 0 when everything held, 1 on a violation, 2 when it was not understood.
 */
import { parseArgs } from 'node:util'
import type { PlantedBug, Quorum } from '../src/consensus/agreement/state.ts'
import { membersOf } from './draw.ts'
import { paintFor, report, seconds } from './report.ts'
import { type RunOptions, type RunResult, simulate } from './run.ts'

const HELP = `npm run sim -- [options]
  --seed N         one run, told in full (default: 1)
  --seeds N        so many runs; failing seeds are printed
  --from N         the first of them (default: 1)
  --members N      1 to 20 (default: 5; with --seeds drawn by the seed, 2 to 7)
  --seconds N      of faults, before the heal (default: 60)
  --quorum WHICH   visible or roster (default: visible)
  --planted BUG    answer-before-persist, count-self, split-by-arrival or suppress-marks
  --trace          print all that happens
`

const BUGS: readonly PlantedBug[] = [
  'answer-before-persist',
  'count-self',
  'split-by-arrival',
  'suppress-marks',
]

/** The seed under way, for when a member throws where nobody waits. */
let running: number | null = null

interface Asked {
  readonly seed: number
  readonly seeds: number | null
  readonly members: number | null
  readonly seconds: number
  readonly quorum: Quorum
  readonly planted: ReadonlySet<PlantedBug>
  readonly isTraced: boolean
}

class UsageError extends Error {
  override readonly name = 'UsageError'
}

function readArguments(args: readonly string[]): Asked | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      members: { type: 'string' },
      seconds: { type: 'string' },
      quorum: { type: 'string' },
      planted: { type: 'string', multiple: true },
      trace: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return 'help'
  const { quorum = 'visible', planted = [] } = values
  if (quorum !== 'visible' && quorum !== 'roster') throw new UsageError(`no quorum ${quorum}`)
  const bugs = planted.map(name => {
    const bug = BUGS.find(known => known === name)
    if (bug === undefined) throw new UsageError(`no planted bug ${name}`)
    return bug
  })
  const seeds = values.seeds === undefined ? null : whole('seeds', values.seeds, 1, 1_000_000)
  const first = (seeds === null ? values.seed : values.from) ?? '1'
  return {
    seed: whole(seeds === null ? 'seed' : 'from', first, 0, Number.MAX_SAFE_INTEGER),
    seeds,
    members: values.members === undefined ? null : whole('members', values.members, 1, 20),
    seconds: whole('seconds', values.seconds ?? '60', 1, 100_000),
    quorum,
    planted: new Set(bugs),
    isTraced: values.trace === true,
  }
}

function whole(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= low && value <= high) return value
  throw new UsageError(`--${name} is a whole number from ${low} to ${high}`)
}

function optionsOf(asked: Asked, seed: number): RunOptions {
  const members = asked.members ?? (asked.seeds === null ? 5 : membersOf(seed))
  const { quorum, planted } = asked
  return { seed, members, seconds: asked.seconds, quorum, planted }
}

async function runOne(asked: Asked): Promise<boolean> {
  const paint = paintFor(process.stdout, process.env)
  const traced = (atMs: number, member: string, what: string) => {
    process.stdout.write(`${seconds(atMs)}  ${member.padEnd(5)} ${what}\n`)
  }
  running = asked.seed
  const watch = asked.isTraced ? { watch: () => ({ traced }) } : {}
  const result = await simulate({ ...optionsOf(asked, asked.seed), ...watch })
  process.stdout.write(report(result, paint))
  return result.violationCount === 0
}

async function runMany(asked: Asked, count: number): Promise<boolean> {
  const failed: number[] = []
  let simulatedMs = 0
  for (let seed = asked.seed; seed < asked.seed + count; seed++) {
    running = seed
    const result = await simulate({ ...optionsOf(asked, seed), stopAtFirst: true })
    simulatedMs += result.simulatedMs
    if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed}, ${failed.length} failed `)
    if (result.violationCount === 0) continue
    failed.push(seed)
    process.stdout.write(`${failureLine(result)}\n`)
  }
  if (process.stderr.isTTY) process.stderr.write('\r')
  const hours = (simulatedMs / 3_600_000).toFixed(2)
  process.stdout.write(`${count} seeds, ${hours} simulated hours, ${failed.length} failed\n`)
  if (failed.length > 0) process.stdout.write(`failing seeds: ${failed.join(' ')}\n`)
  return failed.length === 0
}

function failureLine({ options, violations }: RunResult): string {
  const { seed, members, seconds: time, quorum } = options
  const first = violations[0]!
  const replay = `--seed ${seed} --members ${members} --seconds ${time} --quorum ${quorum}`
  return `${first.guarantee} ${seconds(first.atMs)}  ${first.sentence}\n  npm run sim -- ${replay}`
}

async function main(args: readonly string[]): Promise<number> {
  const asked = readArguments(args)
  if (asked === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  const holds = asked.seeds === null ? await runOne(asked) : await runMany(asked, asked.seeds)
  return holds ? 0 : 1
}

process.on('unhandledRejection', error => {
  process.stderr.write(`seed ${running}: nobody took this error\n`)
  throw error
})

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true
  if (!isUsage) throw error
  process.stderr.write(`${(error as Error).message}\n\n${HELP}`)
  process.exitCode = 2
}
