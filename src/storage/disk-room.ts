/**
 * Whether there is room on the disk of a store. LevelDB does not survive a full disk: half a record
 * in its log makes what is acknowledged after it unreadable. So users' writes are refused while a
 * reserve is left, and what must be written (agreement, facts of others on their way) uses it.
 */
import { statfsSync } from 'node:fs'
import { limits } from '../base/limits.ts'

/** A disk with room is looked at again after so long; a look costs some microseconds. */
const LOOK_MS = 500

/** The room on the disk that a folder lies on. */
export class DiskRoom {
  readonly #folder: string
  #lookedMs = Number.NEGATIVE_INFINITY
  #isFull = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Whether less than the reserve is free. Throws when the folder is not there any more. */
  isFull(): boolean {
    const nowMs = performance.now()
    if (!this.#isFull && nowMs - this.#lookedMs < LOOK_MS) return false
    this.#lookedMs = nowMs
    this.#isFull = true // where nothing can be seen there is no room
    const { bavail, blocks, bsize } = statfsSync(this.#folder)
    const reserve = Math.min(limits.diskReserveBytes, (blocks * bsize) / 20)
    this.#isFull = bavail * bsize < reserve
    return this.#isFull
  }
}
