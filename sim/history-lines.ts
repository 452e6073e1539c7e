/**
 * The history of a run as it is judged (docs/history-format.md), in memory: each line gets its place
 * and its time here. A line once written is never changed; dumps share the facts that they have in
 * common, so that a long history stays small.
 */
import type { HistoryLine, Unplaced } from './checker/format.ts'

export class Lines {
  readonly list: HistoryLine[] = []
  /** Asked before an answer is written down, for what must stand before it. */
  beforeDone: () => void = () => undefined
  readonly #nowMs: () => number

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Writes a line; answers its `seq`. */
  write(line: Unplaced): number {
    if (line.kind === 'done') this.beforeDone()
    const seq = this.list.length
    this.list.push({ ...line, seq, atMs: this.#nowMs() } as HistoryLine)
    return seq
  }

  /** The `seq` of the last line that is at least so old; −1 if there is none. */
  lastBefore(atMs: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.list[middle]!.atMs <= atMs) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** As a file has it: an object a line. */
  *text(): Generator<string> {
    for (const line of this.list) yield `${JSON.stringify(line)}\n`
  }
}
