/**
 * What the daemon must install, because libp2p can throw where nobody can catch: out of an event or
 * a microtask that meets a stream closed a moment before comes a StreamStateError (libp2p issue
 * 3415; seen with yamux 8.0.3 when a connection breaks while a stream is being opened on it). It
 * concerns that one stream, whose end its owner is told in the usual way, so it is logged and no
 * more. Everything else that reaches the process is a bug and ends it, after the store was closed.
 * In a program that embeds a member the process is not ours: there, all else is left to it.
 */
import type { Log } from '../ports.ts'

export interface ProcessGuardOptions {
  readonly log: Log
  /** Closes the store and ends the process. Called at most once. */
  readonly fatal: (error: unknown) => void
}

/** Installs the guard on this process; the returned function takes it off. */
export function guardProcess({ log, fatal }: ProcessGuardOptions): () => void {
  let isOver = false
  const onError = (error: unknown) => {
    if (isStreamFault(error)) {
      log('warn', 'A stream was used after its end, inside libp2p.', { error: String(error) })
      return
    }
    if (isOver) return
    isOver = true
    log('error', 'An error that nobody caught ends this process.', {
      error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    })
    fatal(error)
  }
  process.on('uncaughtException', onError)
  process.on('unhandledRejection', onError)
  return () => {
    process.off('uncaughtException', onError)
    process.off('unhandledRejection', onError)
  }
}

/** The logs of the members that a program embeds; the process has one guard for all of them. */
const embedded = new Set<Log>()

/**
 * The guard for a process that is not ours: it takes those stream errors only. Everything else goes
 * the way it would go without us. The returned function takes it off.
 */
export function guardEmbedded(log: Log): () => void {
  const own: Log = (...told) => log(...told)
  if (embedded.size === 0) process.on('uncaughtException', onUncaught)
  embedded.add(own)
  return () => {
    if (embedded.delete(own) && embedded.size === 0) process.off('uncaughtException', onUncaught)
  }
}

function onUncaught(error: unknown): void {
  if (isStreamFault(error)) {
    for (const log of embedded)
      log('warn', 'A stream was used after its end, inside libp2p.', { error: String(error) })
    return
  }
  if (process.listenerCount('uncaughtException') > 1) return
  process.off('uncaughtException', onUncaught)
  process.nextTick(() => {
    throw error
  })
}

function isStreamFault(error: unknown): boolean {
  return error instanceof Error && error.name === 'StreamStateError'
}
