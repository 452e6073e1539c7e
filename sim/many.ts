/**
 * Many runs, one after the other or in several processes with a range of seeds each, added up. A
 * run that throws is a failing seed like any other; a process that ends is the failure of the seed
 * under way, and the seeds that it did not come to are said.
 */
import { fork } from 'node:child_process'
import { type Asked, commandOf, optionsOf } from './asked.ts'
import { seconds } from './report.ts'
import { simulate } from './run.ts'
import { addRun, addTotals, type FailedSeed, noTotals, type Totals } from './totals.ts'

/** What a process of seeds tells the one that started it. */
type Told =
  | { readonly kind: 'runs'; readonly seed: number }
  | { readonly kind: 'ended'; readonly totals: Totals }

export interface Range {
  readonly from: number
  readonly count: number
}

/** The seed under way, for when a member throws where nobody waits. */
let running: number | null = null

export function seedUnderWay(): number | null {
  return running
}

/** Called before each seed. */
type OnSeed = (seed: number, totals: Totals) => void

/** Runs a range of seeds in this process. */
export async function runRange(asked: Asked, range: Range, onSeed: OnSeed): Promise<Totals> {
  const totals = noTotals()
  const every = asked.many?.twiceEvery ?? null
  for (let seed = range.from; seed < range.from + range.count; seed++) {
    onSeed(seed, totals)
    running = seed
    const isTwice = every !== null && seed % every === 0
    const failed = await runSeed(asked, seed, isTwice, totals)
    if (failed === null) continue
    totals.failed.push(failed)
    process.stderr.write(failureText(failed))
  }
  return totals
}

async function runSeed(
  asked: Asked,
  seed: number,
  isTwice: boolean,
  totals: Totals,
): Promise<FailedSeed | null> {
  const options = { ...optionsOf(asked, seed), stopAtFirst: true }
  const command = commandOf(asked, seed)
  try {
    const result = await simulate(options)
    addRun(totals, result)
    const first = result.violations[0]
    if (first !== undefined) return { seed, command, ...first }
    if (!isTwice) return null
    totals.twice += 1
    if ((await simulate(options)).traceHash === result.traceHash) return null
    totals.unequal += 1
    const sentence = 'the same seed has another trace when it runs again'
    return { seed, command, guarantee: 'life', atMs: 0, sentence }
  } catch (error) {
    const sentence = `the run ended with ${error instanceof Error ? error.stack : String(error)}`
    return { seed, command, guarantee: 'life', atMs: 0, sentence }
  }
}

function failureText({ guarantee, atMs, sentence, command }: FailedSeed): string {
  return `${guarantee} ${seconds(atMs)}  ${sentence}\n  ${command}\n`
}

/** Runs all that was asked for, in as many processes as wanted. */
export async function runMany(asked: Asked, args: readonly string[]): Promise<Totals> {
  const { count, jobs } = asked.many!
  const all = { from: asked.seed, count }
  if (jobs === 1) return await runRange(asked, all, progress)
  const totals = noTotals()
  const parts = await Promise.all(split(all, jobs).map(range => runElsewhere(asked, range, args)))
  for (const part of parts) addTotals(totals, part)
  return totals
}

function progress(seed: number, { failed }: Totals): void {
  if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed}, ${failed.length} failed `)
}

function split({ from, count }: Range, jobs: number): Range[] {
  const bounds = Array.from({ length: jobs + 1 }, (_, at) => Math.floor((count * at) / jobs))
  return bounds
    .slice(1)
    .map((end, at) => ({ from: from + bounds[at]!, count: end - bounds[at]! }))
    .filter(range => range.count > 0)
}

function runElsewhere(asked: Asked, range: Range, args: readonly string[]): Promise<Totals> {
  const { promise, resolve } = Promise.withResolvers<Totals>()
  const child = fork(new URL('main.ts', import.meta.url), args, {
    env: { ...process.env, VECHE_SIM_RANGE: JSON.stringify(range) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let totals: Totals | null = null
  let seed = range.from
  child.on('message', (told: Told) => {
    if (told.kind === 'runs') seed = told.seed
    else totals = told.totals
  })
  child.on('close', (code, signal) => {
    if (totals !== null) return resolve(totals)
    const left = range.from + range.count - seed - 1
    const sentence = `its process ended with ${signal ?? code}; ${left} seeds after it did not run`
    const command = commandOf(asked, seed)
    const failed: FailedSeed = { seed, command, guarantee: 'life', atMs: 0, sentence }
    process.stderr.write(failureText(failed))
    resolve({ ...noTotals(), seeds: seed - range.from + 1, failed: [failed] })
  })
  return promise
}

/** The range of this process, if another one started it. */
export function ownRange(): Range | null {
  const range = process.env.VECHE_SIM_RANGE
  return range === undefined || process.send === undefined ? null : (JSON.parse(range) as Range)
}

/** Runs the range and tells the process that asked for it. */
export async function runForAnother(asked: Asked, range: Range): Promise<void> {
  const tell = (told: Told) =>
    new Promise<void>((resolve, reject) => {
      process.send!(told, undefined, undefined, error =>
        error === null ? resolve() : reject(error),
      )
    })
  const totals = await runRange(asked, range, seed => void tell({ kind: 'runs', seed }))
  await tell({ kind: 'ended', totals })
  process.disconnect()
}
