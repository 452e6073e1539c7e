/**
 * LevelDB is opened anew at rest (decision 0035): nobody sees more of it than a moment of waiting, what
 * it held in memory is given back, and what does not come back as it was is told.
 */

import { existsSync } from 'node:fs'
import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClassicLevel } from 'classic-level'
import { Level } from 'level'
import { afterEach, expect, test, vi } from 'vitest'
import { type Bytes, utf8, utf8Text } from '../../src/base/bytes.ts'
import { Engine } from '../../src/storage/engine.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import { type Database, LevelTable } from '../../src/storage/level-table.ts'
import { seal } from '../../src/storage/records.ts'
import type { Store } from '../../src/storage/store.ts'
import { storeCompliance } from '../compliance/store.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const open: Database[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const db of open.splice(0)) await db.close()
  await folders.remove()
})

async function engineOf(restMs: number, faults: unknown[] = []) {
  const path = join(await folders.make(), 'db')
  const db: Database = new Level<string, Bytes>(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
  })
  await db.open()
  open.push(db)
  const onFault = (error: unknown) => void faults.push(error)
  return { path, engine: new Engine({ db, check: async () => undefined, onFault, restMs }) }
}

/** Tables below a folder that are mapped into this process. */
async function mapped(path: string): Promise<number> {
  const maps = await readFile('/proc/self/maps', 'utf8')
  return maps.split('\n').filter(line => line.includes(path) && line.endsWith('.ldb')).length
}

const VALUE = new Uint8Array(64 * 1024).map((_, at) => (at * at) >> 3)
const nameOf = (number: number) => `k${String(number).padStart(4, '0')}`

async function fill(engine: Engine, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    await engine.use(db => db.put(nameOf(number), VALUE), VALUE.length)
  }
}

test('a store that rests after work gives back the tables that it had mapped', async () => {
  const { engine, path } = await engineOf(50)
  const leave = await engine.enter()
  await fill(engine, 200)
  for (let number = 0; number < 200; number++) await engine.use(db => db.get(nameOf(number)))
  expect(await mapped(path)).toBeGreaterThan(2)
  leave()
  // One is made from its log when LevelDB opens, and looked at.
  await vi.waitFor(async () => expect(await mapped(path)).toBeLessThan(2), { timeout: 10_000 })
  expect(new Uint8Array((await engine.use(db => db.get(nameOf(7))))!)).toEqual(VALUE)
  await engine.end()
})

test('a few hundred reads have tables mapped, too, and these are given back', async () => {
  const { engine, path } = await engineOf(500)
  await fill(engine, 200)
  await engine.use(db => (db as unknown as ClassicLevel).compactRange('k', 'l')) // or it does so later
  await vi.waitFor(async () => expect(await mapped(path)).toBeLessThan(2), { timeout: 10_000 })
  for (let number = 0; number < 400; number++) {
    await engine.use(db => db.get(nameOf(number % 200)))
  }
  expect(await mapped(path)).toBeGreaterThan(2)
  await vi.waitFor(async () => expect(await mapped(path)).toBeLessThan(2), { timeout: 10_000 })
  await engine.end()
})

test('single reads of one moment are gathered, and not all of many wait for the last', async () => {
  const { engine } = await engineOf(60_000)
  const keys = Array.from({ length: 80 }, (_, number) => nameOf(number))
  await engine.use(db =>
    db.batch(keys.map(key => ({ type: 'put', key, value: seal(key, utf8(key)) }))),
  )
  const waves = vi.spyOn(Level.prototype, 'getMany')
  const table = new LevelTable(engine, () => undefined)
  const found = await Promise.all(keys.map(key => table.one(key)))
  expect(found.map(payload => utf8Text(payload!))).toEqual(keys)
  expect(waves.mock.calls.map(([asked]) => asked.length)).toEqual([32, 32, 16])
  await engine.end()
})

