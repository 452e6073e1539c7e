/**
 * Waiting in the lab: every wait has a deadline, and one that the end of a phase cuts short tells so.
 * How much slower than alone the machine is now is measured, not guessed: bounds are stretched by
 * the load that others put on it, and the verdict says by how much.
 */
import { availableParallelism, loadavg } from 'node:os'

/** Bounds are never stretched further. */
const SLOWER_MAX = 6

/** How much longer things take now, because processes wait for the processors; 1 when they do not. */
export function slowness(): number {
  return Math.min(SLOWER_MAX, Math.max(1, loadavg()[0]! / availableParallelism()))
}

export function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** What a promise gives, or an error when it takes too long. */
export async function deadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A stretch of time that can be ended early, for all who wait in it. */
export class Phase {
  readonly #over: Promise<void>
  #isOver = false
  #finish: () => void = () => undefined

  constructor(ms: number) {
    this.#over = new Promise(resolve => {
      this.#finish = () => {
        this.#isOver = true
        resolve()
      }
    })
    setTimeout(this.#finish, ms)
  }

  /** Ends it now. */
  end(): void {
    this.#finish()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Waits so long, or until the phase is over. */
  async wait(ms: number): Promise<void> {
    await Promise.race([wait(ms), this.#over])
  }
}
