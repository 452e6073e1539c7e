/**
 * V8 lets the part of the heap in which things are made grow to 16 MiB twice over, and touches all of
 * it again and again: with what that keeps alive it was a fifth of a member's memory, and no quicker (decision 0018).
 * A daemon stops its growth at a quarter of that.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves together. */
const YOUNG_BYTES = 8 * 1024 * 1024

/** From now on the young generation grows to `YOUNG_BYTES`, or little more, and not beyond. */
export function keepYoungSmall(): void {
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
    if (young !== undefined && young.space_size < YOUNG_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}
