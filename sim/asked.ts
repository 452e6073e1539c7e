/**
 * The arguments of the simulator's command line, read strictly: what is not understood is refused
 * with a sentence, and never taken for something else.
 */
import { parseArgs } from 'node:util'
import { type PlantedBug, plantedBugNames, type Quorum } from '../src/consensus/agreement/state.ts'
import { drawnOptions } from './draw.ts'
import type { RunOptions } from './run.ts'

export const HELP = `npm run sim -- [options]
  --seed N         one run, told in full (default: 1)
  --seeds N        so many runs, each drawn from its seed; failing seeds are printed
  --from N         the first of them (default: 1)
  --drawn          with --seed: members, quorum and clients as its seed draws them
  --members N      1 to 20 (default: 5, or drawn)
  --seconds N      of faults, before the heal (default: 60)
  --quorum WHICH   visible or roster (default: visible, or drawn)
  --planted BUG    one of the errors of src/consensus/agreement/state.ts (plantedBugNames)
  --trace          print all that happens
one run:
  --history FILE   write what the history checker judges
  --html FILE      draw the run as one page
  --shrink FILE    when it fails, look for a smaller run that fails alike, and write it
  --minutes N      look for so long (default: 5)
  --replay FILE    the run that a file tells, in place of a seed
many runs:
  --jobs N         so many processes (default: 1)
  --twice-every N  every Nth seed runs twice and must have one trace
  --json           the totals as JSON
  --result FILE    write {"passed", "failed"}
`

/** What many runs are asked for. */
export interface Many {
  readonly count: number
  readonly jobs: number
  readonly twiceEvery: number | null
  readonly isJson: boolean
  readonly resultPath: string | null
}

export interface Asked {
  readonly seed: number
  readonly many: Many | null
  readonly isDrawn: boolean
  readonly members: number | null
  readonly seconds: number
  readonly quorum: Quorum | null
  readonly planted: ReadonlySet<PlantedBug>
  readonly isTraced: boolean
  readonly historyPath: string | null
  readonly htmlPath: string | null
  readonly shrinkPath: string | null
  readonly minutes: number
  readonly replayPath: string | null
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

export function readArguments(args: readonly string[]): Asked | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: text,
      seeds: text,
      from: text,
      drawn: flag,
      members: text,
      seconds: text,
      quorum: text,
      planted: { type: 'string', multiple: true },
      trace: flag,
      history: text,
      html: text,
      shrink: text,
      minutes: text,
      replay: text,
      jobs: text,
      'twice-every': text,
      json: flag,
      result: text,
      help: flag,
    },
  })
  if (values.help === true) return 'help'
  const { quorum, planted = [] } = values
  if (quorum !== undefined && quorum !== 'visible' && quorum !== 'roster') {
    throw new UsageError(`no quorum ${quorum}`)
  }
  const count = optional('seeds', values.seeds, 1, 1_000_000)
  const first = (count === null ? values.seed : values.from) ?? '1'
  return {
    seed: whole(count === null ? 'seed' : 'from', first, 0, Number.MAX_SAFE_INTEGER),
    many:
      count === null
        ? null
        : {
            count,
            jobs: whole('jobs', values.jobs ?? '1', 1, 64),
            twiceEvery: optional('twice-every', values['twice-every'], 1, 1_000_000),
            isJson: values.json === true,
            resultPath: values.result ?? null,
          },
    isDrawn: values.drawn === true || count !== null,
    members: optional('members', values.members, 1, 20),
    seconds: whole('seconds', values.seconds ?? '60', 1, 100_000),
    quorum: quorum ?? null,
    planted: new Set(planted.map(bugOf)),
    isTraced: values.trace === true,
    historyPath: values.history ?? null,
    htmlPath: values.html ?? null,
    shrinkPath: values.shrink ?? null,
    minutes: whole('minutes', values.minutes ?? '5', 1, 10_000),
    replayPath: values.replay ?? null,
  }
}

function bugOf(name: string): PlantedBug {
  const bug = plantedBugNames.find(known => known === name)
  if (bug === undefined) throw new UsageError(`no planted bug ${name}`)
  return bug
}

function optional(name: string, given: string | undefined, low: number, high: number) {
  return given === undefined ? null : whole(name, given, low, high)
}

function whole(name: string, given: string, low: number, high: number): number {
  const value = Number(given)
  if (/^\d+$/.test(given) && value >= low && value <= high) return value
  throw new UsageError(`--${name} is a whole number from ${low} to ${high}`)
}

/** The run of a seed as it was asked for. */
export function optionsOf(asked: Asked, seed: number): RunOptions {
  const { members, quorum, seconds, planted } = asked
  const drawn = asked.isDrawn ? drawnOptions(seed) : { members: 5, quorum: 'visible' as const }
  return {
    ...drawn,
    seed,
    members: members ?? drawn.members,
    quorum: quorum ?? drawn.quorum,
    seconds,
    planted,
  }
}

/** What repeats the run of a seed. */
export function commandOf(asked: Asked, seed: number): string {
  const { members, quorum, seconds, planted, isDrawn } = asked
  const parts = [
    `npm run sim -- --seed ${seed}`,
    isDrawn ? '--drawn' : '',
    members === null ? '' : `--members ${members}`,
    `--seconds ${seconds}`,
    quorum === null ? '' : `--quorum ${quorum}`,
    ...[...planted].map(bug => `--planted ${bug}`),
  ]
  return parts.filter(part => part !== '').join(' ')
}
