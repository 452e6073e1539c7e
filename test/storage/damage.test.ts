/**
 * Damaged files of a store on disk: whatever is flipped, cut or taken away, nothing wrong is ever
 * returned, and what is missing is told, at the opening, at the read, or by verify at the latest.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sized } from '../../sim/size.ts'
import type { HeldFact } from '../../src/base/fact.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import { type Damage, GAP_META_KEY } from '../../src/storage/store.ts'
import { verifyAll } from '../compliance/store.ts'
import { copyOf, cutFile, filesEnding, flipBit, removeFile } from '../support/damage.ts'
import { fill, large, pendingLast, readEverything, readInChild } from '../support/damaged-store.ts'
import { agreedAt, chain, itemBatch, summaryOf } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()

/** A store with everything in LevelDB's log, and one with everything in its tables. */
let inLog: string
let inTables: string

beforeAll(async () => {
  inLog = await folders.make()
  await fill(inLog)
  inTables = await copyOf(inLog, await folders.make())
  await (await openLevelStore(inTables)).close() // LevelDB turns its log into a table
})

afterAll(async () => {
  await folders.remove()
})

async function copied(folder: string): Promise<string> {
  return await copyOf(folder, await folders.make())
}

describe('the untouched store', () => {
  it.each(['log', 'tables'])(
    'in its %s is whole, without damage and without a gap',
    async where => {
      const found = await readEverything(await copied(where === 'log' ? inLog : inTables))
      expect(found).toMatchObject({ damages: [], missing: 0 })
      expect(found.store.report).toMatchObject({ clean: true, gap: false })
      await found.store.close()
    },
  )
})

describe('one flipped bit', () => {
  const places = sized({ everyday: 6, ci: 16, deep: 160 })
  const parts = Array.from({ length: places }, (_, at) => (at + 0.37) / places)

  it.each(parts)(
    'in a table at %f: nothing wrong is returned, what is missing is told',
    async part => {
      const folder = await copied(inTables)
      const [table] = await filesEnding(join(folder, 'db'), '.ldb')
      await flipBit(table!, part, Math.floor(part * 64) % 8)
      // LevelDB itself may abort over it; then the store heals within a few starts.
      const { seen, aborts } = await readInChild(folder)
      expect(aborts).toBeLessThanOrEqual(4)
      if (seen.missing > 0) expect(seen.damages.length + (seen.gap ? 1 : 0)).toBeGreaterThan(0)
      expect(seen.missing).toBeLessThan(60)
    },
  )

  it.each(parts)('in the log at %f: the loss is a gap, said at the opening', async part => {
    const folder = await copied(inLog)
    const [log] = await filesEnding(join(folder, 'db'), '.log')
    await flipBit(log!, part)
    const found = await readEverything(folder)
    expect(found.missing).toBeGreaterThan(0)
    expect(found.store.report).toMatchObject({ gap: true, factsMissing: found.missing })
    await found.store.close()
  })
})

describe('a log that lost its end', () => {
  it.each([0.1, 0.5, 0.9, 0.999])('cut at %f has a gap, and keeps saying so', async part => {
    const folder = await copied(inLog)
    const [log] = await filesEnding(join(folder, 'db'), '.log')
    await cutFile(log!, part)
    const { store, missing } = await readEverything(folder)
    expect(store.report.gap).toBe(true)
    expect(store.report.factsMissing).toBe(missing)
    expect(store.lastPendingOrder()).toBe(pendingLast)
    await store.close()
    const again = await openLevelStore(folder)
    expect(again.report.gap).toBe(false)
    expect(await again.meta(GAP_META_KEY)).toBeDefined()
    await again.close()
  })
})

