/**
 * `npm run bench`: three real daemons, one client process, everything on this machine; each figure
 * with its floor of the same run. `-- --quick` takes under two minutes, `--json` prints data.
 */
import { randomBytes } from 'node:crypto'
import { until } from '../test/support/lab.ts'
import { cpuSeconds, type Daemons, residentBytes, startDaemons } from './daemons.ts'
import { type Figure, inFlight, percentile, printFigures } from './figures.ts'
import { fsyncFloor, hopFloor, levelFloor, shaFloor } from './floors.ts'

const isQuick = process.argv.includes('--quick')
const isJson = process.argv.includes('--json')
const seconds = isQuick ? 5 : 15
const figures: Figure[] = []

const text = () => randomBytes(768).toString('base64') // 1,024 characters, hardly compressible

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

say('floors …')
const fsync = fsyncFloor()
const level64 = await levelFloor(64, 2)
const hop = await hopFloor()
const sha = shaFloor()

say('three daemons …')
const daemons = await startDaemons(3)
try {
  await latency(daemons)
  await throughput(daemons)
  await reads(daemons)
} finally {
  await daemons.end()
}
await memory()
printFigures(figures, isJson)

async function latency({ clients }: Daemons): Promise<void> {
  say('one put at a time …')
  const times: number[] = []
  for (let n = 0; n < (isQuick ? 400 : 2000); n++) {
    const begin = performance.now()
    await clients[0]!.put({ id: `single/${n}`, text: text() })
    times.push(performance.now() - begin)
  }
  const floor = { name: 'one fsync', value: fsync.p50Ms }
  figures.push({
    name: 'one put at a time, majority: p50',
    value: percentile(times, 0.5),
    unit: 'ms',
    floor,
  })
  figures.push({
    name: 'one put at a time, majority: p99',
    value: percentile(times, 0.99),
    unit: 'ms',
    floor: { name: 'one fsync, p99', value: fsync.p99Ms },
  })
}

async function throughput({ clients, members }: Daemons): Promise<void> {
  say('puts, 64 in flight, one member …')
  const floor = { name: 'LevelDB alone, a sync for 64', value: level64 }
  const before = members.map(member => cpuSeconds(member.pid))
  const own = process.cpuUsage()
  const one = await inFlight({ count: 64, seconds }, n =>
    clients[0]!.put({ id: `one/${n}`, text: text() }),
  )
  const used = process.cpuUsage(own)
  figures.push({
    name: 'puts/s, majority, 64 in flight, one member',
    value: one.perSecond,
    unit: '/s',
    floor,
  })
  figures.push({ name: '  p50 / p99', value: one.p50Ms, unit: `ms (${one.p99Ms.toFixed(1)})` })
  for (const [at, member] of members.entries()) {
    const cpu = ((cpuSeconds(member.pid) - before[at]!) / one.done) * 1e6
    figures.push({ name: `  processor time a put, ${member.name}`, value: cpu, unit: 'µs' })
  }
  figures.push({
    name: '  processor time a put, client',
    value: (used.user + used.system) / one.done,
    unit: 'µs',
  })
  say('puts, 64 in flight, spread over three …')
  const all = await inFlight({ count: 64, seconds }, n =>
    clients[n % clients.length]!.put({ id: `all/${n}`, text: text() }),
  )
  figures.push({
    name: 'puts/s, majority, 64 in flight, spread over three',
    value: all.perSecond,
    unit: '/s',
    floor,
  })
  const held = await until('all members hold all', async () => {
    const counts = await Promise.all(clients.map(async client => (await client.status()).items))
    return new Set(counts).size === 1
  })
  figures.push({ name: '  then until all three hold it', value: held, unit: 'ms' })
}

async function reads({ clients }: Daemons): Promise<void> {
  const keys = isQuick ? 5000 : 20_000
  say(`${keys} keys, read on a member that took no writes …`)
  await inFlightCount(64, keys, n => clients[0]!.put({ id: `key/${n}`, text: text() }))
  await until('the reader holds all', async () => {
    const [writer, reader] = await Promise.all([clients[0]!.status(), clients[2]!.status()])
    return writer.items === reader.items
  })
  const got = await inFlight({ count: 64, seconds }, () =>
    clients[2]!.get({ id: `key/${Math.floor(Math.random() * keys)}` }),
  )
  figures.push({
    name: 'gets/s, 64 in flight, verified',
    value: got.perSecond,
    unit: '/s',
    floor: { name: 'one hop at a time', value: hop },
  })
  figures.push({
    name: '  SHA-256 of 1 KiB alone',
    value: sha.smallPerSecond,
    unit: '/s',
  })
}

/** Daemons of their own, so that the heap that other measurements left does not count. */
async function memory(): Promise<void> {
  const items = isQuick ? 30_000 : 100_000
  say(`memory with ${items} items …`)
  const fresh = await startDaemons(3)
  try {
    const before = fresh.members.map(member => residentBytes(member.pid))
    await inFlightCount(64, items, n =>
      fresh.clients[n % 3]!.put({ id: `memory/${n}`, text: `${n}` }),
    )
    await until('settled', async () => (await fresh.clients[0]!.status()).unsettled === 0)
    for (const [at, member] of fresh.members.entries()) {
      const bytes = residentBytes(member.pid)
      figures.push({
        name: `memory with ${items} items, ${member.name}`,
        value: bytes / 2 ** 20,
        unit: 'MiB',
      })
      figures.push({ name: '  an item', value: (bytes - before[at]!) / items, unit: 'B' })
    }
  } finally {
    await fresh.end()
  }
}

async function inFlightCount(
  count: number,
  total: number,
  work: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (next < total) await work(next++)
    }),
  )
}
