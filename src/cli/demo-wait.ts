/**
 * How the demo waits: for what it says will happen, with a bound, and no longer than the person
 * before the terminal wants.
 */
import { setTimeout as pause } from 'node:timers/promises'

/** What was waited for should take seconds; after so long something is wrong. */
const WAIT_MS = 60_000
const LOOK_EVERY_MS = 100

export interface Patience {
  /** Aborted by Ctrl-C; its reason is thrown. */
  readonly signal: AbortSignal
  /** Called at each look: the table on the screen is drawn anew. */
  readonly look?: () => Promise<void>
}

/** Looks until it holds and answers after how many milliseconds; throws what did not happen. */
export async function until(
  what: string,
  { signal, look }: Patience,
  holds: () => Promise<boolean>,
): Promise<number> {
  const beganMs = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const isSo = await holds()
    await look?.()
    const tookMs = performance.now() - beganMs
    if (isSo) return tookMs
    if (tookMs > WAIT_MS)
      throw new Error(`This did not happen within ${WAIT_MS / 1000} seconds: ${what}.`)
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
  }
}

/** Time to read. */
export async function time(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
}