describe('a lost file', () => {
  it.each(['CURRENT', '.ldb', 'MANIFEST'])(
    '%s: the store is repaired, never silently empty',
    async name => {
      const folder = await copied(inTables)
      const names = await readdir(join(folder, 'db'))
      const path = join(folder, 'db', names.find(found => found.includes(name))!)
      await removeFile(path)
      const found = await readEverything(folder)
      expect(found.store.report).toMatchObject({ gap: true, factsMissing: found.missing })
      expect(found.damages[0]).toMatchObject({ what: 'engine' })
      await found.store.close()
    },
  )

  it.each(['the files of the database', 'the content of the log that held everything'])(
    '%s: the opening refuses, says what to do, and says it again',
    async what => {
      const folder = await copied(inLog)
      const database = join(folder, 'db')
      const [log] = await filesEnding(database, '.log')
      if (what.includes('log')) await cutFile(log!, 0)
      else for (const name of await readdir(database)) await removeFile(join(database, name))
      await expect(openLevelStore(folder)).rejects.toMatchObject({ code: 'DAMAGED' })
      await expect(openLevelStore(folder)).rejects.toThrow('restore a backup')
    },
  )

  it('the journal: the store has a gap, because loss could not be noticed', async () => {
    const folder = await copied(inLog)
    await removeFile(join(folder, 'journal'))
    const found = await readEverything(folder)
    expect(found.missing).toBe(0)
    expect(found.store.report).toMatchObject({ gap: true, factsMissing: 0 })
    expect(found.store.report.damages).toMatchObject([{ what: 'journal' }])
    await found.store.close()
  })

  it('a payload: it is told and wanted again', async () => {
    const folder = await copied(inLog)
    const blob = hashBytes(large)
    await removeFile(join(folder, 'blobs', blob.slice(0, 2), blob.slice(2)))
    const found = await readEverything(folder)
    expect(found.damages).toMatchObject([{ what: 'payload', blob }])
    expect(await found.store.hasPayloads([blob])).toEqual([false])
    expect(await found.store.wanted(null, 10)).toEqual([{ blob, size: large.length }])
    expect(found.store.counts().wanted).toBe(1)
    await found.store.close()
  })
})

describe('a damaged journal', () => {
  it('is told and does no harm: its other lines and the tally in LevelDB speak for the store', async () => {
    const folder = await copied(inLog)
    await flipBit(join(folder, 'journal'), 0.5)
    const found = await readEverything(folder)
    expect(found.store.report.damages[0]).toMatchObject({ what: 'journal' })
    expect(found.missing).toBe(0)
    await found.store.close()
  })
})

describe('a damaged payload file', () => {
  it('is found when it is read whole, can be set aside, and is never served as whole', async () => {
    const folder = await copied(inLog)
    const blob = hashBytes(large)
    await flipBit(join(folder, 'blobs', blob.slice(0, 2), blob.slice(2)), 0.6)
    const { store, damages } = await readEverything(folder)
    expect(damages).toMatchObject([{ what: 'payload', blob }])
    expect(await store.verifyPayload(blob)).toBe('damaged')
    await store.setAsidePayload(blob)
    expect(await store.hasPayloads([blob])).toEqual([false])
    expect(await readdir(join(folder, 'damaged'))).toEqual([blob])
    await store.close()
  })

  it('that is too short ends its reading with DAMAGED', async () => {
    const folder = await copied(inLog)
    const blob = hashBytes(large)
    await cutFile(join(folder, 'blobs', blob.slice(0, 2), blob.slice(2)), 0.5)
    const store = await openLevelStore(folder)
    const reading = async () => {
      for await (const piece of store.readPayload(blob, 0, large.length))
        expect(piece).toBeDefined()
    }
    await expect(reading()).rejects.toMatchObject({ code: 'DAMAGED' })
    await store.close()
  })
})

describe('a record that rotted', () => {
  it('comes again as new from another member without being counted twice', async () => {
    const folder = await folders.make()
    const facts = chain('a', 3)
    const store = await openLevelStore(folder, { create: true })
    await store.commit(itemBatch(facts, at => agreedAt(at)))
    await store.close()
    await (await openLevelStore(folder)).close()
    const again = await damagedFact(folder)
    const damages: Damage[] = []
    again.onDamage(damage => damages.push(damage))
    const held = facts.map((fact, at): HeldFact => ({ fact, state: agreedAt(at) }))
    const found = await again.facts(facts)
    const lost = found.indexOf(undefined)
    expect(damages).toMatchObject([{ what: 'fact', version: facts[lost]!.version }])
    await again.commit([
      { kind: 'fact', held: held[lost]!, isNew: true },
      { kind: 'item', summary: summaryOf('a', held) },
    ])
    expect(again.counts()).toMatchObject({ items: 1, facts: 3 })
    expect((await verifyAll(again)).damages).toEqual([])
    await again.close()
    const last = await openLevelStore(folder)
    expect(last.report.gap).toBe(false)
    expect(await last.facts(facts)).toEqual(held)
    await last.close()
  })
})

/** Opens a store after damage to the value of one fact in its table. */
async function damagedFact(folder: string): Promise<LevelStore> {
  const { Level } = await import('level')
  const db = new Level<string, Uint8Array>(join(folder, 'db'), { valueEncoding: 'view' })
  const [row] = await db.iterator({ gte: 'f', lt: 'g', limit: 1 }).all()
  const record = row![1].slice()
  record[record.length - 1]! ^= 4
  await db.put(row![0], record)
  await db.close()
  return await openLevelStore(folder)
}
