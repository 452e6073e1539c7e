/**
 * The few functions of the daemon that the command line calls itself: all others go over the
 * control socket. They are loaded when they are needed, so that `veche get` does not pay for the
 * network's libraries. Their errors are VecheErrors, or errors of the system with a code.
 */
import type * as daemon from '../node/daemon.ts'

/** What `init` and `join` made. */
export type MadeStore = daemon.MadeStore

/** What the command line needs of the daemon. */
export type DaemonFunctions = Pick<typeof daemon, 'initStore' | 'joinNetwork' | 'startDaemon'>

/** Loads the daemon. */
export async function loadDaemon(): Promise<DaemonFunctions> {
  return await import('../node/daemon.ts')
}
