/**
 * The daemon: a member on libp2p and LevelDB with a control socket. Here the parts are put together;
 * nothing is decided. Also the making of stores: `init` begins a network, `join` enters one.
 */
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { VecheError } from '../base/veche-error.ts'
import { type PlantedBug, plantedBugNames } from '../consensus/agreement/state.ts'
import { CONTROL_SOCKET } from '../control/server.ts'
import { openLevelStore } from '../storage/level-store.ts'
import type { Store } from '../storage/store.ts'
import { readToken, redeem } from './daemon-join.ts'
import {
  beginNetwork,
  checkedAnnounce,
  enterNetwork,
  type MakeOptions,
  type NetworkOptions,
  type NewMember,
  networkNameOf,
} from './daemon-make.ts'
import { runMember } from './daemon-run.ts'
import { standingOf } from './driver/roster-facts.ts'
import { isStranger, strangerMark } from './driver/stranger.ts'
import { systemFacts } from './driver/system.ts'
import {
  fixPorts,
  type Identity,
  readIdentity,
  saveAddresses,
  writeIdentity,
  writeSystemFacts,
} from './identity.ts'
import { StartLook } from './ledger/start-look.ts'
import { memberIdOf } from './libp2p/keys.ts'
import { guardProcess } from './libp2p/process-guard.ts'
import { consoleLog, jsonLog } from './log.ts'
import type { Log } from './ports.ts'
import { closeFolder, takeFolder } from './private-folder.ts'
import type { Token } from './token.ts'

export interface InitOptions extends MakeOptions, NetworkOptions {
  readonly store: string
}

export interface JoinOptions extends MakeOptions {
  readonly store: string
  readonly token: string
}

/** What `init` and `join` made. */
export interface MadeStore {
  readonly uuid: string
  readonly name: string
  readonly network: string
  readonly store: string
  readonly listen: readonly string[]
  readonly announce: readonly string[]
}

export interface StartOptions {
  readonly store: string
  readonly mdns: boolean
  readonly jsonLog: boolean
  /** In place of what is saved, and saved in its turn once the member runs. */
  readonly listen?: readonly string[]
  /** As `listen`; empty: others dial what this member listens on. */
  readonly announce?: readonly string[]
}

export interface RunningDaemon {
  readonly uuid: string
  readonly name: string
  readonly socket: string
  readonly addresses: readonly string[]
  stop(): Promise<void>
  readonly ended: Promise<void>
}

/** Makes a store, and with it a network of one member. */
export async function initStore(options: InitOptions): Promise<MadeStore> {
  return await makeStore(options.store, () => beginNetwork(options))
}

/** Makes a store that belongs to an existing network, by an invitation. */
export async function joinNetwork(options: JoinOptions): Promise<MadeStore> {
  const token = readToken(options.token) // a bad one is told before anything is made
  if (await holdsStore(options.store)) return await joinAgain(options, token)
  return await makeStore(options.store, () => enterNetwork(options, options.token))
}

