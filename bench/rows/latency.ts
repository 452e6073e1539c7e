/** One put at a time: what a user who waits for each write has to wait. */
import type { Bench, Row } from '../bench.ts'
import { pump } from '../pump.ts'
import { textOf } from '../texts.ts'

const WARM = 100

export const latency: Row = {
  name: 'latency',
  about: 'one put at a time, durable on a majority',
  async run(bench: Bench) {
    const fsync = await bench.disk()
    const { all } = await bench.shared()
    const put = (prefix: string) => (n: number) => {
      const id = `${prefix}/${n}`
      return all[0]!.client.put(id, textOf(id))
    }
    await pump({ inFlight: 1, calls: WARM }, put('warm'))
    const calls = bench.size(300, 2000)
    const put1 = await pump({ inFlight: 1, calls, seconds: bench.seconds }, put('single'))
    bench.add('one put at a time, p50', put1.p50Ms, 'ms', {
      floor: { name: 'one fsync', value: fsync.p50Ms },
    })
    bench.add('one put at a time, p99', put1.p99Ms, 'ms', {
      floor: { name: 'one fsync, p99', value: fsync.p99Ms },
    })
  },
}
