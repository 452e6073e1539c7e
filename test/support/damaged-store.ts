/**
 * A store whose whole content is known, and the reading of all of it in every way: whatever was
 * done to its files, what comes back is the truth or nothing. Run as a program with a folder, it
 * reads there and prints what it saw, because LevelDB may end the process that reads.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sized } from '../../sim/size.ts'
import { toHex } from '../../src/base/bytes.ts'
import type { HeldFact } from '../../src/base/fact.ts'
import { hashBytes, hashText } from '../../src/base/hash.ts'
import { isVecheError } from '../../src/base/veche-error.ts'
import { type Identity, readIdentity, writeIdentity } from '../../src/node/identity.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import type { Damage } from '../../src/storage/store.ts'
import { agreedAt, chain, itemBatch, payloadOf, pendingAt, someBytes, summaryOf } from './facts.ts'

const ITEMS = sized({ everyday: 120, ci: 400, deep: 400 })

/** A payload that is a file. */
export const large = someBytes(100_000, 11)

/** A payload on its way, of which a part is here after `leavePartial`. */
const partialBytes = someBytes(60_000, 12)
export const partial = { blob: hashBytes(partialBytes), bytes: partialBytes }

/** What the store holds, by id. */
export const truth = new Map<string, HeldFact[]>()

let order = 0
for (let at = 0; at < ITEMS; at++) {
  const id = `folder ${at % 7}/item ${at}`
  const state = () => (at % 5 === 0 ? pendingAt(order++) : agreedAt(at))
  truth.set(
    id,
    chain(id, 1 + (at % 3)).map(fact => ({ fact, state: state() })),
  )
}

/** The last place used in the pending queue. */
export const pendingLast = order - 1

const identity: Identity = {
  privateKey: someBytes(68, 21),
  networkKey: someBytes(32, 22),
  name: 'a member',
  listen: ['/ip4/127.0.0.1/tcp/4001'],
  announce: [],
}

/** Who the member of the store is. */
export function identityOf(): string {
  return hashText(toHex(identity.privateKey) + JSON.stringify([identity.name, identity.listen]))
}

/** Makes the store. */
export async function fill(folder: string): Promise<void> {
  const store = await openLevelStore(folder, { create: true })
  await writeIdentity(store, identity, [])
  for (const held of truth.values()) {
    const facts = held.map(({ fact }) => fact)
    await store.commit(itemBatch(facts, at => held[at]!.state))
  }
  const writer = await store.payloadWriter(null)
  await writer.write(large)
  await writer.finish()
  await store.close()
}

/** Leaves a part of a payload that is wanted and on its way. */
export async function leavePartial(folder: string): Promise<void> {
  const store = await openLevelStore(folder)
  await store.commit([{ kind: 'wanted', blob: partial.blob, size: partial.bytes.length }])
  const writer = await store.payloadWriter({ blob: partial.blob, size: partial.bytes.length })
  await writer.write(partial.bytes.subarray(0, 30_000))
  await writer.close('keep')
  await store.close()
}

/** Goes on with the partial payload: what comes of it is the payload or nothing. */
async function finishPartial(store: LevelStore): Promise<void> {
  const expect = { blob: partial.blob, size: partial.bytes.length }
  const writer = await store.payloadWriter(expect)
  await writer.write(partial.bytes.subarray(writer.offset))
  if ((await writer.finish()) === undefined) return
  assert.equal(await store.verifyPayload(partial.blob), 'ok')
}

export interface Found {
  readonly store: LevelStore
  /** Damages of the opening, of the reads and of verify. */
  readonly damages: Damage[]
  /** Facts that no read gives. */
  readonly missing: number
}

