/**
 * Waiting in the lab: every wait has a deadline, and one that the end of a phase cuts short tells so.
 * How long daemons waited for a processor is measured, not guessed: bounds are longer by that much on
 * a machine that others use too, and the figures say by how much.
 */
import { readFileSync } from 'node:fs'

/**
 * Milliseconds that the main threads of some processes have waited for a processor together, as the
 * kernel counts them. What others run on this machine shows here and nowhere else.
 */
export function waitedMs(pids: readonly number[]): number {
  const waits = pids.map(pid => readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8'))
  return waits.reduce((sum, text) => sum + Number(text.split(' ')[1]) / 1e6, 0)
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
