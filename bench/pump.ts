/**
 * How load is made: so many calls in flight for so long, or for so many calls; or one call at every
 * tick of a clock that does not wait for answers. A call that fails ends the run: a figure with
 * errors in it is none.
 */
import { percentile } from './figures.ts'

export interface Pumped {
  readonly done: number
  readonly tookMs: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs `work` with `inFlight` at once until the seconds or the calls are over. */
export async function pump(
  options: { readonly inFlight: number; readonly seconds?: number; readonly calls?: number },
  work: (n: number) => Promise<unknown>,
): Promise<Pumped> {
  const { inFlight, seconds = Number.POSITIVE_INFINITY, calls = Number.POSITIVE_INFINITY } = options
  const times: number[] = []
  const begin = performance.now()
  const end = begin + seconds * 1000
  let next = 0
  const lane = async () => {
    while (next < calls && performance.now() < end) {
      const start = performance.now()
      await work(next++)
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return summed(times, performance.now() - begin)
}

/**
 * Runs `work` at a steady rate. A call's time counts from the moment at which it was due, so that a
 * standstill is not hidden by the calls that it kept from being made.
 */
export async function pace(
  options: { readonly perSecond: number; readonly seconds: number },
  work: (n: number) => Promise<unknown>,
): Promise<Pumped> {
  const { perSecond, seconds } = options
  const times: number[] = []
  const open = new Set<Promise<void>>()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined) // it is raced below
  const begin = performance.now()
  const total = Math.floor(perSecond * seconds)
  for (let n = 0; n < total; ) {
    const dueCalls = Math.min(total, ((performance.now() - begin) / 1000) * perSecond)
    for (; n < dueCalls; n++) {
      const dueMs = begin + (n / perSecond) * 1000
      const one = work(n).then(() => void times.push(performance.now() - dueMs), failed.reject)
      open.add(one)
      void one.then(() => open.delete(one))
    }
    await Promise.race([new Promise(resolve => setTimeout(resolve, 2)), failed.promise])
  }
  await Promise.race([Promise.all(open), failed.promise])
  return summed(times, performance.now() - begin)
}

function summed(times: readonly number[], tookMs: number): Pumped {
  return {
    done: times.length,
    tookMs,
    perSecond: times.length / (tookMs / 1000),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  }
}

/** Of the time, that polling may take from what it looks at. */
const POLLING_SHARE = 0.05
const POLL_MS_MAX = 1000

/** Polls until something holds; a deadline that passes is an error. Resolves with milliseconds. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  options: { readonly ms?: number; readonly everyMs?: number } = {},
): Promise<number> {
  const { ms = 60_000, everyMs = 50 } = options
  const begin = performance.now()
  for (;;) {
    const asked = performance.now()
    if (await holds()) return performance.now() - begin
    if (performance.now() - begin > ms) throw new Error(`Not within ${ms / 1000} s: ${what}.`)
    const costMs = performance.now() - asked
    await pause(Math.max(everyMs, Math.min(POLL_MS_MAX, costMs / POLLING_SHARE)))
  }
}

/** Lets time pass. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