/** Opens the store and reads everything; throws when anything wrong comes back. */
export async function readEverything(folder: string): Promise<Found> {
  const store = await openLevelStore(folder)
  const damages: Damage[] = [...store.report.damages]
  store.onDamage(damage => damages.push(damage))
  let missing = 0
  for (const [id, held] of truth) missing += await readItem(store, id, held)
  for await (const page of store.allItems()) {
    for (const summary of page)
      assert.deepEqual(summary, summaryOf(summary.id, truth.get(summary.id)!))
  }
  for await (const step of store.verify()) damages.push(...step.damages)
  return { store, damages, missing }
}

/** How many facts of an item are missing. */
async function readItem(store: LevelStore, id: string, held: readonly HeldFact[]): Promise<number> {
  const byVersion = new Map(held.map(entry => [entry.fact.version, entry]))
  const facts = held.map(({ fact }) => fact)
  const found = await store.factsOf(id)
  for (const entry of found) assert.deepEqual(entry, byVersion.get(entry.fact.version))
  for (const [at, entry] of (await store.facts(facts)).entries()) {
    if (entry !== undefined) assert.deepEqual(entry, held[at])
  }
  const [summary] = await store.items([id])
  if (summary !== undefined) assert.deepEqual(summary, summaryOf(id, held))
  const [byHash] = await store.idsOf([hashText(id)])
  if (byHash !== undefined) assert.equal(byHash, id)
  const payloads = await store.smallPayloads(facts.map(fact => fact.blob!))
  for (const [at, bytes] of payloads.entries()) {
    if (bytes !== undefined) assert.deepEqual(bytes, payloadOf(id, facts[at]!.description))
  }
  return held.length - found.length
}

/** What a reading in a process of its own saw. */
export interface Seen {
  readonly missing: number
  readonly gap: boolean
  readonly damages: readonly Damage[]
  /** See `identityOf`. */
  readonly identity: string
}

/** What came of a reading; a store that was not opened has a refusal instead. */
export interface ReadInChild {
  readonly seen: Seen
  readonly refusal?: string
  readonly aborts: number
}

const nothing: Seen = { missing: 0, gap: false, damages: [], identity: '' }

/** Reads in a process of its own, again as long as LevelDB aborts it, ten times at most. */
export async function readInChild(folder: string): Promise<ReadInChild> {
  for (let aborts = 0; aborts < 10; aborts++) {
    const { output, signal } = await runSelf(folder)
    if (signal === 'SIGABRT' || signal === 'SIGSEGV') continue
    const { refusal, ...seen } = JSON.parse(output) as SeenOrRefused
    return refusal === undefined ? { seen, aborts } : { seen: nothing, refusal, aborts }
  }
  throw new Error('the store never heals')
}

async function runSelf(folder: string): Promise<{ output: string; signal: string | null }> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  child.stderr.on('data', (piece: Buffer) => {
    errors += piece.toString()
  })
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(errors))
      else resolve({ output, signal })
    })
  })
}

/** Reads in this process; only where LevelDB's own files are whole. */
export async function readHere(folder: string): Promise<ReadInChild> {
  const { refusal, ...seen } = await readOrRefused(folder)
  return refusal === undefined ? { seen, aborts: 0 } : { seen: nothing, refusal, aborts: 0 }
}

type SeenOrRefused = Seen & { readonly refusal?: string }

async function readOrRefused(folder: string): Promise<SeenOrRefused> {
  try {
    return await readAndTell(folder)
  } catch (error) {
    if (!isVecheError(error)) throw error
    return { ...nothing, refusal: `${error.code} ${error.message}` }
  }
}

async function readAndTell(folder: string): Promise<Seen> {
  const { store, damages, missing } = await readEverything(folder)
  try {
    await finishPartial(store)
    const { privateKey, networkKey, name, listen } = await readIdentity(store)
    assert.deepEqual(networkKey, identity.networkKey)
    const who = hashText(toHex(privateKey) + JSON.stringify([name, listen]))
    return { missing, gap: store.report.gap, damages, identity: who }
  } finally {
    await store.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await readOrRefused(process.argv[2]!)))
}
