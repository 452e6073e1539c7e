/**
 * A soak: everything that looks for errors, for as long as asked, and one row in the ledger. The
 * simulator leaves one core to the lab (which needs root); when that has ended, the explorer and then
 * the fuzzers run beside it. Each part is the command that anybody can run by hand; what it
 * printed is kept beside its figures, so that a failure can be repeated.
 *
 *   npm run soak -- --minutes 40
 *
 * Exits 0 when nothing failed, 1 when something did (its row is written all the same), 2 when it
 * was not understood.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { neverMet } from '../../sim/totals.ts'
import { readLedger, type Soak, sumText, withSoak } from './ledger.ts'
import { type Lab, runExplorer, runFuzzers, runLab, runSeeds, type Seeds } from './parts.ts'

const HELP = `npm run soak -- [options]
  --minutes N      about how long (default 40)
  --lab-minutes N  how long of it real daemons run, on a core of their own (default: two thirds)
  --from N         the first seed (default: after the last one of the ledger)
  --jobs N         processes of the simulator at once (default 2); one less while the lab runs
  --no-lab         leave real daemons out (they need root)
  --ledger FILE    where the row goes (default docs/ledger.md)
`

const LAB_SHARE = 0.65
/** Below this the explorer and the fuzzers would have no time beside the lab. */
const MINUTES_MIN = 5
/** Time for one network. */
const LAB_MINUTES_MIN = 2

interface Asked {
  readonly minutes: number
  readonly from: number | null
  /** None: without real daemons. */
  readonly labMinutes: number
  readonly jobs: number
  readonly ledger: string
}

class UsageError extends Error {}

function readArguments(args: readonly string[]): Asked | 'help' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: text,
      'lab-minutes': text,
      from: text,
      jobs: text,
      'no-lab': flag,
      ledger: text,
      help: flag,
    },
  })
  if (values.help === true) return 'help'
  const minutes = Number(values.minutes ?? '40')
  if (!(minutes >= MINUTES_MIN)) throw new UsageError(`--minutes is at least ${MINUTES_MIN}`)
  const from = values.from === undefined ? null : Number(values.from)
  if (from !== null && !Number.isSafeInteger(from)) throw new UsageError('--from is a seed')
  const labMinutes = readLabMinutes(values, minutes)
  const jobs = Number(values.jobs ?? '2')
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64) throw new UsageError('--jobs is 1 to 64')
  return {
    minutes,
    from,
    labMinutes,
    jobs,
    ledger: values.ledger ?? fileURLToPath(new URL('../../docs/ledger.md', import.meta.url)),
  }
}

function readLabMinutes(
  values: { readonly 'no-lab'?: boolean; readonly 'lab-minutes'?: string },
  minutes: number,
): number {
  const asked = values['lab-minutes']
  if (values['no-lab'] === true) {
    if (asked !== undefined)
      throw new UsageError('--lab-minutes and --no-lab contradict each other')
    return 0
  }
  const labMinutes = asked === undefined ? minutes * LAB_SHARE : Number(asked)
  if (!(labMinutes >= LAB_MINUTES_MIN && labMinutes <= minutes)) {
    throw new UsageError(`--lab-minutes is from ${LAB_MINUTES_MIN} to --minutes`)
  }
  return labMinutes
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`)
}

/** Seeds are drawn by number: a soak goes on where the last one ended. */
function nextSeed(soaks: readonly Soak[]): number {
  const ends = soaks.map(({ range }) => Number(range.split('–').at(-1)))
  return Math.max(0, ...ends) + 1
}

function commitOf(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const isClean = git('status', '--porcelain', '--untracked-files=no') === ''
  return `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : '+'}`
}

/** Below so many seeds a mark may be missed by chance. */
const ALL_MARKS_FROM_SEEDS = 400

/** A soak that never meets what must happen sometimes was too tame: that is a failure, too. */
function tameness({ seeds, marks }: Seeds): readonly string[] {
  return seeds < ALL_MARKS_FROM_SEEDS ? [] : neverMet({ marks })
}

function rowFor(asked: Asked, commit: string, seeds: Seeds, others: Others): Soak {
  const { lab, states, inputs } = others
  const faults = { ...seeds.faults }
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    minutes: asked.minutes,
    seeds: seeds.seeds,
    range: `${seeds.from}–${seeds.from + seeds.seeds - 1}`,
    hours: Math.round(seeds.simulatedMs / 36_000) / 100,
    faults,
    ...seeds.operations,
    acknowledged: seeds.acknowledged,
    lost: seeds.lost,
    diverged: seeds.diverged,
    falseSplits: seeds.falseSplits,
    failed:
      seeds.failed.length +
      tameness(seeds).length +
      (lab?.failed ?? 0) +
      states.failed +
      inputs.failed,
    kills: lab?.kills ?? 0,
    powerCuts: lab?.powerCuts ?? 0,
    labDone: lab?.operations.done ?? 0,
    labAcknowledged: lab?.acknowledged ?? 0,
    labLost: lab?.lost ?? 0,
    states: states.passed,
    inputs: inputs.passed,
  }
}

interface Others {
  readonly lab: Lab | null
  readonly states: { readonly passed: number; readonly failed: number }
  readonly inputs: { readonly passed: number; readonly failed: number }
}

async function runOthers(asked: Asked, folder: string, labEnded: () => void): Promise<Others> {
  const lab = asked.labMinutes > 0 ? await runLab(folder, asked.labMinutes) : null
  labEnded()
  if (lab !== null) say(`lab: ${lab.kills} kills, ${lab.powerCuts} power cuts, ${lab.lost} lost`)
  const states = await runExplorer(folder)
  say(`explorer: ${states.passed} states, ${states.failed} violations`)
  const inputs = await runFuzzers(folder)
  say(`fuzzers: ${inputs.passed} inputs, ${inputs.failed} findings`)
  return { lab, states, inputs }
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked | 'help'
  try {
    asked = readArguments(args)
  } catch (error) {
    const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
    if (!isUsage) throw error
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return 2
  }
  if (asked === 'help') {
    say(HELP)
    return 0
  }
  if (asked.labMinutes > 0 && process.getuid?.() !== 0) {
    process.stderr.write('the lab needs root; --no-lab leaves it out\n')
    return 2
  }
  const ledger = readFileSync(asked.ledger, 'utf8')
  const commit = commitOf()
  const folder = mkdtempSync(join(tmpdir(), 'veche-soak-'))
  say(`a soak of ${asked.minutes} minutes on ${commit}; what its parts print is in ${folder}`)
  const endMs = performance.now() + asked.minutes * 60_000
  const from = asked.from ?? nextSeed(readLedger(ledger))
  let isLabOver = asked.labMinutes === 0
  const jobs = () => (isLabOver ? asked.jobs : Math.max(1, asked.jobs - 1))
  const [seeds, others] = await Promise.all([
    runSeeds(folder, { from, endMs, jobs }, say),
    runOthers(asked, folder, () => {
      isLabOver = true
    }),
  ])
  const soak = rowFor(asked, commit, seeds, others)
  writeFileSync(asked.ledger, withSoak(readFileSync(asked.ledger, 'utf8'), soak))
  for (const { command, sentence } of seeds.failed) say(`FAILED ${sentence}\n  ${command}`)
  for (const mark of tameness(seeds)) say(`NEVER MET ${mark}`)
  say(sumText([soak]))
  return soak.failed === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
