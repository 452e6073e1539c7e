/**
 * Whether what is acknowledged was synced: sync calls of each member, counted by strace, for each
 * group of batches that its journal counts, one put at a time and with 64 in flight. In a run of its
 * own beside the timed ones, since strace slows what it counts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Row } from '../bench.ts'
import type { Members } from '../members.ts'
import { pause, pump } from '../pump.ts'
import { countSyncs, hasStrace, lastGroup } from '../strace.ts'
import { textOf } from '../texts.ts'

export const syncs: Row = {
  name: 'syncs',
  about: 'sync calls for each acknowledged group, counted by strace',
  async run(bench: Bench) {
    await bench.end()
    if (!hasStrace()) {
      bench.add('sync calls', Number.NaN, '', { note: 'needs strace: apt-get install strace' })
      return
    }
    const members = await bench.form(3)
    try {
      await members.load({ prefix: 'warm', from: 0, to: 500 }, [0])
      await members.agree()
      await count(bench, members, { inFlight: 1, calls: bench.size(50, 500) })
      await count(bench, members, { inFlight: 64, calls: bench.size(1000, 20_000) })
    } finally {
      await members.end()
    }
  },
}

async function count(
  bench: Bench,
  members: Members,
  load: { readonly inFlight: number; readonly calls: number },
): Promise<void> {
  const { inFlight, calls } = load
  const groupsNow = () =>
    members.all.map(({ store }) => lastGroup(readFileSync(join(store, 'journal'), 'latin1')))
  const counting = await Promise.all(
    members.all.map(({ pid, store }) => countSyncs(pid, `${store}-strace`)),
  )
  const before = groupsNow()
  await pump({ inFlight, calls }, n => {
    const id = `synced-${inFlight}/${n}`
    return members.client(0).put(id, textOf(id))
  })
  // A majority has answered; the last member may be a group behind.
  await pause(500)
  const groups = groupsNow().map((group, at) => group - before[at]!)
  const counted = await Promise.all(counting.map(one => one.end()))
  const what = `${inFlight} in flight`
  for (const [at, { name }] of members.all.entries()) {
    const calls = [...counted[at]!.values()].reduce((sum, one) => sum + one, 0)
    const kinds = [...counted[at]!].map(([kind, many]) => `${many} ${kind}`).join(', ')
    const floor = { name: 'groups', value: groups[at]! }
    bench.add(`${what}: sync calls, ${name}`, calls, '', { floor, note: kinds })
  }
  const synced = counted.filter(
    (one, at) => [...one.values()].reduce((sum, many) => sum + many, 0) >= groups[at]!,
  ).length
  bench.add(`${what}: members with a call for each group`, synced, 'of 3')
  bench.add(`${what}: puts a group, m1`, calls / groups[0]!, '')
}
