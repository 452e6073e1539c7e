/**
 * V8 collects everything whenever the heap, with all bytes of arrays outside of it, has grown by a
 * factor that it chooses itself, and whenever those bytes have grown by 64 MiB. A payload on its way makes
 * megabytes of short-lived arrays and hardly an object, and everything was collected after each four or five
 * megabytes: nearly half of the processor time of a transfer (decision 0031). Collections of the young
 * generation free such arrays for next to nothing, if only they come before those 64 MiB (decision 0033).
 */
import { setFlagsFromString } from 'node:v8'

/** Everything is collected when there is four times as much as the last time left alive. */
const GROWTH_PERCENT = 300

/**
 * The young generation is collected when its arrays have four times as many MiB outside of the heap: V8
 * takes the flag for half of one of two halves. It sizes nothing else once the process runs.
 */
const YOUNG_ARRAYS_MIB = 4

/** From now on the whole heap is collected more rarely. */
export function collectAllRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
  setFlagsFromString(`--scavenger-max-new-space-capacity-mb=${YOUNG_ARRAYS_MIB}`)
}
