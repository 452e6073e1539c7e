/**
 * How fast the store on disk is beside bare LevelDB with the same fsyncs: records of 1 KB in batches
 * of 128, each batch awaited; then the same with four batches in flight; then whole writes (fact,
 * summary, place in the queue, payload) and reads. Prints one line a measurement.
 *
 *   npx node bench/storage.ts [records]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import type { Bytes } from '../src/base/bytes.ts'
import type { Fact, HeldFact, ItemSummary } from '../src/base/fact.ts'
import { hashText } from '../src/base/hash.ts'
import { stampOf } from '../src/base/stamp.ts'
import { WRITE_BUFFER_BYTES_MAX } from '../src/storage/level-open.ts'
import { type LevelStore, openLevelStore } from '../src/storage/level-store.ts'
import type { Write } from '../src/storage/store.ts'

const records = Number(process.argv[2] ?? 100_000)
const BATCH = 128
const RECORD_BYTES = 1024

const body = new Uint8Array(RECORD_BYTES).map((_, at) => (at * 7919) >>> 3)

/** Runs once and prints how many a second. */
async function measure(what: string, count: number, run: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await run()
  const seconds = (performance.now() - start) / 1000
  console.log(
    `${what.padEnd(58)} ${Math.round(count / seconds)
      .toLocaleString('en')
      .padStart(9)}/s`,
  )
}

/** Hands batches over, at most `inFlight` of them not yet durable. */
async function inBatches(
  count: number,
  inFlight: number,
  write: (from: number, to: number) => Promise<void>,
): Promise<void> {
  const open: Promise<void>[] = []
  for (let from = 0; from < count; from += BATCH) {
    open.push(write(from, Math.min(count, from + BATCH)))
    if (open.length >= inFlight) await open.shift()
  }
  await Promise.all(open)
}

function range<Value>(from: number, to: number, make: (at: number) => Value): Value[] {
  return Array.from({ length: to - from }, (_, at) => make(from + at))
}

async function rawLevel(folder: string): Promise<void> {
  const db = new Level<string, Bytes>(folder, {
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES_MAX,
  })
  await db.open()
  await measure('bare LevelDB, 1 KB, batch 128, sync', records, () =>
    inBatches(records, 1, (from, to) => {
      const put = (at: number) => ({ type: 'put' as const, key: rawKey(at), value: body })
      return db.batch(range(from, to, put), { sync: true })
    }),
  )
  await db.close()
}

function rawKey(at: number): string {
  return `e${at.toString(16).padStart(14, '0')}`
}

const id = (at: number): string => `folder/item ${at}`

function factOf(at: number): Fact {
  const dataHash = hashText(`data ${at}`)
  return {
    id: id(at),
    version: hashText(id(at) + dataHash),
    parents: [],
    dataHash,
    blob: hashText(`blob ${at}`),
    size: 1024,
    type: 'text/plain',
    tags: ['bench'],
    description: 'd'.repeat(600),
    meta: null,
    dependsOn: [],
    at: stampOf(at),
    by: '12D3KooWBenchBenchBenchBenchBenchBenchBenchBenchBench',
    base: null,
  }
}

function heldOf(at: number): HeldFact {
  return { fact: factOf(at), state: { kind: 'agreed', added: stampOf(at) } }
}

function summaryOf({ fact }: HeldFact): ItemSummary {
  const { version, dataHash, at, by } = fact
  const newest = [{ version, digest: dataHash }]
  return {
    id: fact.id,
    facts: 1,
    factsXor: version,
    agreed: { count: 1, newest, addedMax: at },
    pending: null,
    heads: [{ version, dataHash, deleted: false, position: 1, at, by }],
    unrooted: 0,
  }
}

function wholeWrite(held: HeldFact): Write[] {
  return [
    { kind: 'fact', held, isNew: true },
    { kind: 'payload', blob: held.fact.blob!, bytes: body },
    { kind: 'item', summary: summaryOf(held) },
  ]
}

async function storeWrites(store: LevelStore): Promise<void> {
  let sequence = 0
  const event = (): Write => ({ kind: 'event', sequence: ++sequence, body })
  await measure('store: records of 1 KB, batch 128', records, () =>
    inBatches(records, 1, (from, to) => store.commit(range(from, to, event))),
  )
  await measure('store: records of 1 KB, batch 128, four in flight', records, () =>
    inBatches(records, 4, (from, to) => store.commit(range(from, to, event))),
  )
  const held = range(0, records, heldOf)
  await measure('store: facts of 1 KB, batch 128', records, () =>
    inBatches(records, 1, (from, to) =>
      store.commit(range(from, to, at => ({ kind: 'fact', held: held[at]!, isNew: false }))),
    ),
  )
  const whole = Math.floor(records / 4)
  await measure('store: whole writes (fact, payload, summary), batch 128', whole, () =>
    inBatches(whole, 1, (from, to) =>
      store.commit(held.slice(from, to).flatMap(entry => wholeWrite(entry))),
    ),
  )
}

async function storeReads(store: LevelStore): Promise<void> {
  const count = Math.floor(records / 4)
  const refs = range(0, count, at => ({ id: id(at), version: factOf(at).version }))
  await measure('store: facts read, 100 at once', count, async () => {
    for (let from = 0; from < count; from += 100) await store.facts(refs.slice(from, from + 100))
  })
  await measure('store: facts read, one at a time', 5000, async () => {
    for (let at = 0; at < 5000; at++) await store.facts([refs[at % count]!])
  })
  await measure('store: all items', count, async () => {
    for await (const _ of store.allItems());
  })
}

const folder = await mkdtemp(join(tmpdir(), 'veche-bench-'))
try {
  await rawLevel(join(folder, 'raw'))
  await rawLevel(join(folder, 'raw again')) // the first one also warms the machine up
  const store = await openLevelStore(join(folder, 'store'), { create: true })
  await storeWrites(store)
  await storeReads(store)
  await store.close()
  const facts = Math.floor(records / 4)
  await measure('store: opening, per item', facts, async () => {
    await (await openLevelStore(join(folder, 'store'))).close()
  })
} finally {
  await rm(folder, { recursive: true, force: true })
}
