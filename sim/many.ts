/**
 * Many runs, one after the other or in several processes that take seed after seed, added up. A run
 * that throws is a failing seed like any other; a process that ends is the failure of the seed under
 * way, and another one goes on after it.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type Asked, commandOf, optionsOf } from './asked.ts'
import { seconds } from './report.ts'
import { simulate } from './run.ts'
import { addRun, addTotals, type FailedSeed, noTotals, type Totals } from './totals.ts'

/** What a process of seeds asks the one that started it, telling what the last seed came to. */
interface Told {
  readonly ran: Totals | null
}

/** What it is answered: the next seed, or that there is none. */
interface Next {
  readonly seed: number | null
}

/** The seed under way, for when a member throws where nobody waits. */
let running: number | null = null

export function seedUnderWay(): number | null {
  return running
}

/** Runs one seed in this process. */
async function runOnce(asked: Asked, seed: number): Promise<Totals> {
  const totals = noTotals()
  running = seed
  const every = asked.many?.twiceEvery ?? null
  const failed = await runSeed(asked, seed, every !== null && seed % every === 0, totals)
  if (failed !== null) {
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
    totals.seeds = 1
    const sentence = `the run ended with ${error instanceof Error ? error.stack : String(error)}`
    return { seed, command, guarantee: 'life', atMs: 0, sentence }
  }
}

function failureText({ guarantee, atMs, sentence, command }: FailedSeed): string {
  return `${guarantee} ${seconds(atMs)}  ${sentence}\n  ${command}\n`
}

/** Runs all that was asked for, in as many processes as wanted: who is done takes the next seed. */
export async function runMany(asked: Asked, args: readonly string[]): Promise<Totals> {
  const { count, jobs } = asked.many!
  const totals = noTotals()
  const ran = (of: Totals) => {
    addTotals(totals, of)
    const sentence = `${totals.seeds} of ${count} seeds, ${totals.failed.length} failed`
    if (process.stderr.isTTY) process.stderr.write(`\r${sentence} `)
    else if (totals.seeds % TOLD_EVERY === 0) process.stderr.write(`${sentence}\n`)
  }
  let seed = asked.seed
  const next = () => (seed < asked.seed + count ? seed++ : null)
  if (jobs === 1) {
    for (let own = next(); own !== null; own = next()) ran(await runOnce(asked, own))
    return totals
  }
  await Promise.all(Array.from({ length: jobs }, () => runElsewhere(asked, args, next, ran)))
  return totals
}

/** Runs seeds in other processes, one after the other: a new one for each that ends badly. */
async function runElsewhere(
  asked: Asked,
  args: readonly string[],
  next: () => number | null,
  ran: (totals: Totals) => void,
): Promise<void> {
  for (let isEnough = false; !isEnough; ) {
    const { promise, resolve } = Promise.withResolvers<number | string | null>()
    const child = fork(new URL('main.ts', import.meta.url), args, {
      env: { ...process.env, [CHILD]: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let seed: number | null = null
    child.on('message', (told: Told) => {
      if (told.ran !== null) ran(told.ran)
      seed = next()
      child.send({ seed } satisfies Next)
    })
    child.on('close', (code, signal) => resolve(signal ?? code))
    const end = await promise
    isEnough = seed === null
    if (seed === null && end !== 0) throw new Error(`a process of seeds ended with ${end}`)
    if (seed === null) continue
    const sentence = `its process ended with ${end}`
    const command = commandOf(asked, seed)
    const failed: FailedSeed = { seed, command, guarantee: 'life', atMs: 0, sentence }
    process.stderr.write(failureText(failed))
    ran({ ...noTotals(), seeds: 1, failed: [failed] })
  }
}

/** Seeds between two lines of progress where no terminal looks on. */
const TOLD_EVERY = 50

const CHILD = 'VECHE_SIM_CHILD'

/** Whether another process started this one, to run the seeds that it is given. */
export function isChild(): boolean {
  return process.env[CHILD] === '1' && process.send !== undefined
}

/** Runs one seed after the other for the process that asked for it. */
export async function runForAnother(asked: Asked): Promise<void> {
  for (let ran: Totals | null = null; ; ) {
    const answer = once(process, 'message') as Promise<[Next]>
    process.send!({ ran } satisfies Told)
    const [{ seed }] = await answer
    if (seed === null) break
    ran = await runOnce(asked, seed)
  }
  process.disconnect()
}
