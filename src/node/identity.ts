/**
 * What a store knows of its own member: the identity key, the key of its network, its name, where
 * it listens, and what it tells others to dial. Written when the store is made; the keys and the
 * name are kept for good, the addresses until `veche start` is told other ones.
 */
import { createServer } from 'node:net'
import { type Bytes, utf8, utf8Text } from '../base/bytes.ts'
import type { Fact, HeldFact, MemberId } from '../base/fact.ts'
import { STAMP_ZERO } from '../base/stamp.ts'
import { VecheError } from '../base/veche-error.ts'
import { summarise } from '../consensus/items/digest.ts'
import type { Store, Write } from '../storage/store.ts'

const KEYS = { privateKey: 'identity', networkKey: 'network-key', config: 'config' } as const

export interface Identity {
  readonly privateKey: Bytes
  /** 32 bytes, shared by all members of the network. */
  readonly networkKey: Bytes
  readonly name: string
  readonly listen: readonly string[]
  /** What others are told to dial, instead of where this member listens; empty: just that. */
  readonly announce: readonly string[]
}

/** Writes an identity and the first system facts into a store that was just made. */
export async function writeIdentity(
  store: Store,
  identity: Identity,
  systemFacts: readonly Fact[],
): Promise<void> {
  const { privateKey, networkKey } = identity
  const writes: Write[] = [
    { kind: 'meta', key: KEYS.privateKey, value: privateKey },
    { kind: 'meta', key: KEYS.networkKey, value: networkKey },
    configWrite(identity),
  ]
  await store.commit([...writes, ...(await systemWrites(store, systemFacts))])
}

/** Takes system facts into a store whose member is not running. */
export async function writeSystemFacts(store: Store, facts: readonly Fact[]): Promise<void> {
  await store.commit(await systemWrites(store, facts))
}

async function systemWrites(store: Store, facts: readonly Fact[]): Promise<Write[]> {
  const writes: Write[] = []
  for (const id of new Set(facts.map(fact => fact.id))) {
    const held = await store.factsOf(id)
    const known = new Set(held.map(({ fact }) => fact.version))
    for (const fact of facts) {
      if (fact.id !== id || known.has(fact.version)) continue
      known.add(fact.version)
      const taken: HeldFact = { fact, state: { kind: 'agreed', added: STAMP_ZERO } }
      held.push(taken)
      writes.push({ kind: 'fact', held: taken, isNew: true })
      if (fact.blob !== null && fact.size === 0) {
        writes.push({ kind: 'payload', blob: fact.blob, bytes: new Uint8Array(0) })
      }
    }
    writes.push({ kind: 'item', summary: summarise(id, held) })
  }
  return writes
}

/** Saves where a member listens and what it announces from now on. */
export async function saveAddresses(store: Store, identity: Identity): Promise<void> {
  await store.commit([configWrite(identity)])
}

function configWrite({ name, listen, announce }: Identity): Write {
  const config: Config = { name, listen, announce }
  return { kind: 'meta', key: KEYS.config, value: utf8(JSON.stringify(config)) }
}

type Config = Pick<Identity, 'name' | 'listen' | 'announce'>

/**
 * Reads the identity. Throws NOT_A_STORE when the making of the store was interrupted, DAMAGED when
 * it lies in what the disk lost.
 */
export async function readIdentity(store: Store): Promise<Identity> {
  const privateKey = await store.meta(KEYS.privateKey)
  const networkKey = await store.meta(KEYS.networkKey)
  const config = await store.meta(KEYS.config)
  if (privateKey === undefined || networkKey === undefined || config === undefined) {
    // It came in one batch with the first facts: where there are some, it was there.
    const { damages, gap } = store.report
    if (gap || damages.length > 0 || store.counts().facts > 0) {
      const lost =
        'The identity of this member was lost with damaged parts of its store. Put a copy of the ' +
        'store back, or join anew with an empty folder; the other members will fill it.'
      throw new VecheError('DAMAGED', lost)
    }
    const sentence =
      'This store has no identity: its making was interrupted. Remove it, make it anew.'
    throw new VecheError('NOT_A_STORE', sentence)
  }
  const { name, listen, announce } = JSON.parse(utf8Text(config) ?? '{}') as Config
  return { privateKey, networkKey, name, listen, announce: announce ?? [] }
}

/** Port 0 means: choose a free port once and keep it for good. */
export async function fixPorts(listen: readonly string[]): Promise<string[]> {
  const fixed: string[] = []
  for (const address of listen) {
    const found = /^\/(ip4|ip6)\/([^/]+)\/tcp\/0$/.exec(address)
    if (found === null) fixed.push(address)
    else fixed.push(`/${found[1]}/${found[2]}/tcp/${await freePort(found[2]!)}`)
  }
  return fixed
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error => {
      const sentence = `Cannot listen on ${host}: ${error.message}. Choose another --listen address.`
      reject(new VecheError('BAD_REQUEST', sentence, { parameter: 'listen' }))
    })
    server.listen({ host, port: 0 }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

export type { MemberId }
