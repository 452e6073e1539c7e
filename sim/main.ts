/**
 * The simulator's command line: one seed told in full, or many with the failing ones named.
 *
 *   npm run sim -- --seed 7 --members 5 --seconds 120
 *   npm run sim -- --seeds 200 --from 1000 --jobs 2
 *
 * Exits 0 when everything held, 1 on a violation, 2 when it was not understood.
 */
import { createWriteStream, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Asked, commandOf, HELP, optionsOf, readArguments, UsageError } from './asked.ts'
import type { Lines } from './history-lines.ts'
import { isChild, runForAnother, runMany, seedUnderWay } from './many.ts'
import { Collector } from './page/collect.ts'
import { pageOf } from './page/page.ts'
import { paintFor, report, seconds } from './report.ts'
import { simulate } from './run.ts'
import { shrink } from './shrink.ts'
import { readRun, writeRun } from './shrink-file.ts'
import { totalsJson, totalsText } from './totals.ts'
import type { Watcher, World } from './world.ts'

async function runOne(asked: Asked): Promise<boolean> {
  const paint = paintFor(process.stdout, process.env)
  const traced = (atMs: number, member: string, what: string) => {
    process.stdout.write(`${seconds(atMs)}  ${member.padEnd(5)} ${what}\n`)
  }
  let page: Collector | null = null
  const watch = (world: World): Watcher => {
    if (asked.isTraced) world.watchers.push({ traced })
    if (asked.htmlPath === null) return {}
    page = new Collector(world)
    return page.watcher()
  }
  const options =
    asked.replayPath === null ? optionsOf(asked, asked.seed) : readRun(asked.replayPath)
  const result = await simulate({ ...options, watch })
  process.stdout.write(report(result, paint))
  if (asked.historyPath !== null) await writeHistory(asked.historyPath, result.lines)
  if (asked.htmlPath !== null) {
    const replay = asked.replayPath === null ? null : `npm run sim -- --replay ${asked.replayPath}`
    const data = page!.data(result, replay ?? commandOf(asked, asked.seed))
    writeFileSync(asked.htmlPath, pageOf(data))
    process.stdout.write(`the run is drawn in ${asked.htmlPath}\n`)
  }
  return result.violationCount === 0
}

/** Looks for a smaller run that fails alike. */
async function runSmaller(asked: Asked, path: string): Promise<boolean> {
  const options =
    asked.replayPath === null ? optionsOf(asked, asked.seed) : readRun(asked.replayPath)
  const endMs = performance.now() + asked.minutes * 60_000
  const shrunk = await shrink(options, {
    isEnough: () => performance.now() > endMs,
    progress: ({ options: { members, seconds: time, struck = [] }, tried }, what) => {
      const size = `${members} members, ${struck.length} faults, ${time} s`
      process.stdout.write(`run ${tried}: fails alike with ${size} (${what})\n`)
    },
  })
  if (shrunk === null) {
    process.stdout.write('it does not fail: there is nothing to shrink\n')
    return true
  }
  writeRun(path, shrunk)
  const { guarantee, atMs, sentence } = shrunk.found
  process.stdout.write(`${guarantee} ${seconds(atMs)}  ${sentence}\n`)
  process.stdout.write(`npm run sim -- --replay ${path}\n`)
  return false
}

async function writeHistory(path: string, lines: Lines): Promise<void> {
  await pipeline(Readable.from(lines.text()), createWriteStream(path))
  process.stdout.write(`the history is in ${path}; node sim/checker/main.ts judges it\n`)
}

async function runAll(asked: Asked, args: readonly string[]): Promise<boolean> {
  const { isJson, resultPath } = asked.many!
  const totals = await runMany(asked, args)
  if (process.stderr.isTTY) process.stderr.write('\r')
  process.stdout.write(
    isJson ? `${JSON.stringify(totalsJson(totals), null, 2)}\n` : totalsText(totals),
  )
  const failed = totals.failed.length
  const passed = totals.seeds - failed
  if (resultPath !== null) writeFileSync(resultPath, JSON.stringify({ passed, failed }))
  return failed === 0
}

async function main(args: readonly string[]): Promise<number> {
  const asked = readArguments(args)
  if (asked === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if (isChild()) {
    await runForAnother(asked)
    return 0
  }
  if (asked.many !== null) return (await runAll(asked, args)) ? 0 : 1
  const { shrinkPath } = asked
  const run = shrinkPath === null ? runOne(asked) : runSmaller(asked, shrinkPath)
  return (await run) ? 0 : 1
}

process.on('unhandledRejection', error => {
  process.stderr.write(`seed ${seedUnderWay() ?? 'of this run'}: nobody took this error\n`)
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
