/**
 * Reads of single items, 64 in flight, on a member that took no writes; the client holds each
 * answer against its hash.
 */
import type { Bench, Row } from '../bench.ts'
import { cpuSeconds } from '../machine.ts'
import { holdsAll, type Members } from '../members.ts'
import { type Pumped, pump, until } from '../pump.ts'

const IN_FLIGHT = 64

/** So many seconds of gets from the third member. */
export function getsFor(members: Members, keys: number, seconds: number): Promise<Pumped> {
  const { client } = members.all[2]!
  return pump({ inFlight: IN_FLIGHT, seconds }, () =>
    client.get(`key/${Math.floor(Math.random() * keys)}`),
  )
}

/** Puts the keys through the first member, and waits until the third holds them. */
export async function loadKeys(members: Members, keys: number): Promise<void> {
  await members.load({ prefix: 'key', from: 0, to: keys }, [0])
  const { facts } = await members.client(0).status()
  await until('the reader holds all', () => holdsAll(members.client(2), facts))
  await members.agree()
}

export const gets: Row = {
  name: 'gets',
  about: 'gets, 64 in flight, on a member that took no writes, verified by the client',
  async run(bench: Bench) {
    const keys = bench.size(5000, 20_000)
    const members = await bench.shared()
    await loadKeys(members, keys)
    await getsFor(members, keys, 1)
    const { pid } = members.all[2]!
    const before = cpuSeconds(pid)
    const ownBefore = process.cpuUsage()
    const got = await getsFor(members, keys, bench.seconds)
    const own = process.cpuUsage(ownBefore)
    const note = `${keys} keys`
    const level = { name: 'LevelDB behind one hop', value: await bench.levelHop() }
    bench.add('gets, 64 in flight', got.perSecond, '/s', { floor: level, note })
    bench.add('p50', got.p50Ms, 'ms')
    bench.add('p99', got.p99Ms, 'ms')
    bench.add('processor time a get, member', ((cpuSeconds(pid) - before) / got.done) * 1e6, 'µs')
    bench.add('processor time a get, client', (own.user + own.system) / got.done, 'µs')
    const { smallPerSecond } = await bench.hash()
    bench.add('SHA-256 of 1 KiB alone', 1e6 / smallPerSecond, 'µs')
    const hop = await bench.hop()
    bench.add('one hop there and back alone', 1e6 / hop, 'µs')
  },
}