/** Opens a store and runs its member until `stop`. */
export async function startDaemon(options: StartOptions): Promise<RunningDaemon> {
  const log = options.jsonLog ? jsonLog : consoleLog
  const onUpgrade = (sentence: string) => log('info', sentence, {})
  const look = new StartLook()
  const store = await openLevelStore(options.store, { create: false, onUpgrade, items: look })
  try {
    await closeFolder(options.store, log)
    return await runDaemon({ store, look }, options, log)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function runDaemon(
  { store, look }: { readonly store: Store; readonly look: StartLook },
  options: StartOptions,
  log: Log,
): Promise<RunningDaemon> {
  const { listen, announce, mdns } = options
  const saved = await readIdentity(store)
  const identity: Identity = {
    ...saved,
    ...(listen === undefined ? {} : { listen: await fixPorts(listen) }),
    ...(announce === undefined ? {} : { announce: checkedAnnounce(announce) }),
  }
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>()
  const socket = joinPath(options.store, CONTROL_SOCKET)
  const planted = plantedBugs(process.env.VECHE_TEST_FLAGS)
  const running = await runMember({
    store,
    look,
    identity,
    mdns,
    log,
    socket,
    planted,
    onFatal: fail,
  })
  if (listen !== undefined || announce !== undefined) await saveAddresses(store, identity)
  const unguard = guardProcess({
    log,
    fatal: error => fail(error instanceof Error ? error : new Error(String(error))),
  })
  let stopping: Promise<void> | null = null
  const stop = async () => {
    await running.stop()
    unguard()
    end()
  }
  return {
    uuid: running.uuid,
    name: identity.name,
    socket,
    addresses: running.addresses,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
    ended,
  }
}

/** Errors planted for a test, by name; a name that is none is refused, so that no test is idle. */
function plantedBugs(flags: string | undefined): ReadonlySet<PlantedBug> {
  const names = (flags ?? '').split(',').filter(name => name !== '')
  const known: readonly string[] = plantedBugNames
  for (const name of names) {
    if (known.includes(name)) continue
    throw new VecheError('BAD_REQUEST', `VECHE_TEST_FLAGS names ${name}, which is none.`)
  }
  return new Set(names as PlantedBug[])
}

/**
 * A member that left or was removed comes back with a new token: with its identity and all that it
 * holds, under a new membership (PROTOCOL 10). What only it has it hands in like anybody else.
 */
async function joinAgain(options: JoinOptions, token: Token): Promise<MadeStore> {
  const folder = options.store
  const store = await openLevelStore(folder, { create: false })
  try {
    const saved = await readIdentity(store)
    const uuid = memberIdOf(saved.privateKey)
    const mine = standingOf(await systemFacts(store)).memberships.filter(
      entry => entry.peer === uuid,
    )
    if (toHex(saved.networkKey) !== toHex(token.networkKey)) {
      throw inTheWay(folder, 'holds a store of another network')
    }
    if (!mine.every(entry => entry.removed) && !(await isStranger(store))) {
      throw inTheWay(folder, 'holds a store that is a member already (`veche start` runs it)')
    }
    const listen = options.listen === undefined ? saved.listen : await fixPorts(options.listen)
    const announce = checkedAnnounce(options.announce ?? saved.announce)
    const identity = { ...saved, name: options.name ?? saved.name, listen, announce }
    const facts = await redeem(token, identity)
    await writeSystemFacts(store, facts)
    await store.commit([strangerMark(false)])
    await saveAddresses(store, identity)
    const network = networkNameOf(facts)
    return { uuid, name: identity.name, network, store: folder, listen, announce }
  } finally {
    await store.close()
  }
}

async function holdsStore(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).includes('veche.json')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw unusable(folder, error)
  }
}

/** Makes a store in a folder that is absent or empty; when that fails nothing is left of it. */
export async function makeStore(
  folder: string,
  make: () => Promise<NewMember>,
): Promise<MadeStore> {
  const before = await mustBeEmpty(folder)
  if (before === 'empty') await takeFolder(folder)
  const store = await openLevelStore(folder, { create: true })
  try {
    const { identity, network, facts } = await make()
    await writeIdentity(store, identity, facts)
    await store.close()
    const { name, listen, announce } = identity
    return { uuid: memberIdOf(identity.privateKey), name, network, store: folder, listen, announce }
  } catch (error) {
    await store.close()
    for (const name of await readdir(folder)) {
      await rm(joinPath(folder, name), { recursive: true, force: true })
    }
    if (before === 'absent') await rmdir(folder)
    throw error
  }
}

async function mustBeEmpty(folder: string): Promise<'absent' | 'empty'> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent'
    throw unusable(folder, error)
  }
  if (names.length === 0) return 'empty'
  const what = names.includes('veche.json') ? 'holds a store already' : 'is not empty'
  throw inTheWay(folder, what)
}

function inTheWay(folder: string, what: string): VecheError {
  const sentence = `${folder} ${what}. Choose another folder with --store.`
  return new VecheError('BAD_REQUEST', sentence, { parameter: 'store' })
}

function unusable(folder: string, error: unknown): VecheError {
  const why = error instanceof Error ? error.message : String(error)
  return new VecheError('NO_PERMISSION', `${folder} cannot be used: ${why}.`, { folder }, error)
}
