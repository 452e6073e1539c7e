/**
 * V8 collects everything whenever the heap, with all bytes of arrays outside of it, has grown by a
 * factor that it chooses itself. A payload on its way makes megabytes of short-lived arrays and hardly
 * an object, and V8 chose a factor so small that it collected everything after each four or five megabytes:
 * nearly half of the processor time of a transfer (decision 0031).
 */
import { setFlagsFromString } from 'node:v8'

/** Everything is collected when there is four times as much as the last time left alive. */
const GROWTH_PERCENT = 300

/** From now on the whole heap is collected more rarely. */
export function collectAllRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
