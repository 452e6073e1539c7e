/**
 * `npm run bench`: real daemons from `dist/`, one client process, everything on this machine; each
 * figure with its floor of the same run. docs/performance.md says what each row is and how to repeat
 * it; `-- --help` the options.
 */
import { Bench } from './bench.ts'
import { build } from './build.ts'
import { type Figure, mergeRuns, tableOf } from './figures.ts'
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
  const daemon = options.daemon ?? build()
  const machine = describeMachine()
  const others = new Others()
  const place = await makePlace()
  if (options.isProfile) {
    await profile({ options, place, main: daemon })
    place.end()
    sayIfBusy(others.share())
    return
  }
  const runs: (readonly Figure[])[] = []
  for (let run = 0; run < options.runs; run++) runs.push(await measureAll(options, place, daemon))
  place.end()
  const figures = mergeRuns(runs)
  const share = Math.round(others.share() * 100) / 100
  const isBusy = share > OTHERS_SHARE_MAX
  if (options.isJson) {
    const quick = options.isQuick
    console.log(JSON.stringify({ machine, quick, othersShare: share, isBusy, figures }))
  } else {
    console.log(tableOf(figures))
  }
  sayIfBusy(share)
  if (options.isQuick) console.error('Quick sizes: for a look, not for a table.')
}

async function measureAll(
  options: Options,
  place: Place,
  main: string,
): Promise<readonly Figure[]> {
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
  return bench.figures
}

function sayIfBusy(share: number): void {
  if (share <= OTHERS_SHARE_MAX) return
  const what = `Other work on this machine used ${share.toFixed(2)} of a processor meanwhile`
  console.error(`${what}: these figures do not count.`)
}
