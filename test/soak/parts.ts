/**
 * The parts of a soak, each a process of its own: the simulator in slices of seeds until the time
 * is over, the lab, the explorer, the fuzzers. A part that ends without its figures ends the soak:
 * a row with guessed numbers would be worth nothing.
 */
import { spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `npm run sim -- --json` tells, as far as the ledger takes it. */
export interface Seeds {
  from: number
  seeds: number
  simulatedMs: number
  readonly faults: Record<string, number>
  readonly operations: { done: number; refused: number; unknown: number }
  acknowledged: number
  lost: number
  diverged: number
  falseSplits: number
  readonly failed: { readonly command: string; readonly sentence: string }[]
  /** What must happen sometimes (sim/marks.ts), and how often it did. */
  readonly marks: Record<string, number>
}

/** What `npm run lab -- --json` tells, as far as the ledger takes it. */
export interface Lab {
  readonly failed: number
  readonly kills: number
  readonly powerCuts: number
  readonly operations: { readonly done: number }
  readonly acknowledged: number
  readonly lost: number
}

interface Counts {
  readonly passed: number
  readonly failed: number
}

/** Seeds of one process: short enough that the end of the time is met within some minutes. */
const SLICE = 40
const SECONDS = 60
/** A simulated hour counts with at least so much. */
const ASKED_PER_HOUR = 1000
const FAULTS_PER_HOUR = 60
const EXPLORED = 1_000_000
const FUZZED = 2_000_000
const FUZZED_AT_SOCKETS = 20_000

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Runs one script; resolves with what it printed, whatever its exit code: figures tell more. */
async function run(log: string, script: string, args: readonly string[]): Promise<string> {
  const command = ['--disable-warning=ExperimentalWarning', root(script), ...args]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const file = createWriteStream(log, { flags: 'a' })
  child.stderr.pipe(file, { end: false })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    file.write(text)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  file.end()
  if (code === 0 || code === 1) return printed
  throw new Error(`${script} ${args.join(' ')} ended with ${code}; see ${log}`)
}

export interface SeedsAsked {
  readonly from: number
  /** On the clock of `performance.now`. */
  readonly endMs: number
  /** Processes at once, asked before each slice. */
  readonly jobs: () => number
}

/** Slices of drawn seeds, one after the other, until the time is over. */
export async function runSeeds(
  folder: string,
  { from, endMs, jobs }: SeedsAsked,
  say: (sentence: string) => void,
): Promise<Seeds> {
  const sum: Seeds = {
    from,
    seeds: 0,
    simulatedMs: 0,
    faults: {},
    operations: { done: 0, refused: 0, unknown: 0 },
    acknowledged: 0,
    lost: 0,
    diverged: 0,
    falseSplits: 0,
    failed: [],
    marks: {},
  }
  while (performance.now() < endMs) {
    const first = String(from + sum.seeds)
    const args = ['--seeds', String(SLICE), '--from', first, '--seconds', String(SECONDS)]
    const how = ['--jobs', String(jobs()), '--json']
    const printed = await run(join(folder, 'seeds.log'), 'sim/main.ts', [...args, ...how])
    addSeeds(sum, JSON.parse(printed) as Seeds)
    const hours = (sum.simulatedMs / 3_600_000).toFixed(2)
    say(`${sum.seeds} seeds from ${from}, ${hours} simulated hours, ${sum.failed.length} failed`)
  }
  return sum
}

function addSeeds(sum: Seeds, slice: Seeds): void {
  for (const name of ['seeds', 'acknowledged'] as const) sum[name] += slice[name]
  if (isDense(slice)) sum.simulatedMs += slice.simulatedMs
  for (const name of ['lost', 'diverged', 'falseSplits'] as const) sum[name] += slice[name]
  for (const name of ['done', 'refused', 'unknown'] as const) {
    sum.operations[name] += slice.operations[name]
  }
  for (const [kind, count] of Object.entries(slice.faults)) {
    sum.faults[kind] = (sum.faults[kind] ?? 0) + count
  }
  for (const [name, count] of Object.entries(slice.marks)) {
    sum.marks[name] = (sum.marks[name] ?? 0) + count
  }
  sum.failed.push(...slice.failed)
}

/** Hours in which little was asked or little went wrong show little: they are not counted. */
function isDense({ simulatedMs, operations, faults }: Seeds): boolean {
  const hours = simulatedMs / 3_600_000
  const asked = operations.done + operations.refused + operations.unknown
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0)
  return asked >= ASKED_PER_HOUR * hours && struck >= FAULTS_PER_HOUR * hours
}

/** Real daemons for so many minutes; every soak draws other networks. */
export async function runLab(folder: string, minutes: number): Promise<Lab> {
  const figures = join(folder, 'lab.json')
  const seed = String(Math.floor(Date.now() / 1000) % 1e9)
  const args = ['--minutes', String(Math.floor(minutes)), '--seed', seed, '--json', figures]
  await run(join(folder, 'lab.log'), 'test/lab/main.ts', args)
  return JSON.parse(readFileSync(figures, 'utf8')) as Lab
}

export async function runExplorer(folder: string): Promise<Counts> {
  const result = join(folder, 'explore.json')
  const log = join(folder, 'explore.log')
  await run(log, 'sim/explore/main.ts', ['--ci', '--states', String(EXPLORED), '--result', result])
  return readCounts(result)
}

export async function runFuzzers(folder: string): Promise<Counts> {
  const log = join(folder, 'fuzz.log')
  const seed = String(Date.now())
  const at = (name: string) => join(folder, name)
  const decoders = ['--inputs', String(FUZZED), '--seed', seed, '--result', at('fuzz.json')]
  await run(log, 'sim/fuzz/main.ts', decoders)
  const sockets = ['--inputs', String(FUZZED_AT_SOCKETS), '--seed', seed]
  await run(log, 'sim/fuzz/main.ts', ['--sockets', ...sockets, '--result', at('sockets.json')])
  const [all, some] = [readCounts(at('fuzz.json')), readCounts(at('sockets.json'))]
  return { passed: all.passed + some.passed, failed: all.failed + some.failed }
}

function readCounts(path: string): Counts {
  return JSON.parse(readFileSync(path, 'utf8')) as Counts
}
