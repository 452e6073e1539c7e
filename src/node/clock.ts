/**
 * The real clocks and chance of a machine, as ports. Whoever simulates brings others; nothing else
 * in the product reads a clock or draws a random number.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Entropy } from './ports.ts'

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** A turn of the event loop. */
export const systemTurn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

export const systemEntropy: Entropy = {
  bytes: count => new Uint8Array(randomBytes(count)),
}
