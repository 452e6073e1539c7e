/**
 * Whether there is room on the disk of a store. LevelDB does not survive a full disk: half a record
 * in its log makes what is acknowledged after it unreadable. So users' writes are refused while a
 * reserve is left, and what must be written (agreement, facts of others on their way) uses it.
 */
import { statfsSync } from 'node:fs'
import { limits } from '../base/limits.ts'

/** A disk with room is looked at again after so long; a look costs some microseconds. */
const LOOK_MS = 500
/** And when so much of the reserve may have been written: a large payload fills a disk in less time. */
const LOOK_SHARE = 1 / 4

/** The room on the disk that a folder lies on. */
export class DiskRoom {
  readonly #folder: string
  #lookedMs = Number.NEGATIVE_INFINITY
  /** Bytes about to be written since then, and how many of them call for another look. */
  #bytes = 0
  #bytesMax = 0
  #isFull = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Whether less than the reserve is free, before so many bytes of a payload are written. Throws when
   * the folder is not there any more.
   */
  isFull(bytes = 0): boolean {
    const nowMs = performance.now()
    this.#bytes += bytes
    const isFresh = nowMs - this.#lookedMs < LOOK_MS && this.#bytes < this.#bytesMax
    if (!this.#isFull && isFresh) return false
    this.#lookedMs = nowMs
    this.#bytes = bytes
    this.#isFull = true // where nothing can be seen there is no room
    const { bavail, blocks, bsize } = statfsSync(this.#folder)
    const reserve = Math.min(limits.diskReserveBytes, (blocks * bsize) / 20)
    this.#bytesMax = reserve * LOOK_SHARE
    this.#isFull = bavail * bsize < reserve
    return this.#isFull
  }
}
