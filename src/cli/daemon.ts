/**
 * The few functions of the daemon that the command line calls itself: all others go over the
 * control socket. They are loaded when they are needed, so that `veche get` does not pay for the
 * network's libraries.
 */

export interface InitOptions {
  /** Folder; made if it is not there. Must be absent or empty. */
  readonly store: string
  /** Default: the machine's host name. */
  readonly name?: string
  /** Multiaddrs; default: all interfaces, a port chosen once. */
  readonly listen?: readonly string[]
  /** Name of the network; default: that of the member. */
  readonly network?: string
  readonly quorum?: 'visible' | 'roster'
}

export interface JoinOptions {
  readonly store: string
  readonly token: string
  readonly name?: string
  readonly listen?: readonly string[]
}

/** What `init` and `join` made. */
export interface MadeStore {
  readonly uuid: string
  readonly name: string
  readonly network: string
  readonly store: string
  /** As saved: ports are no longer 0. */
  readonly listen: readonly string[]
}

export interface StartOptions {
  readonly store: string
  readonly mdns: boolean
  /** Lines for the log, one JSON object each; default: sentences on stderr. */
  readonly jsonLog: boolean
}

export interface RunningDaemon {
  readonly uuid: string
  readonly name: string
  /** Path of the control socket. */
  readonly socket: string
  readonly addresses: readonly string[]
  /** Ends in order: answers what is at work, closes the store. */
  stop(): Promise<void>
  /** Resolves after `stop`; rejects when the daemon cannot go on (a disk that failed). */
  readonly ended: Promise<void>
}

/**
 * What `src/node/daemon.ts` exports. Errors are VecheErrors: IN_USE (with `data.pid`),
 * NOT_A_STORE, NEWER_FORMAT, NO_PERMISSION, DISK_FULL, BAD_REQUEST (a token or address that is
 * none), EXPIRED, USED, UNAVAILABLE (nobody in the token answers), REMOVED.
 */
export interface DaemonFunctions {
  initStore(options: InitOptions): Promise<MadeStore>
  joinNetwork(options: JoinOptions): Promise<MadeStore>
  startDaemon(options: StartOptions): Promise<RunningDaemon>
}

// Not a literal, because the daemon's module may not be here when this one is compiled.
const daemonModule: string = '../node/daemon.ts'

/** Loads the daemon. */
export async function loadDaemon(): Promise<DaemonFunctions> {
  return (await import(daemonModule)) as DaemonFunctions
}
