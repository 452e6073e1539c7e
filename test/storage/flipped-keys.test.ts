/**
 * A bit flipped in a key: LevelDB copies such a record from table to table as if it were a good one.
 * It is named once and set aside, whatever it was; what it had been is found missing, or is made
 * anew; and nothing is counted twice when it comes back.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sized } from '../../sim/size.ts'
import type { HeldFact } from '../../src/base/fact.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import type { Write } from '../../src/storage/store.ts'
import { verifyAll } from '../compliance/store.ts'
import { copyOf } from '../support/damage.ts'
import { agreedAt, chain, itemBatch, pendingAt, someBytes, summaryOf } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const large = someBytes(50_000, 3)
const wantedBlob = hashBytes(someBytes(20, 9))

const linked = (id: string, length: number) =>
  chain(id, length).map(fact => ({ ...fact, dependsOn: ['folder/other'] }))
/** What the store holds, by id. */
const truth = new Map<string, HeldFact[]>([
  ['folder/a', linked('folder/a', 3).map((fact, at) => ({ fact, state: agreedAt(at) }))],
  ['folder/b', chain('folder/b', 2).map((fact, at) => ({ fact, state: pendingAt(at) }))],
  ['größe', chain('größe', 1).map(fact => ({ fact, state: agreedAt(7) }))],
])

let whole: string

beforeAll(async () => {
  whole = await folders.make()
  const store = await openLevelStore(whole, { create: true })
  for (const held of truth.values()) {
    const facts = held.map(({ fact }) => fact)
    const links = facts.flatMap(fact =>
      fact.dependsOn.map((to): Write => ({ kind: 'link', from: fact.id, to })),
    )
    await store.commit([...itemBatch(facts, at => held[at]!.state), ...links])
  }
  await store.commit([
    { kind: 'event', sequence: 1, body: someBytes(30, 1) },
    { kind: 'event', sequence: 2, body: someBytes(30, 2) },
    { kind: 'wanted', blob: wantedBlob, size: 20 },
    { kind: 'meta', key: 'clock', value: someBytes(8, 4) },
  ])
  const writer = await store.payloadWriter(null)
  await writer.write(large)
  await writer.finish()
  await store.close()
})

afterAll(async () => {
  await folders.remove()
})

const options = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** Moves the last record of a table to its key with one bit of it changed. */
async function flipKey(folder: string, table: string, { part, mask }: Flip) {
  const db = new Level<Uint8Array, Uint8Array>(join(folder, 'db'), options)
  const from = new TextEncoder().encode(table)
  const until = Uint8Array.of(from[0]! + 1)
  const [row] = await db.iterator({ gte: from, lt: until, reverse: true, limit: 1 }).all()
  const [key, record] = row!
  const flipped = Uint8Array.from(key)
  flipped[Math.floor(part * (key.length - 1))]! ^= mask
  await db.batch([
    { type: 'del', key },
    { type: 'put', key: flipped, value: record },
  ])
  await db.close()
}

interface Flip {
  readonly what: string
  /** Where in the key, 0 its letter, 1 its last digit. */
  readonly part: number
  readonly mask: number
}

const flips: readonly Flip[] = [
  { what: 'in its last digit', part: 1, mask: 1 },
  { what: 'in its last digit, to none', part: 1, mask: 64 },
  { what: 'in its letter', part: 0, mask: 1 },
  { what: 'in its letter, to that of no table', part: 0, mask: 32 },
  { what: 'in its middle, to no text', part: 0.5, mask: 128 },
]
const tables = ['e', 'f', 'g', 'h', 'i', 'l', 'm', 'p', 'q', 'w', 'x'] as const
const all = tables.flatMap(table => flips.map(flip => ({ table, ...flip })))
/** Every second one still meets each table and each flip. */
const cases = sized({ everyday: all.filter((_, at) => at % 2 === 0), ci: all, deep: all })

describe('a flipped key', () => {
  it.each(cases)('of table $table, $what: is named, set aside, and named no more', async one => {
    const folder = await copyOf(whole, await folders.make())
    await flipKey(folder, one.table, one)
    const store = await openLevelStore(folder)
    expect(store.counts().items).toBe(truth.size)
    const { damages } = await verifyAll(store)
    const named = [...store.report.damages, ...damages]
    if (one.table !== 'g') expect(named.length).toBeGreaterThan(0)
    else expect(store.report.gap).toBe(true)
    await putBack(store)
    expect((await verifyAll(store)).damages).toEqual([])
    expect(store.counts()).toMatchObject({ items: truth.size, facts: 6, pending: 2 })
    await store.close()
    const again = await openLevelStore(folder)
    expect(again.report).toMatchObject({ gap: false, clean: true, damages: [] })
    expect(again.lastPendingOrder()).toBe(1)
    expect(again.eventRange()).toEqual({ first: 1, last: 2 })
    expect((await verifyAll(again)).damages).toEqual([])
    await again.close()
  })

  it('is kept with its record in damaged/records', async () => {
    const folder = await copyOf(whole, await folders.make())
    await flipKey(folder, 'f', flips[1]!)
    const store = await openLevelStore(folder)
    await verifyAll(store)
    await store.close()
    const lines = (await readFile(join(folder, 'damaged', 'records'), 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(1)
    const { key, record } = JSON.parse(lines[0]!) as { key: string; record: string }
    expect(Buffer.from(key, 'hex').toString()).toContain('größe')
    expect(record.length).toBeGreaterThan(100)
  })
})

/** Does as a member does: a summary of what can be read, then what cannot, as new. */
async function putBack(store: Awaited<ReturnType<typeof openLevelStore>>): Promise<void> {
  for (const [id, held] of truth) {
    const readable = await store.factsOf(id)
    await store.commit([{ kind: 'item', summary: summaryOf(id, readable) }])
    const here = new Set(readable.map(({ fact }) => fact.version))
    const lost = held.filter(({ fact }) => !here.has(fact.version))
    const writes: Write[] = lost.map(entry => ({ kind: 'fact', held: entry, isNew: true }))
    for (const { fact, state } of lost) {
      if (state.kind !== 'pending') continue
      // The place is still counted: the queue itself was not touched.
      writes.push({ kind: 'unpending', order: state.order, ref: fact })
      writes.push({ kind: 'pending', order: state.order, ref: fact })
    }
    await store.commit([...writes, { kind: 'item', summary: summaryOf(id, held) }])
    const payloads = itemBatch(
      held.map(({ fact }) => fact),
      at => held[at]!.state,
    ).filter(write => write.kind === 'payload')
    for (const write of payloads) {
      const [isHere] = await store.hasPayloads([write.blob])
      if (isHere !== true) await store.commit([write])
    }
  }
  if ((await store.verifyPayload(hashBytes(large))) !== 'ok') {
    const writer = await store.payloadWriter(null)
    await writer.write(large)
    await writer.finish()
  }
}
