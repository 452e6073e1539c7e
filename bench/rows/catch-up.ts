/**
 * A member that was away, and an empty one: how long until they hold all, and how many bytes pass for
 * it. Between the two, what 30,000 items take in memory and on disk. Holding all is a count of facts
 * with no payload missing, then a look at some items; clocks start with the process.
 */
import type { Bench, Row } from '../bench.ts'
import { diskBytes, memoryOf } from '../machine.ts'
import { holdsAll, type Members } from '../members.ts'
import { pause, pump, until } from '../pump.ts'
import { TEXT_BYTES, textOf } from '../texts.ts'

const SAMPLES = 200
const AWAY = 2

export const catchUp: Row = {
  name: 'catch-up',
  about: 'catch-up and an empty member; memory and disk between them',
  async run(bench: Bench) {
    await bench.end()
    const [base, fresh, changed] = [
      bench.size(2000, 20_000),
      bench.size(1000, 10_000),
      bench.size(100, 1000),
    ]
    const items = base + fresh
    const members = await bench.form(3)
    try {
      await members.load({ prefix: 'item', from: 0, to: base }, [0])
      await members.agree()
      await members.all[AWAY]!.stop()
      await members.load({ prefix: 'item', from: base, to: items }, [0])
      await members.load({ prefix: 'item', from: 0, to: changed }, [0], id => textOf(id, 1))
      await members.agree()
      const textFor = (n: number) => textOf(`item/${n}`, n < changed ? 1 : 0)
      const newsBytes = (fresh + changed) * (TEXT_BYTES + 'item/12345'.length)
      const about = { members, items, textFor }
      await returns(bench, { ...about, what: `catch-up, ${fresh + changed} changes`, newsBytes })
      await footprint(bench, members, items)
      await replaced(members)
      const storedBytes = items * (TEXT_BYTES + 'item/12345'.length)
      const what = `an empty member joins ${items} items`
      await returns(bench, { ...about, what, newsBytes: storedBytes })
    } finally {
      await members.end()
    }
  },
}

/** The third member starts, and takes what it lacks. */
async function returns(
  bench: Bench,
  about: {
    readonly members: Members
    readonly what: string
    readonly items: number
    readonly newsBytes: number
    readonly textFor: (n: number) => string
  },
): Promise<void> {
  const { members, what, items, newsBytes, textFor } = about
  const { place } = members
  const { facts } = await members.client(0).status()
  const idle = await idleBytesPerSecond(members)
  const before = place.bytes()
  const begin = performance.now()
  const answersMs = await members.all[AWAY]!.start()
  const client = members.client(AWAY)
  await until('the third member holds all', () => holdsAll(client, facts), {
    ms: 600_000,
    everyMs: 20,
  })
  const seconds = (performance.now() - begin) / 1000
  const bytes = place.bytes() - before - idle * seconds
  await pump({ inFlight: 8, calls: SAMPLES }, async n => {
    const at = n < SAMPLES / 2 ? n : Math.floor(Math.random() * items)
    if ((await client.get(`item/${at}`)) !== textFor(at)) throw new Error(`item/${at} is another.`)
  })
  bench.add(what, seconds, 's')
  bench.add(`${what}: until its socket answers`, answersMs / 1000, 's')
  const note = place.isOwn ? {} : { note: 'with all other traffic on loopback' }
  const floor = { name: 'the news, B', value: newsBytes }
  bench.add(`${what}: bytes over the interface`, bytes, 'B', { floor, ...note })
  const agreeMs = await members.agree()
  bench.add(`${what}: then until all agree`, agreeMs / 1000, 's')
}

/** What passes when nothing happens. */
async function idleBytesPerSecond(members: Members): Promise<number> {
  const before = members.place.bytes()
  await pause(2000)
  return (members.place.bytes() - before) / 2
}

async function footprint(bench: Bench, members: Members, items: number): Promise<void> {
  const idleSeconds = bench.size(2, 60)
  const residents = () => members.all.map(({ pid }) => memoryOf(pid).now / 2 ** 20)
  const loaded = residents()
  await pause(idleSeconds * 1000)
  const rested = residents()
  const storedBytes = items * (TEXT_BYTES + 'item/12345'.length)
  for (const [at, { name, store }] of members.all.entries()) {
    bench.add(`memory at ${items} items, ${name}`, loaded[at]!, 'MiB')
    bench.add(`memory after ${idleSeconds} s idle, ${name}`, rested[at]!, 'MiB')
    const ratio = diskBytes(store) / storedBytes
    bench.add(`disk for each stored byte, quiet, ${name}`, ratio, 'B')
  }
}

/** The third member is lost with its store, and an empty one let in; it does not run yet. */
async function replaced(members: Members): Promise<void> {
  const { uuid } = await members.client(AWAY).status()
  await members.all[AWAY]!.stop()
  await members.client(0).call('remove', { member: uuid })
  await members.fresh(AWAY).make(await members.invite(0))
}
