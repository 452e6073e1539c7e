/**
 * `open`: a member in a program's own process. It is the member that the daemon runs, put together
 * from the same parts; only its surroundings differ: the store may be memory, errors are thrown to
 * the program, and the process belongs to somebody else, so nothing here ends it or speaks on its
 * output unasked.
 */
import { readdir } from 'node:fs/promises'
import { join as joinPath, resolve } from 'node:path'
import type { ItemId } from '../base/fact.ts'
import { VecheError } from '../base/veche-error.ts'
import { type CustomPolicy, type Policy, splitPolicy } from '../consensus/items/policy.ts'
import type { MemberMethods } from '../control/protocol-member.ts'
import { CONTROL_SOCKET } from '../control/server.ts'
import { openLevelStore } from '../storage/level-store.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { makeStore } from './daemon.ts'
import { beginNetwork, enterNetwork, type NewMember } from './daemon-make.ts'
import { type RunningMember, runMember } from './daemon-run.ts'
import { closedError, failedError, methodsOf } from './embed-methods.ts'
import { type Identity, readIdentity, writeIdentity } from './identity.ts'
import { StartLook } from './ledger/start-look.ts'
import { guardEmbedded } from './libp2p/process-guard.ts'
import { silentLog } from './log.ts'
import type { Log } from './ports.ts'
import { decodeToken } from './token.ts'

export type { CustomPolicy, PolicySide } from '../consensus/items/policy.ts'

/** What becomes of an item that was changed apart: a word, or a function of its own. */
export type PolicyChoice = 'split' | 'latest' | CustomPolicy

/** How to open a member. What only a store's making can choose is read from the store later. */
export interface OpenOptions {
  /**
   * `'memory'`: everything is gone when the member is closed. Else a folder: made where it is
   * absent or empty, opened where it holds a store; its member answers on the folder's control
   * socket, too, so that `veche status --store FOLDER` works beside the program.
   */
  readonly store: string
  /**
   * A token of `invite`: joins that network. A folder that belongs to it already is just opened,
   * so a program may pass the same token at each start. Absent: begins a network.
   */
  readonly join?: string
  /** Name of this member; default: the host name. Only when the store is made. */
  readonly name?: string
  /** Settings of the network that this member begins. Only when the store is made. */
  readonly network?: {
    /** Default: the name of the member. */
    readonly name?: string
    /** Who may add data in a cut: every side, or only that of more than half of the roster. */
    readonly quorum?: 'visible' | 'roster'
  }
  /**
   * Multiaddrs to listen on; default: all interfaces, a free port. `[]`: nowhere, so a member that
   * began a network is alone, and one that joined dials the others. Only when the store is made.
   */
  readonly listen?: readonly string[]
  /** What others are told to dial, where it is not `listen`. Only when the store is made. */
  readonly announce?: readonly string[]
  /** Whether to look for members on the local network; default: where this member listens. */
  readonly mdns?: boolean
  /**
   * What becomes of collisions, for all items or by id. It must be the same on every member of a
   * network, and a function of its arguments alone, or members would disagree for ever. Members of
   * the command line split. Default: `'split'`.
   */
  readonly policy?: PolicyChoice | { readonly of: (id: ItemId) => PolicyChoice }
  /** Where the member's log goes; default: nowhere. */
  readonly log?: Log
  /**
   * Told when the member cannot go on (its disk failed, a bug): it has stopped, what was answered
   * is safe, and all methods throw from now on. Default: the error is thrown where nobody catches
   * it, so that the process ends.
   */
  readonly onFatal?: (error: Error) => void
}

/** A member that runs in this process; `close` stops it. */
export interface EmbeddedMember extends MemberMethods {
  readonly uuid: string
  readonly name: string
  /** Multiaddrs that others are told to dial. */
  readonly addresses: readonly string[]
}

