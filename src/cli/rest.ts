/**
 * V8 collects when something is made, and gives memory back when it collects: what ten thousand writes
 * left behind stays with a member that rests after them, for hours (decision 0026). So a daemon that
 * comes to rest after work collects everything once.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** No collection for so long: at work there are several a second, at rest two or three a minute. */
const REST_MS = 10_000
/** Collections that make work worth it; each one of the young generation is some MiB. */
const WORK_COLLECTIONS = 16

interface How {
  readonly type: 'major'
  readonly execution: 'async'
  readonly flavor: 'last-resort'
}

/** From now on memory is given back when this process rests for `restMs` after work. */
export function collectAtRest(restMs = REST_MS): void {
  setFlagsFromString('--expose-gc')
  const collect: (how: How) => Promise<void> = runInNewContext('gc')
  let collections = 0
  const rest = setTimeout(() => {
    if (collections < WORK_COLLECTIONS) return
    collections = 0
    void collect({ type: 'major', execution: 'async', flavor: 'last-resort' }) // it never rejects
  }, restMs).unref()
  const observer = new PerformanceObserver(list => {
    collections += list.getEntries().length
    rest.refresh()
  })
  observer.observe({ entryTypes: ['gc'] })
}
