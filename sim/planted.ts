/**
 * Looks for the planted bugs with seeds drawn as in the automatic checks, nothing picked: for each
 * bug, from several starting points, seed after seed until one finds it. A seed finds a bug when it
 * reports a violation that the same seed without the bug does not. It tells how many seeds were
 * needed, and the median.
 *
 * Exits 0 when each bug was found from each starting point, 1 when not, 2 when not understood.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type PlantedBug, plantedBugNames } from '../src/consensus/agreement/state.ts'
import { drawnOptions } from './draw.ts'
import { type RunOptions, simulate } from './run.ts'
import type { Guarantee } from './verdict.ts'

const HELP = `npm run planted -- [options]
  --bug NAME     this one alone (may be given again); default: all that drawn seeds are to find
  --starts N     starting points, far apart (default: 5)
  --seeds N      to look at from each, at most (default: 200)
  --from N       the first seed of the first start (default: 1)
  --seconds N    of faults in each (default: 60)
  --result FILE  write {"passed", "failed"}, counted in starts
bugs: ${plantedBugNames.join(', ')}
`

/** A planted bug that the simulator finds, and by what. */
export interface Simulated {
  readonly bug: PlantedBug
  /** Guarantees that its monitors name, and checks of the history checker: any of them. */
  readonly expected: readonly Guarantee[]
}

/**
 * Those that drawn seeds are to find; most of the agreement machine's the explorer finds, too. It alone finds
 * `count-self`, `silence-is-agreement` and `elect-half-fetched` (200 to 400 drawn seeds did not): whole
 * members heal by comparing before they show.
 */
export const simulated: readonly Simulated[] = [
  { bug: 'suppress-marks', expected: ['G5'] },
  { bug: 'answer-before-persist', expected: ['G1'] },
  { bug: 'split-by-arrival', expected: ['G3'] },
  { bug: 'wait-for-nobody', expected: ['G4', 'check 6'] },
  { bug: 'majority-of-the-seen', expected: ['G6'] },
  { bug: 'trust-peers-root', expected: ['G2', 'G4', 'G5', 'G7', 'check 4', 'check 6'] },
  { bug: 'yesterdays-roster', expected: ['G1', 'check 1'] },
  { bug: 'ack-before-payload', expected: ['G1', 'check 1'] },
  { bug: 'drop-last-piece', expected: ['G2', 'G8'] },
  { bug: 'skip-version-check', expected: ['G1', 'G2', 'G8', 'life'] },
  { bug: 'let-in-removed', expected: ['G2', 'G5', 'check 4'] },
  { bug: 'forget-payload-sync', expected: ['G1', 'G8', 'check 1'] },
]

/** By what a bug may be found. */
export function expectedOf(bug: PlantedBug): readonly Guarantee[] {
  return simulated.find(entry => entry.bug === bug)?.expected ?? []
}

/** What found a bug. */
export interface Found {
  readonly seed: number
  /** How many seeds it took, this one included. */
  readonly needed: number
  readonly guarantee: Guarantee
  readonly sentence: string
}

export interface SearchOptions {
  readonly from: number
  readonly seeds: number
  readonly seconds: number
  /** Where less than a drawn run suffices. */
  readonly smaller?: Partial<RunOptions>
}

/** Runs drawn seeds until one finds a bug; null: none of them did. */
export async function search(bug: PlantedBug, options: SearchOptions): Promise<Found | null> {
  const { from, seeds, seconds, smaller } = options
  for (let seed = from; seed < from + seeds; seed++) {
    const run = { ...drawnOptions(seed), seconds, ...smaller }
    const first = await firstOf({ ...run, planted: new Set([bug]) })
    if (first === null || (await firstOf(run)) !== null) continue
    return { seed, needed: seed - from + 1, ...first }
  }
  return null
}

/** The first violation of a run; a run that throws has one, too. */
async function firstOf(
  options: RunOptions,
): Promise<{ readonly guarantee: Guarantee; readonly sentence: string } | null> {
  try {
    const { violations } = await simulate({ ...options, stopAtFirst: true })
    const first = violations[0]
    return first === undefined ? null : { guarantee: first.guarantee, sentence: first.sentence }
  } catch (error) {
    return { guarantee: 'life', sentence: `the run ended with ${String(error)}` }
  }
}

/** Starting points lie so far apart that no search comes to the next one. */
const APART = 10_000

/** The middle one; of an even number the higher of the two. */
export function median(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? null
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      starts: text,
      from: text,
      seeds: text,
      seconds: text,
      bug: { type: 'string', multiple: true },
      result: text,
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const [starts, from] = [Number(values.starts ?? '5'), Number(values.from ?? '1')]
  const [seeds, seconds] = [Number(values.seeds ?? '200'), Number(values.seconds ?? '60')]
  const bugs = values.bug?.map(bugOf) ?? simulated.map(({ bug }) => bug)
  let [passed, failed] = [0, 0]
  for (const bug of bugs) {
    const needed: number[] = []
    for (let start = 0; start < starts; start++) {
      const begin = from + start * APART
      const found = await search(bug, { from: begin, seeds, seconds })
      if (found === null) failed += 1
      else passed += 1
      needed.push(found?.needed ?? Number.POSITIVE_INFINITY)
      process.stdout.write(`${bug} from ${begin}: ${told(found)}\n`)
    }
    process.stdout.write(`${bug}: ${needed.join(', ')}; median ${median(needed)}\n`)
  }
  if (values.result !== undefined) {
    writeFileSync(values.result, `${JSON.stringify({ passed, failed })}\n`)
  }
  return failed === 0 ? 0 : 1
}

function told(found: Found | null): string {
  if (found === null) return 'not found'
  const sentence = found.sentence.split('\n')[0]!.slice(0, 160)
  return `${found.needed} seeds, ${found.guarantee} ${sentence}`
}

function bugOf(name: string): PlantedBug {
  const bug = plantedBugNames.find(known => known === name)
  if (bug === undefined) throw new Error(`no planted bug ${name}`)
  return bug
}

if (import.meta.main) process.exitCode = await main()