test('a store in which little was done is left alone, and so is one that is in use', async () => {
  const { engine } = await engineOf(20)
  const closed = vi.spyOn(Level.prototype, 'close')
  await fill(engine, 3)
  await new Promise(resolve => setTimeout(resolve, 200)) // ten times the rest
  const leave = await engine.enter()
  await fill(engine, 200)
  await new Promise(resolve => setTimeout(resolve, 200))
  await engine.renew()
  expect(closed).not.toHaveBeenCalled()
  leave()
  await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), { timeout: 10_000 })
  await engine.end()
})

test('who comes while it is opened anew waits, and sees what was written before', async () => {
  const { engine } = await engineOf(60_000)
  for (let turn = 0; turn < 20; turn++) {
    await engine.use(db => db.put('k', Uint8Array.of(turn)))
    const renewal = engine.renew()
    expect(engine.isOpen).toBe(false)
    const [got, page] = await Promise.all([
      engine.use(db => db.get('k')),
      engine.use(async db => await db.iterator().all()),
    ])
    expect([...got!]).toEqual([turn])
    expect(page.map(([key, value]) => [key, ...value])).toEqual([['k', turn]])
    await renewal
  }
  await engine.end()
})

test('a database that is gone is told, and none is made in its place', async () => {
  const faults: unknown[] = []
  const { engine, path } = await engineOf(60_000, faults)
  await fill(engine, 2)
  await rm(path, { recursive: true })
  await engine.renew()
  expect(faults).toHaveLength(1)
  expect(existsSync(join(path, 'CURRENT'))).toBe(false)
  await expect(engine.use(db => db.get('k'))).rejects.toThrow(/not open/)
  await engine.renew() // does nothing more
  expect(faults).toHaveLength(1)
})

test('after the end nothing is opened any more', async () => {
  const { engine } = await engineOf(60_000)
  const renewal = engine.renew()
  await engine.end()
  await renewal
  const opened = vi.spyOn(Level.prototype, 'open')
  await engine.renew()
  expect(opened).not.toHaveBeenCalled()
})

test('an older database that was put in its place ends the store', async () => {
  const folder = await folders.make()
  const store = await openLevelStore(folder, { create: true })
  const faults: Error[] = []
  store.onFault(error => faults.push(error))
  const close = Level.prototype.close
  vi.spyOn(Level.prototype, 'close').mockImplementationOnce(async function (this: Level) {
    await close.call(this)
    await cp(join(folder, 'db'), join(folder, 'older'), { recursive: true })
  })
  await store.renew()
  await store.commit([{ kind: 'meta', key: 'clock', value: Uint8Array.of(1) }])
  vi.spyOn(Level.prototype, 'close').mockImplementationOnce(async function (this: Level) {
    await close.call(this)
    await rm(join(folder, 'db'), { recursive: true })
    await cp(join(folder, 'older'), join(folder, 'db'), { recursive: true })
  })
  await store.renew()
  expect(faults.map(error => error.message)).toEqual([
    expect.stringMatching(/changed or were damaged while it was open.*start again/),
  ])
  await expect(store.meta('clock')).rejects.toThrow('start again')
  await store.close()
})

const opened = new Map<Store, { readonly folder: string; readonly timer: NodeJS.Timeout }>()

async function openRestless(folder: string, create: boolean): Promise<LevelStore> {
  const store = await openLevelStore(folder, { create })
  opened.set(store, { folder, timer: setInterval(() => void store.renew(), 1) })
  return store
}

storeCompliance({
  name: 'store on disk that is opened anew whenever nobody is inside',
  open: async () => await openRestless(await folders.make(), true),
  async reopen(store: Store) {
    const { folder, timer } = opened.get(store)!
    clearInterval(timer)
    opened.delete(store)
    await store.close()
    return await openRestless(folder, false)
  },
  async end() {
    for (const [store, { timer }] of opened) {
      clearInterval(timer)
      await store.close().catch((error: { code?: string }) => {
        if (error.code !== 'STOPPING') throw error // a test may have closed it itself
      })
    }
    opened.clear()
    await folders.remove()
  },
})
