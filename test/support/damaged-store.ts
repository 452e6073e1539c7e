/**
 * A store whose whole content is known, and the reading of all of it in every way: whatever was
 * done to its files, what comes back is the truth or nothing. Run as a program with a folder, it
 * reads there and prints what it saw, because LevelDB may end the process that reads.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HeldFact } from '../../src/base/fact.ts'
import { hashText } from '../../src/base/hash.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import type { Damage } from '../../src/storage/store.ts'
import { agreedAt, chain, itemBatch, payloadOf, pendingAt, someBytes, summaryOf } from './facts.ts'

const ITEMS = 400

/** A payload that is a file. */
export const large = someBytes(100_000, 11)

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

/** Makes the store. */
export async function fill(folder: string): Promise<void> {
  const store = await openLevelStore(folder, { create: true })
  for (const held of truth.values()) {
    const facts = held.map(({ fact }) => fact)
    await store.commit(itemBatch(facts, at => held[at]!.state))
  }
  const writer = await store.payloadWriter(null)
  await writer.write(large)
  await writer.finish()
  await store.close()
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
}

/** Reads in a process of its own, again as long as LevelDB aborts it, ten times at most. */
export async function readInChild(folder: string): Promise<{ seen: Seen; aborts: number }> {
  for (let aborts = 0; aborts < 10; aborts++) {
    const { output, signal } = await runSelf(folder)
    if (signal === 'SIGABRT' || signal === 'SIGSEGV') continue
    return { seen: JSON.parse(output) as Seen, aborts }
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { store, damages, missing } = await readEverything(process.argv[2]!)
  const { gap } = store.report
  await store.close()
  console.log(JSON.stringify({ missing, gap, damages } satisfies Seen))
}
