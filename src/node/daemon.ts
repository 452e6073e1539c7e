/**
 * The daemon: a member on libp2p and LevelDB with a control socket. Here the parts are put together;
 * nothing is decided. Also the making of stores: `init` begins a network, `join` enters one.
 */
import { readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join as joinPath } from 'node:path'
import type { Fact } from '../base/fact.ts'
import { limits } from '../base/limits.ts'
import { stampOf } from '../base/stamp.ts'
import { VecheError } from '../base/veche-error.ts'
import { type PlantedBug, plantedBugNames } from '../consensus/agreement/state.ts'
import { CONTROL_SOCKET, startControlServer } from '../control/server.ts'
import { openLevelStore } from '../storage/level-store.ts'
import type { Store } from '../storage/store.ts'
import { decodeDoorAnswer, encodeDoorRequest } from '../wire/door.ts'
import { systemClock, systemEntropy } from './clock.ts'
import { Member } from './driver/member.ts'
import { systemFact, systemId } from './driver/system.ts'
import { fixPorts, type Identity, readIdentity, writeIdentity } from './identity.ts'
import { generatePrivateKey, memberIdOf } from './libp2p/keys.ts'
import { createLibp2pNetwork } from './libp2p/network.ts'
import { guardProcess } from './libp2p/process-guard.ts'
import { consoleLog, jsonLog, silentLog } from './log.ts'
import type { Log, NetworkListener } from './ports.ts'
import { createService } from './service/service.ts'
import { decodeToken, type Token } from './token.ts'
import { packageVersion } from './version.ts'

const DEFAULT_LISTEN = ['/ip4/0.0.0.0/tcp/0']
/** How long `join` goes on trying when the issuer is busy or away for the moment. */
const JOIN_MS = 30_000
const JOIN_RETRY_MS = 1000

export interface InitOptions {
  readonly store: string
  readonly name?: string
  readonly listen?: readonly string[]
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
  readonly listen: readonly string[]
}

export interface StartOptions {
  readonly store: string
  readonly mdns: boolean
  readonly jsonLog: boolean
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
  const identity = await newIdentity(options, systemEntropy.bytes(32))
  const uuid = memberIdOf(identity.privateKey)
  const network = options.network ?? identity.name
  const stamp = { at: stampOf(systemClock.wallMs()), by: uuid }
  const facts = [
    systemFact(systemId.network, { name: network }, stamp),
    systemFact(systemId.quorum, { quorum: options.quorum ?? 'visible' }, stamp),
    systemFact(systemId.member(uuid, 1), describe(uuid, identity), stamp),
  ]
  await makeStore(options.store, identity, async () => facts)
  return { uuid, name: identity.name, network, store: options.store, listen: identity.listen }
}

/** Makes a store that belongs to an existing network, by an invitation. */
export async function joinNetwork(options: JoinOptions): Promise<MadeStore> {
  const token = decodeToken(options.token)
  if (token.expires < systemClock.wallMs()) {
    throw new VecheError('EXPIRED', 'This token has expired. Ask for a new one: `veche invite`.')
  }
  const identity = await newIdentity(options, token.networkKey)
  const uuid = memberIdOf(identity.privateKey)
  const facts = await makeStore(options.store, identity, () => redeem(token, identity))
  const network = facts.find(fact => fact.id === systemId.network)?.meta as { name?: string } | null
  const { name, listen } = identity
  return { uuid, name, network: network?.name ?? '', store: options.store, listen }
}

