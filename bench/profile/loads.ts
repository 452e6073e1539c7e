/**
 * What can be profiled: loads of rows, made ready outside the profiled time. Each answers a function
 * that runs it and says how many calls it made.
 */
import { holdsAll, type Members } from '../members.ts'
import { until } from '../pump.ts'
import { getsFor, loadKeys } from '../rows/gets.ts'
import { IN_FLIGHT, putsFor } from '../rows/puts.ts'

export const loads = ['latency', 'puts', 'spread', 'gets', 'join', 'catch-up'] as const
export type Load = (typeof loads)[number]

/** What a run did. */
export interface Ran {
  readonly calls: number
  readonly perSecond: number
}

const JOIN_MS_MAX = 3_600_000

/** Members of the network before the load; the one that joins comes with it. */
export function membersOf(load: Load): number {
  return load === 'join' ? 2 : 3
}

/** Warms up or fills the members; the answer runs the load. */
export async function prepare(
  load: Load,
  members: Members,
  isQuick: boolean,
): Promise<() => Promise<Ran>> {
  const [warmSeconds, seconds] = isQuick ? [2, 3] : [5, 15]
  switch (load) {
    case 'latency':
    case 'puts':
    case 'spread': {
      const by = load === 'spread' ? [0, 1, 2] : [0]
      await putsFor(members, 'warm', warmSeconds, by)
      const inFlight = load === 'latency' ? 1 : IN_FLIGHT
      return async () => ranOf(await putsFor(members, load, seconds, by, inFlight))
    }
    case 'gets': {
      const keys = isQuick ? 2000 : 20_000
      await loadKeys(members, keys)
      await getsFor(members, keys, warmSeconds)
      return async () => ranOf(await getsFor(members, keys, seconds))
    }
    case 'join': {
      const items = isQuick ? 2000 : 30_000
      await members.load({ prefix: 'item', from: 0, to: items }, [0])
      await members.agree()
      const daemon = members.fresh(2)
      await daemon.make(await members.invite(0))
      return () => filled(members, items)
    }
    case 'catch-up': {
      const [base, fresh] = isQuick ? [2000, 1000] : [20_000, 11_000]
      await members.load({ prefix: 'item', from: 0, to: base }, [0])
      await members.agree()
      await members.all[2]!.stop()
      await members.load({ prefix: 'item', from: base, to: base + fresh }, [0])
      await members.agree()
      return () => filled(members, fresh)
    }
  }
}

function ranOf({ done, perSecond }: { readonly done: number; readonly perSecond: number }): Ran {
  return { calls: done, perSecond }
}

/** The third member starts, and takes so many items that it lacks. */
async function filled(members: Members, items: number): Promise<Ran> {
  const { facts } = await members.client(0).status()
  const daemon = members.all[2]!
  const begin = performance.now()
  await daemon.start()
  const holds = () => holdsAll(daemon.client, facts)
  await until('the third member holds all', holds, { ms: JOIN_MS_MAX, everyMs: 20 })
  return { calls: items, perSecond: items / ((performance.now() - begin) / 1000) }
}
