/**
 * V8 lets the part of the heap in which things are made grow to 128 MiB, and touches all of it again and
 * again: with what that keeps alive it was a fifth of a member's memory, and no quicker (decision 0018). A
 * daemon stops its growth at a quarter of that: the smaller it is, the more often it is collected, and
 * below that it costs a member that works a tenth of what it does (decision 0032). V8 also makes that
 * part as small as at the start whenever the process idles, so it must be free to grow again (decision 0031).
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves together. */
const YOUNG_BYTES = 32 * 1024 * 1024

/** From now on the young generation grows to `YOUNG_BYTES`, or little more, and not beyond, as often as it was made smaller. */
export function keepYoungSmall(): void {
  let factor = 2 // V8's own
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
    const wanted = young !== undefined && young.space_size >= YOUNG_BYTES ? 1 : 2
    if (wanted === factor) return
    factor = wanted
    setFlagsFromString(`--semi-space-growth-factor=${factor}`)
  })
  observer.observe({ entryTypes: ['gc'] })
}
