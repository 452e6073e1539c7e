/**
 * Virtual time. One queue of moments for the whole world, ordered by time and then by the order of
 * asking; between two moments everything that was set going runs to its end, so a run depends on
 * nothing but its seed. Each machine's clocks are derived from it (machine-clocks.ts).
 *
 * Invariants: time never goes back; a moment of a life that ended is never run; a life that stands
 * still runs its moments, in order, when it goes on.
 */
import type { Clock, Timer } from '../src/node/ports.ts'
import type { MachineClocks } from './machine-clocks.ts'

interface Moment {
  readonly atMs: number
  readonly order: number
  run: (() => void) | null
}

/** The queue of moments of a world. */
export class Timeline {
  nowMs = 0
  /** Moments that were run: a measure of work. */
  ran = 0
  readonly #heap: Moment[] = []
  #order = 0

  /** Runs a callback at a moment, not before now. */
  at(atMs: number, run: () => void): Timer {
    const moment: Moment = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run }
    this.#push(moment)
    return {
      cancel: () => {
        moment.run = null
      },
    }
  }

  after(ms: number, run: () => void): Timer {
    return this.at(this.nowMs + Math.max(0, ms), run)
  }

  /** Resolves when that much virtual time has passed; for code outside of the members. */
  wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.after(ms, resolve)
    return promise
  }

  /** Runs everything up to a moment; ends early when `until` says so. */
  async runTo(endMs: number, until: () => boolean = () => false): Promise<void> {
    await drained()
    while (!until()) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > endMs) {
        this.nowMs = endMs
        return
      }
      this.#pop()
      const { run } = next
      if (run === null) continue
      this.nowMs = next.atMs
      this.ran += 1
      run()
      await drained()
    }
  }

  #push(moment: Moment): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(moment)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(moment, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = moment
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    const size = heap.length
    if (size === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** Resolves when all promises that were set going have run to their end: they never wait for IO. */
function drained(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** One run of one member's process, from its start to its end. */
export class Life {
  readonly timeline: Timeline
  #alive = true
  #stillUntilMs = 0
  #held: (() => void)[] = []

  constructor(timeline: Timeline) {
    this.timeline = timeline
  }

  get alive(): boolean {
    return this.#alive
  }

  get isStill(): boolean {
    return this.timeline.nowMs < this.#stillUntilMs
  }

  /** Ends the process: nothing of it runs any more. */
  end(): void {
    this.#alive = false
    this.#held = []
  }

  /** Stops the process for a while (SIGSTOP); what happens to it meanwhile happens afterwards. */
  standStill(ms: number): void {
    const first = !this.isStill
    this.#stillUntilMs = Math.max(this.#stillUntilMs, this.timeline.nowMs + ms)
    if (first) this.#goOnLater()
  }

  /** Ends a standing still before its time (SIGCONT). */
  goOn(): void {
    if (!this.isStill) return
    this.#stillUntilMs = this.timeline.nowMs
    this.#release()
  }

  /** Lets something happen to the process: now, after it stood still, or never. */
  run(happen: () => void): void {
    if (!this.#alive) return
    if (this.isStill || this.#held.length > 0) this.#held.push(happen)
    else happen()
  }

  after(ms: number, happen: () => void): Timer {
    return this.timeline.after(ms, () => this.run(happen))
  }

  #goOnLater(): void {
    this.timeline.at(this.#stillUntilMs, () => {
      if (this.isStill) return this.#goOnLater()
      this.#release()
    })
  }

  #release(): void {
    const held = this.#held
    this.#held = []
    // One moment for each, so that what it sets going ends before the next.
    for (const happen of held) this.after(0, happen)
  }
}

/** The clock port of one life. */
export function clockOf(life: Life, machine: MachineClocks): Clock {
  return {
    monotonicMs: () => machine.monotonicMs(),
    wallMs: () => machine.wallMs(),
    after(ms, callback) {
      let due: (() => void) | null = callback
      const timer = life.after(ms / machine.rate, () => due?.())
      return {
        cancel() {
          due = null
          timer.cancel()
        },
      }
    },
  }
}
