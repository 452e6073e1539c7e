/**
 * What the daemon must install, because libp2p can throw where nobody can catch: a drain event that
 * meets a stream already closed raises a StreamStateError out of an event dispatch (libp2p issue
 * 3415). Such an error concerns one stream, but streams behind it in that dispatch were not told
 * either, so every link is made anew. Everything else that reaches the process is a bug of ours and
 * ends it, after the store was closed.
 */
import type { Log } from '../ports.ts'

export interface ProcessGuardOptions {
  readonly log: Log
  /** Makes all links anew: `Libp2pNetwork.remakeLinks`. */
  readonly recover: () => void
  /** Closes the store and ends the process. Called at most once. */
  readonly fatal: (error: unknown) => void
}

/** Installs the guard on this process; the returned function takes it off. */
export function guardProcess({ log, recover, fatal }: ProcessGuardOptions): () => void {
  let isOver = false
  const onError = (error: unknown) => {
    if (isStreamFault(error)) {
      log('error', 'A stream fault inside libp2p: all links are made anew.', {
        error: String(error),
      })
      recover()
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

/** Whether an error is libp2p's own about the state of one stream. */
export function isStreamFault(error: unknown): boolean {
  return error instanceof Error && error.name === 'StreamStateError'
}
