/**
 * Writes with 64 in flight, each durable on a majority before it counts: through one member, and
 * spread over three. With what each process spends on one write.
 */
import type { Bench, Row } from '../bench.ts'
import { cpuSeconds } from '../machine.ts'
import type { Members } from '../members.ts'
import { type Pumped, pump } from '../pump.ts'
import { textOf } from '../texts.ts'

export const IN_FLIGHT = 64

/** So many seconds of puts through the members named. */
export function putsFor(
  members: Members,
  prefix: string,
  seconds: number,
  by: readonly number[],
  inFlight = IN_FLIGHT,
): Promise<Pumped> {
  return pump({ inFlight, seconds }, n => {
    const id = `${prefix}/${n}`
    return members.client(by[n % by.length]!).put(id, textOf(id))
  })
}

async function measure(bench: Bench, prefix: string, by: readonly number[]): Promise<void> {
  const members = await bench.shared()
  await putsFor(members, `warm-${prefix}-${members.folder}`, bench.size(1, 3), by)
  const pids = members.all.map(({ pid }) => pid)
  const before = pids.map(cpuSeconds)
  const ownBefore = process.cpuUsage()
  const bytesBefore = members.place.bytes()
  const run = `${prefix}-${Date.now()}`
  const put = await putsFor(members, run, bench.seconds, by)
  const own = process.cpuUsage(ownBefore)
  const bytes = members.place.bytes() - bytesBefore
  const used = pids.map((pid, at) => cpuSeconds(pid) - before[at]!)
  const facts = Math.max(...(await members.statuses()).map(one => one.facts))
  const thenMs = await members.agree()
  const floor = { name: 'LevelDB, one sync for 64', value: await bench.level() }
  bench.add('puts, 64 in flight', put.perSecond, '/s', { floor })
  bench.add('p50', put.p50Ms, 'ms')
  bench.add('p99', put.p99Ms, 'ms')
  for (const [at, seconds] of used.entries())
    bench.add(`processor time a put, m${at + 1}`, (seconds / put.done) * 1e6, 'µs')
  bench.add('processor time a put, client', (own.user + own.system) / put.done, 'µs')
  if (members.place.isOwn) bench.add('bytes between members a put', bytes / put.done, 'B')
  bench.add('then until all agree', thenMs, 'ms', { note: `${facts} facts; the cut lies 2 s back` })
}

export const puts: Row = {
  name: 'puts',
  about: 'majority-durable puts, 64 in flight, through one member',
  run: bench => measure(bench, 'one', [0]),
}

export const spread: Row = {
  name: 'spread',
  about: 'majority-durable puts, 64 in flight, spread over three members',
  run: bench => measure(bench, 'all', [0, 1, 2]),
}
