/**
 * `npm run bench -- --profile`: the same load as a row, with V8's profiler in every daemon, summed
 * into microseconds a call and stage. A run of its own: the profiler slows what it looks at. What is
 * outside V8 (LevelDB's and libuv's threads) is told by the kernel, thread by thread.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../daemon.ts'
import { threadSeconds } from '../machine.ts'
import { Members } from '../members.ts'
import type { Options } from '../options.ts'
import type { Place } from '../place.ts'
import { type Load, loads, membersOf, prepare, type Ran } from './loads.ts'
import { type CpuProfile, sumProfile } from './sum.ts'
import { heaviest, type MemberProfile, stageTable } from './table.ts'

const INTERVAL_US = 500
const HEAVIEST = 25

export async function profile(about: {
  readonly options: Options
  readonly place: Place
  readonly main: string
}): Promise<void> {
  const { options } = about
  const wanted = options.only.length === 0 ? ['puts'] : options.only
  for (const load of loads.filter(name => wanted.includes(name))) await profileOf(load, about)
}

async function profileOf(load: Load, about: Parameters<typeof profile>[0]): Promise<void> {
  const { options, place, main } = about
  const folder = makeFolder()
  const nodeOptions = [
    '--cpu-prof',
    `--cpu-prof-dir=${folder}`,
    `--cpu-prof-interval=${INTERVAL_US}`,
  ]
  process.stderr.write(`profile of ${load} …\n`)
  const members = await Members.form({ count: membersOf(load), place, main, nodeOptions })
  try {
    const run = await prepare(load, members, options.isQuick)
    const before = new Map(
      members.all.filter(one => one.isRunning).map(({ pid }) => [pid, threadSeconds(pid)]),
    )
    const fromUs = nowUs()
    const ran = await run()
    const untilUs = nowUs()
    // One that was started meanwhile has spent all its time on it.
    const pids = members.all.map(({ pid }) => pid)
    const after = pids.map(threadSeconds)
    await Promise.all(members.all.map(daemon => daemon.stop()))
    const profiles = members.all.map(({ name }, at): MemberProfile => {
      const summed = sumProfile(readProfile(folder, pids[at]!), fromUs, untilUs)
      return { name, summed, ...threadsOf(before.get(pids[at]!), after[at]!) }
    })
    tell(load, ran, profiles, options)
    if (options.keep !== null) cpSync(folder, join(options.keep, load), { recursive: true })
  } finally {
    await members.end()
  }
}

/** The clock of profiles: microseconds, monotonic. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function readProfile(folder: string, pid: number): CpuProfile {
  const name = readdirSync(folder).find(file => file.includes(`.${pid}.`))
  if (name === undefined) throw new Error(`The daemon ${pid} left no profile.`)
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile
}

function threadsOf(
  before: ReadonlyMap<string, number> | undefined,
  after: ReadonlyMap<string, number>,
) {
  let [mainSeconds, otherSeconds] = [0, 0]
  for (const [name, seconds] of after) {
    const used = seconds - (before?.get(name) ?? 0)
    if (name === 'main') mainSeconds += used
    else otherSeconds += used
  }
  return { mainSeconds, otherSeconds }
}

function tell(load: Load, ran: Ran, members: readonly MemberProfile[], options: Options): void {
  const { calls, perSecond } = ran
  if (options.isJson) {
    const data = members.map(({ summed, ...rest }) => ({
      ...rest,
      stages: Object.fromEntries(summed.stages),
      functions: Object.fromEntries([...summed.functions].sort(([, a], [, b]) => b - a)),
    }))
    console.log(JSON.stringify({ load, ...ran, members: data }))
    return
  }
  console.log(`${load}: ${Math.round(perSecond)}/s with the profiler, ${calls} calls\n`)
  console.log(stageTable(members, calls))
  for (const member of members) {
    console.log(`\n${member.name}: most by themselves`)
    console.log(heaviest(member, calls, HEAVIEST))
  }
}
