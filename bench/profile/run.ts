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
import type { Pumped } from '../pump.ts'
import { getsFor, loadKeys } from '../rows/gets.ts'
import { putsFor } from '../rows/puts.ts'
import { type CpuProfile, sumProfile } from './sum.ts'
import { heaviest, type MemberProfile, stageTable } from './table.ts'

const INTERVAL_US = 500
const HEAVIEST = 25

/** Loads that can be profiled, by the names of their rows. */
export const profiled = ['puts', 'spread', 'gets'] as const
type Load = (typeof profiled)[number]

export async function profile(about: {
  readonly options: Options
  readonly place: Place
  readonly main: string
}): Promise<void> {
  const { options } = about
  const loads = options.only.length === 0 ? (['puts'] as const) : (options.only as readonly Load[])
  for (const load of loads) await profileOf(load, about)
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
  const members = await Members.form({ count: 3, place, main, nodeOptions })
  try {
    const run = await prepared(load, members, options.isQuick)
    const pids = members.all.map(({ pid }) => pid)
    const before = pids.map(threadSeconds)
    const fromUs = nowUs()
    const put = await run(options.isQuick ? 3 : 15)
    const untilUs = nowUs()
    const after = pids.map(threadSeconds)
    await Promise.all(members.all.map(daemon => daemon.stop()))
    const profiles = members.all.map(({ name }, at): MemberProfile => {
      const summed = sumProfile(readProfile(folder, pids[at]!), fromUs, untilUs)
      return { name, summed, ...threadsOf(before[at]!, after[at]!) }
    })
    tell(load, put, profiles, options)
    if (options.keep !== null) cpSync(folder, join(options.keep, load), { recursive: true })
  } finally {
    await members.end()
  }
}

/** Warmed up; the answer runs the load for so many seconds. */
async function prepared(
  load: Load,
  members: Members,
  isQuick: boolean,
): Promise<(seconds: number) => Promise<Pumped>> {
  const warmSeconds = isQuick ? 2 : 5
  if (load === 'gets') {
    const keys = isQuick ? 2000 : 20_000
    await loadKeys(members, keys)
    await getsFor(members, keys, warmSeconds)
    return seconds => getsFor(members, keys, seconds)
  }
  const by = load === 'spread' ? [0, 1, 2] : [0]
  await putsFor(members, 'warm', warmSeconds, by)
  return seconds => putsFor(members, load, seconds, by)
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

function threadsOf(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  let [mainSeconds, otherSeconds] = [0, 0]
  for (const [name, seconds] of after) {
    const used = seconds - (before.get(name) ?? 0)
    if (name === 'main') mainSeconds += used
    else otherSeconds += used
  }
  return { mainSeconds, otherSeconds }
}

function tell(load: Load, put: Pumped, members: readonly MemberProfile[], options: Options): void {
  if (options.isJson) {
    const data = members.map(({ summed, ...rest }) => ({
      ...rest,
      stages: Object.fromEntries(summed.stages),
      functions: Object.fromEntries([...summed.functions].sort(([, a], [, b]) => b - a)),
    }))
    console.log(JSON.stringify({ load, calls: put.done, perSecond: put.perSecond, members: data }))
    return
  }
  console.log(`${load}: ${Math.round(put.perSecond)}/s with the profiler, ${put.done} calls\n`)
  console.log(stageTable(members, put.done))
  for (const member of members) {
    console.log(`\n${member.name}: most by themselves`)
    console.log(heaviest(member, put.done, HEAVIEST))
  }
}