/** Opens a store and runs its member until `stop`. */
export async function startDaemon(options: StartOptions): Promise<RunningDaemon> {
  const log = options.jsonLog ? jsonLog : consoleLog
  const store = await openLevelStore(options.store, { create: false })
  try {
    return await runMember(store, options, log)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function runMember(store: Store, options: StartOptions, log: Log): Promise<RunningDaemon> {
  const identity = await readIdentity(store)
  const network = await createLibp2pNetwork({
    privateKey: identity.privateKey,
    networkKey: identity.networkKey,
    listen: identity.listen,
    mdns: options.mdns,
    clock: systemClock,
    log,
  })
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>()
  const ports = { clock: systemClock, entropy: systemEntropy, log, network }
  const planted = plantedBugs(process.env.VECHE_TEST_FLAGS)
  const member = await Member.open({ ports, store, planted, onFatal: fail })
  const { networkKey } = identity
  const service = createService(member, { networkKey, version: packageVersion })
  await member.start()
  const control = await startControlServer({
    path: joinPath(options.store, CONTROL_SOCKET),
    service,
    report: (sentence, error) => log('error', sentence, { error: String(error) }),
  }).catch(async error => {
    await member.stop()
    throw error
  })
  const unguard = guardProcess({
    log,
    fatal: error => fail(error instanceof Error ? error : new Error(String(error))),
  })
  let stopping: Promise<void> | null = null
  const stop = async () => {
    const closing = control.close()
    await member.stop()
    await closing
    await store.close()
    unguard()
    end()
  }
  return {
    uuid: member.self,
    name: identity.name,
    socket: control.path,
    addresses: network.addresses(),
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

async function newIdentity(
  options: { readonly name?: string; readonly listen?: readonly string[] },
  networkKey: Uint8Array,
): Promise<Identity> {
  return {
    privateKey: await generatePrivateKey(),
    networkKey,
    name: options.name ?? hostname(),
    listen: await fixPorts(options.listen ?? DEFAULT_LISTEN),
  }
}

/** Makes a store in a folder that is absent or empty; when that fails nothing is left of it. */
async function makeStore(
  folder: string,
  identity: Identity,
  systemFacts: () => Promise<readonly Fact[]>,
): Promise<readonly Fact[]> {
  await mustBeEmpty(folder)
  const store = await openLevelStore(folder, { create: true })
  try {
    const facts = await systemFacts()
    await writeIdentity(store, identity, facts)
    await store.close()
    return facts
  } catch (error) {
    await store.close()
    for (const name of await readdir(folder)) {
      await rm(joinPath(folder, name), { recursive: true, force: true })
    }
    throw error
  }
}

async function mustBeEmpty(folder: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    const why = error instanceof Error ? error.message : String(error)
    throw new VecheError('NO_PERMISSION', `${folder} cannot be used: ${why}.`, { folder }, error)
  }
  if (names.length === 0) return
  const what = names.includes('veche.json') ? 'holds a store already' : 'is not empty'
  const sentence = `${folder} ${what}. Choose another folder with --store.`
  throw new VecheError('BAD_REQUEST', sentence, { parameter: 'store' })
}

function describe(uuid: string, { name, listen }: Identity) {
  return { peer: uuid, number: 1, name, addresses: [...listen] }
}

/** Knocks at the door of the member that issued the token until it answers for good. */
async function redeem(token: Token, identity: Identity): Promise<readonly Fact[]> {
  const network = await createLibp2pNetwork({
    privateKey: identity.privateKey,
    networkKey: identity.networkKey,
    listen: identity.listen,
    mdns: false,
    clock: systemClock,
    log: silentLog,
  })
  await network.start(stranger)
  try {
    const request = encodeDoorRequest({
      kind: 'redeem',
      secret: token.secret,
      peer: network.self,
      name: identity.name,
      addresses: network.addresses().slice(0, limits.addressesMax),
    })
    const contact = { peer: token.issuer, addresses: token.addresses }
    for (const until = systemClock.monotonicMs() + JOIN_MS; ; ) {
      const outcome = await knockOnce(() => network.knock(contact, request))
      if (outcome.kind === 'welcome') return outcome.facts
      if (outcome.kind === 'refused' || systemClock.monotonicMs() > until) throw outcome.error
      await new Promise<void>(resolve => systemClock.after(JOIN_RETRY_MS, resolve))
    }
  } finally {
    await network.stop()
  }
}

type Knocked =
  | { readonly kind: 'welcome'; readonly facts: readonly Fact[] }
  | { readonly kind: 'refused' | 'later'; readonly error: VecheError }

async function knockOnce(knock: () => Promise<Uint8Array>): Promise<Knocked> {
  let bytes: Uint8Array
  try {
    bytes = await knock()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const sentence = `No member in the token answers (${why}). Is it running, and reachable from here?`
    return { kind: 'later', error: new VecheError('UNAVAILABLE', sentence, {}, error) }
  }
  const decoded = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
  if (!decoded.ok) {
    const sentence = `The member's answer cannot be read: ${decoded.sentence}`
    return { kind: 'refused', error: new VecheError('UNAVAILABLE', sentence) }
  }
  const answer = decoded.value
  if (answer.kind === 'welcome') return answer
  if (answer.kind === 'removed') {
    const error = new VecheError('REMOVED', 'This machine was removed from the network.')
    return { kind: 'refused', error }
  }
  const { code, sentence } = answer
  if (code === 'BUSY') return { kind: 'later', error: new VecheError('UNAVAILABLE', sentence) }
  const errorCode =
    code === 'USED_TOKEN' ? 'USED' : code === 'EXPIRED_TOKEN' ? 'EXPIRED' : 'FORBIDDEN'
  return { kind: 'refused', error: new VecheError(errorCode, sentence) }
}

/** Who joins answers nothing yet: it is no member. */
const stranger: NetworkListener = {
  gossip() {},
  frame() {},
  connected() {},
  disconnected() {},
  admit: () => 'door',
  door: async () => new Uint8Array(0),
  discovered() {},
}
