/**
 * Writes a history down: gives each line its place and its time, and hands it on as one line of
 * JSON at once, so that a recorder that is killed leaves all but its last line whole.
 */
import type { Unplaced } from './format.ts'

export class Recorder {
  readonly #nowMs: () => number
  readonly #take: (line: string) => void
  #seq = 0

  /** `nowMs` never goes back; `take` is given each line with its line feed. */
  constructor(nowMs: () => number, take: (line: string) => void) {
    this.#nowMs = nowMs
    this.#take = take
  }

  /** Writes a line; answers its `seq`. */
  write(line: Unplaced): number {
    const seq = this.#seq
    this.#seq += 1
    this.#take(`${JSON.stringify({ ...line, seq, atMs: this.#nowMs() })}\n`)
    return seq
  }
}
