/**
 * The runs that found something once, sim/kept/NAME.json: each fails on the code before its mending
 * and must pass for ever after. A file has all that was drawn (members, clients, weather, lies) and
 * the faults one by one, so that a change of what seeds draw changes none of it; where a fault of
 * the list does not strike any more, that is said, and the run is to be made anew as a scene.
 *
 * As a command it runs as many as its time allows, beginning at another one each day, so that in the
 * end all have their turn however many there are.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UsageError } from './asked.ts'
import { drawnOptions } from './draw.ts'
import type { Struck } from './faults/faults.ts'
import { type RunOptions, type RunResult, simulate } from './run.ts'
import { readReason, readRun, writeKept } from './shrink-file.ts'
import { USUAL_LOAD } from './workload.ts'

const HELP = `npm run sim:kept -- [options]
  --minutes N    as many as fit into that time, others first each day (default: 5)
  --only NAME    this one alone
  --result FILE  write {"passed", "failed"}
a new one, best on the commit that still fails:
  --keep NAME    write sim/kept/NAME.json; a line of sim/seeds.txt has to name it
  --seed N       what that seed draws
  --seconds N    of faults (default: 60)
  --replay FILE  the run that a file tells, in place of a seed
  --reason TEXT  what it was
`

export interface KeptRun {
  readonly name: string
  readonly options: RunOptions
  readonly reason: string
}

/** A line of seeds.txt. */
export interface KeptSeed {
  readonly seed: number
  /** `scene` for a test of kept.test.ts, else the name of a kept run. */
  readonly as: string
  readonly reason: string
}

const FOLDER = new URL('kept/', import.meta.url)

/** Reads seeds.txt: the seed, how it is kept, and why. */
export function keptSeeds(): KeptSeed[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [seed, as = '', ...reason] = line.split(/\s+/)
      return { seed: Number(seed), as, reason: reason.join(' ') }
    })
}

/** All kept runs, by name. */
export function keptRuns(): KeptRun[] {
  const files = readdirSync(FOLDER).filter(file => file.endsWith('.json'))
  return files.sort().map(file => {
    const path = new URL(file, FOLDER).pathname
    return { name: file.slice(0, -5), options: readRun(path), reason: readReason(path) }
  })
}

/** What a run finds, in a sentence; null: nothing, as it should be. */
export async function findingOf(options: RunOptions): Promise<string | null> {
  return sentenceOf(await simulate({ ...options, stopAtFirst: true }))
}

/**
 * What is wrong with a kept run: it finds something again, or it is not that run any more. One with
 * a planted bug must find that, and nothing without it.
 */
export async function wrongWith({ options }: KeptRun): Promise<string | null> {
  const { planted = new Set() } = options
  const result = await simulate({ ...options, planted: new Set(), stopAtFirst: true })
  const sentence = sentenceOf(result) ?? rotOf(options.struck ?? [], result.struck)
  if (sentence !== null || planted.size === 0) return sentence
  const found = await findingOf(options)
  return found === null ? `it does not find ${[...planted].join(', ')} any more` : null
}

function sentenceOf({ violations }: RunResult): string | null {
  const first = violations[0]
  return first === undefined ? null : `${first.guarantee} at ${first.atMs}: ${first.sentence}`
}

/** The first fault of a list that did not strike. */
function rotOf(told: readonly Struck[], struck: readonly Struck[]): string | null {
  const lost = told.find(({ draw }) => !struck.some(other => other.draw === draw))
  return lost === undefined ? null : `${lost.kind} at ${lost.atMs} ms does not strike any more`
}

/** Writes a run with all that its seed drew. */
async function keep(name: string, options: RunOptions, reason: string): Promise<void> {
  const { swarm, struck, liar } = await simulate(options)
  const load = { ...USUAL_LOAD, ...options.load }
  const whole = { ...options, load, swarm, struck, lies: liar?.kinds ?? [] }
  writeKept(new URL(`${name}.json`, FOLDER).pathname, whole, reason)
  process.stdout.write(`sim/kept/${name}.json: a line of sim/seeds.txt has to name it\n`)
}

const DAY_MS = 24 * 3_600_000

interface Asked {
  readonly minutes: number
  readonly only: string | undefined
  readonly resultPath: string | undefined
}

async function runAll({ minutes, only, resultPath }: Asked): Promise<number> {
  const endMs = performance.now() + minutes * 60_000
  const runs = keptRuns().filter(({ name }) => only === undefined || name === only)
  if (runs.length === 0) throw new UsageError(`no kept run ${only}: see sim/kept`)
  const first = Math.floor(Date.now() / DAY_MS) % runs.length
  let failed = 0
  let ran = 0
  for (const run of [...runs.slice(first), ...runs.slice(0, first)]) {
    if (performance.now() > endMs) break
    const wrong = await wrongWith(run)
    ran += 1
    process.stdout.write(`${run.name}: ${wrong ?? 'holds'} (kept for: ${run.reason})\n`)
    if (wrong !== null) failed += 1
  }
  process.stdout.write(`${ran} of ${runs.length} kept runs, ${failed} failed\n`)
  if (resultPath !== undefined) {
    writeFileSync(resultPath, `${JSON.stringify({ passed: ran - failed, failed })}\n`)
  }
  return failed === 0 ? 0 : 1
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      minutes: text,
      result: text,
      keep: text,
      reason: text,
      seed: text,
      seconds: text,
      replay: text,
      only: text,
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const { keep: name, only, reason, replay } = values
  if (name === undefined) {
    const minutes = Number(values.minutes ?? '5')
    return await runAll({ minutes, only, resultPath: values.result })
  }
  if (reason === undefined) throw new UsageError('--keep needs a --reason')
  const drawn = { ...drawnOptions(Number(values.seed)), seconds: Number(values.seconds ?? '60') }
  await keep(name, replay === undefined ? drawn : readRun(replay), reason)
  return 0
}

if (import.meta.main) process.exitCode = await main()