/** Opens a member; see `open` of the package entry. */
export async function openMember(options: OpenOptions): Promise<EmbeddedMember> {
  checkOptions(options)
  const look = new StartLook()
  const store = await storeOf(options, look)
  try {
    return await runEmbedded(store, look, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

function checkOptions({ store, policy }: OpenOptions): void {
  if (typeof store !== 'string' || store === '') {
    const sentence = 'Name a folder for the store, or "memory".'
    throw new VecheError('BAD_REQUEST', sentence, { parameter: 'store' })
  }
  if (typeof policy !== 'object') policyOf(policy ?? 'split')
}

/** A store with a member in it: a new one, or the one that is there. */
async function storeOf(options: OpenOptions, items: StartLook): Promise<Store> {
  if (options.store === 'memory') {
    const { identity, facts } = await newMember(options)
    const store = new MemoryStore()
    await writeIdentity(store, identity, facts)
    return store
  }
  const folder = resolve(options.store)
  if (await isNew(folder)) await makeStore(folder, () => newMember(options))
  return await openLevelStore(folder, { create: false, items })
}

/** Whatever else is wrong with a folder is told by those who make or open it. */
async function isNew(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function newMember(options: OpenOptions): Promise<NewMember> {
  const { join, network } = options
  if (join !== undefined) return enterNetwork(made(options), join)
  return beginNetwork({
    ...made(options),
    ...(network?.name === undefined ? {} : { network: network.name }),
    ...(network?.quorum === undefined ? {} : { quorum: network.quorum }),
  })
}

function made({ name, listen, announce }: OpenOptions) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(listen === undefined ? {} : { listen }),
    ...(announce === undefined ? {} : { announce }),
  }
}

async function runEmbedded(
  store: Store,
  look: StartLook,
  options: OpenOptions,
): Promise<EmbeddedMember> {
  const identity = await readIdentity(store)
  if (options.join !== undefined) assertSameNetwork(identity, options)
  const closed = new AbortController()
  const log = options.log ?? silentLog
  const fatal = Promise.withResolvers<Error>()
  const unguard = guardEmbedded(log)
  const running = await runMember({
    store,
    look,
    identity,
    mdns: options.mdns ?? identity.listen.length > 0,
    log,
    policyOf: policiesOf(options.policy ?? 'split'),
    ...(options.store === 'memory' ? {} : { socket: socketOf(options.store) }),
    onFatal: fatal.resolve,
  }).catch(error => {
    unguard()
    throw error
  })
  let closing: Promise<void> | undefined
  const end = (reason: Error, how: () => Promise<void>) => {
    closed.abort(reason)
    closing ??= how().finally(unguard)
    return closing
  }
  void fatal.promise.then(async error => {
    if (closing !== undefined) return
    await end(failedError(error), running.abandon)
    tellFatal(error, options)
  })
  return embedded(running, identity, {
    closed: closed.signal,
    log,
    close: () => end(closedError(), running.stop),
  })
}

function embedded(
  running: RunningMember,
  { name }: Identity,
  { closed, log, close }: { closed: AbortSignal; log: Log; close: () => Promise<void> },
): EmbeddedMember {
  const { uuid, addresses, service } = running
  const report = (sentence: string, error: unknown) =>
    log('error', sentence, { error: String(error) })
  return {
    uuid,
    name,
    addresses,
    ...methodsOf({ service, report, closed }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Thrown outside of any promise, or nobody would hear of it. */
function tellFatal(error: Error, { onFatal }: OpenOptions): void {
  if (onFatal !== undefined) return onFatal(error)
  process.nextTick(() => {
    throw error
  })
}

function socketOf(folder: string): string {
  return joinPath(resolve(folder), CONTROL_SOCKET)
}

/** An old token serves here, too. A store of another network would never meet the members that the token speaks of. */
function assertSameNetwork({ networkKey }: Identity, { store, join }: OpenOptions): void {
  if (Buffer.compare(decodeToken(join ?? '').networkKey, networkKey) === 0) return
  const sentence = `${store} belongs to another network than the token. Choose another folder.`
  throw new VecheError('BAD_REQUEST', sentence, { parameter: 'join' })
}

function policiesOf(choice: NonNullable<OpenOptions['policy']>): (id: ItemId) => Policy {
  if (typeof choice === 'object') return id => policyOf(choice.of(id))
  const policy = policyOf(choice)
  return () => policy
}

function policyOf(choice: PolicyChoice): Policy {
  if (choice === 'split') return splitPolicy
  if (choice === 'latest') return { kind: 'latest' }
  if (typeof choice === 'function') return { kind: 'custom', decide: choice }
  const sentence = 'A policy is "split", "latest" or a function.'
  throw new VecheError('BAD_REQUEST', sentence, { parameter: 'policy' })
}
