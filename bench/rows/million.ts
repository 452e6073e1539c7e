/**
 * A million items: how an empty member takes them, what they take in memory, what a member does with
 * them while nothing happens, and how long a start takes beside a plain scan of the same records.
 */
import type { Bench, Row } from '../bench.ts'
import { scanFloor } from '../floors/level.ts'
import { cpuSeconds, diskBytes, memoryOf } from '../machine.ts'
import { holdsAll, type Members } from '../members.ts'
import { pause, until } from '../pump.ts'
import { TEXT_BYTES } from '../texts.ts'

const JOIN_MS_MAX = 3_600_000

export const million: Row = {
  name: 'million',
  about: '1,000,000 items: joining, memory, idle members, and a start',
  isLarge: true,
  async run(bench: Bench) {
    await bench.end()
    const items = bench.size(20_000, 1_000_000)
    const members = await bench.form(1)
    try {
      bench.say(`  ${items} items …`)
      const begin = performance.now()
      await members.load({ prefix: 'item', from: 0, to: items }, [0])
      const loadSeconds = (performance.now() - begin) / 1000
      bench.add('puts into a network of one, 128 in flight', items / loadSeconds, '/s')
      await join(bench, members, items)
      await members.agree(JOIN_MS_MAX)
      await memory(bench, members, items)
      await idle(bench, members, 'second')
      // What runs ten times a second is compiled in the minutes that follow.
      await pause(bench.size(0, 120) * 1000)
      await idle(bench, members, 'fifth')
      await start(bench, members)
    } finally {
      await members.end()
    }
  },
}

/** The second and third member, one after the other; the first of these is timed. */
async function join(bench: Bench, members: Members, items: number): Promise<void> {
  for (const at of [1, 2]) {
    bench.say(`  member ${at + 1} joins …`)
    const { facts } = await members.client(0).status()
    const daemon = members.fresh(at)
    await daemon.make(await members.invite(0))
    const begin = performance.now()
    await daemon.start()
    const holds = () => holdsAll(daemon.client, facts)
    await until('the new member holds all', holds, { ms: JOIN_MS_MAX, everyMs: 100 })
    const seconds = (performance.now() - begin) / 1000
    if (at === 1) bench.add(`empty member joins ${items} items`, seconds, 's')
  }
}

async function memory(bench: Bench, members: Members, items: number): Promise<void> {
  await pause(bench.size(2, 60) * 1000)
  for (const { name, pid, store } of members.all) {
    const { now, peak } = memoryOf(pid)
    const note = `at most ${Math.round(peak / 2 ** 20)} MiB`
    bench.add(`memory with ${items} items, ${name}`, now / 2 ** 20, 'MiB', { note })
    bench.add(
      `disk for each stored byte, ${name}`,
      diskBytes(store) / (items * (TEXT_BYTES + 10)),
      'B',
    )
  }
}

/** What members use in one of the minutes after the last work. */
async function idle(bench: Bench, members: Members, minute: string): Promise<void> {
  const seconds = bench.size(5, 60)
  bench.say(`  ${seconds} s of nothing, in the ${minute} minute …`)
  const cpu = () => members.all.map(({ pid }) => cpuSeconds(pid))
  const [before, bytesBefore] = [cpu(), members.place.bytes()]
  await pause(seconds * 1000)
  const bytes = members.place.bytes() - bytesBefore
  for (const [at, after] of cpu().entries())
    bench.add(
      `idle, ${minute} minute, of a processor, m${at + 1}`,
      ((after - before[at]!) / seconds) * 100,
      '%',
    )
  const pairs = (members.all.length * (members.all.length - 1)) / 2
  const note = members.place.isOwn ? {} : { note: 'with all other traffic on loopback' }
  bench.add(
    `idle, ${minute} minute, between two members, both ways`,
    bytes / seconds / pairs,
    'B/s',
    note,
  )
}

/** The third member stops and starts; the scan beside it reads the same summaries of items. */
async function start(bench: Bench, members: Members): Promise<void> {
  const daemon = members.all[2]!
  await daemon.stop()
  const all = await scanFloor(daemon.store, ['e', 'f', 'i', 'p', 'x'])
  const scan = await scanFloor(daemon.store, ['i'])
  const begin = performance.now()
  const answersMs = await daemon.start()
  await daemon.client.get('item/7')
  const seconds = (performance.now() - begin) / 1000
  const floor = { name: 'LevelDB scan of the items', value: scan.seconds }
  bench.add('start until the first get is answered', seconds, 's', { floor })
  bench.add('  of that until the socket answers', answersMs / 1000, 's')
  bench.add(`  scan of ${scan.records} items alone`, scan.seconds, 's')
  bench.add(`  scan of all ${all.records} records alone`, all.seconds, 's')
  const agreeMs = await members.agree()
  bench.add('  then until its root is that of the others', agreeMs / 1000, 's')
}
