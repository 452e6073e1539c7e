/**
 * A minute of steady load at 80 % of the most, through all members: does any lose its status as
 * Source, does the worst wait stay near the usual one, does memory stand still?
 */
import type { Bench, Row } from '../bench.ts'
import { slope } from '../figures.ts'
import { memoryOf } from '../machine.ts'
import type { Members } from '../members.ts'
import { pace } from '../pump.ts'
import { Connection } from '../socket.ts'
import { textOf } from '../texts.ts'
import { putsFor } from './puts.ts'

const SHARE = 0.8
/** Of the time, from its end: memory has found its level by then. */
const SLOPE_SHARE = 2 / 3

export const steady: Row = {
  name: 'steady',
  about: 'steady load at 80 % of the most, all members writing',
  async run(bench: Bench) {
    await bench.end()
    const members = await bench.form(3)
    try {
      await putsFor(members, 'warm', bench.size(1, 5), [0, 1, 2])
      const most = await putsFor(members, 'most', bench.size(2, 10), [0, 1, 2])
      await members.agree()
      await load(bench, members, most.perSecond * SHARE)
    } finally {
      await members.end()
    }
  },
}

async function load(bench: Bench, members: Members, perSecond: number): Promise<void> {
  const seconds = bench.size(9, 60)
  const losses: string[] = []
  const watches = await Promise.all(
    members.all.map(async ({ name, socket }) => {
      const watch = await Connection.open(socket, event => {
        if (event.kind === 'status' && event.status !== 'source')
          losses.push(`${name}: ${event.status}`)
      })
      await watch.call('watch', { prefix: 'of no item/' })
      return watch
    }),
  )
  const begin = performance.now()
  const memory = members.all.map((): [number, number][] => [])
  const timer = setInterval(() => {
    const second = (performance.now() - begin) / 1000
    for (const [at, { pid }] of members.all.entries())
      memory[at]!.push([second, memoryOf(pid).now / 2 ** 20])
  }, 500)
  try {
    const put = await pace({ perSecond, seconds }, n => {
      const id = `steady/${n}`
      return members.client(n % members.all.length).put(id, textOf(id))
    })
    bench.add(`puts at ${SHARE * 100} % of the most`, put.perSecond, '/s', { note: `${seconds} s` })
    bench.add('p50, from when each was due', put.p50Ms, 'ms')
    const floor = { name: 'p50', value: put.p50Ms }
    bench.add('p99, from when each was due', put.p99Ms, 'ms', { floor })
  } finally {
    clearInterval(timer)
    for (const watch of watches) watch.close()
  }
  const note = losses.length === 0 ? {} : { note: losses.slice(0, 5).join('; ') }
  bench.add('times that a member was no Source', losses.length, '', note)
  const from = seconds * (1 - SLOPE_SHARE)
  for (const [at, { name }] of members.all.entries()) {
    const points = memory[at]!.filter(([second]) => second >= from)
    bench.add(
      `growth of memory in the last ${Math.round(seconds - from)} s, ${name}`,
      slope(points),
      'MiB/s',
    )
  }
}
