/**
 * `npm run bench`: real daemons from `dist/`, one client process, everything on this machine; each
 * figure with its floor of the same run. docs/performance.md says what each row is and how to repeat
 * it; `-- --help` the options.
 */
import { Bench } from './bench.ts'
import { build } from './build.ts'
import { mergeRuns, tableOf } from './figures.ts'
import { describeMachine, OTHERS_SHARE_MAX, Others } from './machine.ts'
import { type Options, readOptions, usage } from './options.ts'
import { makePlace, type Place } from './place.ts'
import { loads } from './profile/loads.ts'
import { profile } from './profile/run.ts'
import { rows } from './rows/rows.ts'

const options = asked()
if (options === 'help') console.log(usage)
else if (options === 'list') for (const { name, about } of rows) console.log(name.padEnd(14), about)
else await main(options)
process.exit()

function asked(): Options | 'list' | 'help' {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(usage)
    return process.exit(2)
  }
}

async function main(options: Options): Promise<void> {
  const names: readonly string[] = options.isProfile ? loads : rows.map(({ name }) => name)
  const unknown = options.only.filter(name => !names.includes(name))
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(', ')}; there are ${names.join(', ')}.`)
    process.exit(2)
  }
  // A profile tells functions by their files.
  const daemon = options.daemon ?? build(options.isProfile ? 'modules' : 'as users have it')
  const machine = describeMachine()
  const place = await makePlace()
  if (options.isProfile) {
    const others = new Others()
    await profile({ options, place, main: daemon })
    place.end()
    sayIfBusy(new Map([['profile', others.share()]]))
    return
  }
  const runs: Bench[] = []
  for (let run = 0; run < options.runs; run++) runs.push(await measureAll(options, place, daemon))
  place.end()
  const figures = mergeRuns(runs.map(run => run.figures))
  const shares = mostOf(runs.map(run => run.shares))
  if (options.isJson) {
    const busyRows = busyOf(shares)
    const othersShares = Object.fromEntries(shares)
    const quick = options.isQuick
    console.log(JSON.stringify({ machine, quick, busyRows, othersShares, figures }))
  } else {
    console.log(tableOf(figures))
  }
  sayIfBusy(shares)
  if (options.isQuick) console.error('Quick sizes: for a look, not for a table.')
}

async function measureAll(options: Options, place: Place, main: string): Promise<Bench> {
  const bench = new Bench({ options, place, main })
  const { only, isLarge } = options
  const wanted = rows.filter(row =>
    only.length > 0 ? only.includes(row.name) : isLarge || row.isLarge !== true,
  )
  try {
    for (const row of wanted) await bench.measure(row)
  } finally {
    await bench.end()
  }
  return bench
}

/** Of each row the largest share of all runs. */
function mostOf(runs: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const most = new Map<string, number>()
  for (const run of runs)
    for (const [row, share] of run) most.set(row, Math.max(share, most.get(row) ?? 0))
  return most
}

function busyOf(shares: ReadonlyMap<string, number>): readonly string[] {
  return [...shares].filter(([, share]) => share > OTHERS_SHARE_MAX).map(([row]) => row)
}

function sayIfBusy(shares: ReadonlyMap<string, number>): void {
  const busy = busyOf(shares)
  if (busy.length === 0) return
  const most = Math.max(...busy.map(row => shares.get(row) ?? 0)).toFixed(2)
  console.error(
    `Other work used up to ${most} of a processor during ${busy.join(', ')}: ` +
      'those figures do not count.',
  )
}
