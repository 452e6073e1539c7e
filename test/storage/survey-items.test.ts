/**
 * Very many items are counted by two threads at an opening: what comes of it is what one thread
 * finds, whatever is damaged, and also where the second thread comes to nothing.
 */
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Bytes, compareText, toHex } from '../../src/base/bytes.ts'
import { ZERO_HASH } from '../../src/base/hash.ts'
import { keys } from '../../src/storage/keys.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import { type Database, LEVEL_ENCODINGS } from '../../src/storage/level-table.ts'
import type { SeenItems } from '../../src/storage/store.ts'
import { countAllItems } from '../../src/storage/survey-items.ts'
import { copyOf } from '../support/damage.ts'
import { agreedAt, chain, itemBatch } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'

const threads = vi.hoisted(() => ({ started: 0, areBroken: false }))

vi.mock('node:worker_threads', async importOriginal => {
  const original = await importOriginal<typeof import('node:worker_threads')>()
  return {
    ...original,
    Worker: class extends original.Worker {
      constructor(file: URL, options: import('node:worker_threads').WorkerOptions) {
        threads.started += 1
        super(threads.areBroken ? new URL('./absent.ts', file) : file, options)
      }
    },
  }
})

const ITEMS = 3000
const LAST_CUT = 2000
const folders = tempFolders()
let filled: string

beforeAll(async () => {
  filled = await folders.make()
  const store = await openLevelStore(filled, { create: true })
  const commits = Array.from({ length: ITEMS }, (_, at) => {
    const facts = chain(`folder ${at % 7}/item ${at}`, 1 + (at % 3))
    return store.commit(itemBatch(facts, () => agreedAt(at)))
  })
  await Promise.all(commits)
  store.journalCut({ cut: LAST_CUT, root: ZERO_HASH, items: ITEMS })
  await store.close()
  await (await openLevelStore(filled)).close() // LevelDB turns its log into a table
})

afterAll(() => folders.remove())
afterEach(() => {
  threads.started = 0
  threads.areBroken = false
  vi.restoreAllMocks()
})

/** What an opening says, and what it has seen, put together. */
async function opened(folder: string, halvesFrom: number) {
  const parts: (SeenItems | null)[] = []
  const items = {
    begin: () => void parts.splice(0),
    see: (part: SeenItems | null) => void parts.push(part),
  }
  const store = await openLevelStore(folder, { items, halvesFrom })
  const { report } = store
  const counts = store.counts()
  await store.close()
  return { report, counts, parts: parts.length, seen: parts.includes(null) ? null : joined(parts) }
}

function joined(parts: readonly (SeenItems | null)[]) {
  const all = parts.filter(part => part !== null)
  const sum = (of: 'items' | 'facts' | 'settledFacts' | 'live') =>
    all.reduce((total, part) => total + part[of], 0)
  const entries = all.flatMap(({ entries: bytes }) =>
    Array.from({ length: bytes.length / 64 }, (_, at) =>
      toHex(bytes.subarray(64 * at, 64 * at + 64)),
    ),
  )
  return {
    sums: [sum('items'), sum('facts'), sum('settledFacts'), sum('live')],
    entries: entries.sort(compareText),
    newest: all
      .map(part => part.newest)
      .sort(compareText)
      .at(-1),
    rest: all.flatMap(part => part.rest),
  }
}

async function copied(): Promise<string> {
  return await copyOf(filled, await folders.make())
}

/** Changes the last byte of what LevelDB holds of some items. */
async function damage(folder: string, ids: readonly string[]): Promise<void> {
  const db = new Level<string, Bytes>(join(folder, 'db'), LEVEL_ENCODINGS)
  for (const id of ids) {
    const record = (await db.get(keys.item(id)))!
    record[record.length - 1]! ^= 1
    await db.put(keys.item(id), record)
  }
  await db.close()
}

describe('an opening that counts items in two threads', () => {
  it('says and sees what one thread does', async () => {
    const warnings = vi.spyOn(process, 'emitWarning')
    const alone = await opened(await copied(), ITEMS + 1)
    expect(threads.started).toBe(0)
    expect(alone.parts).toBe(1)
    expect(alone.seen?.sums).toEqual([ITEMS, 2 * ITEMS, 4002, LAST_CUT + 1])
    expect(alone.seen?.rest).toHaveLength(ITEMS - LAST_CUT - 1)
    const both = await opened(await copied(), ITEMS)
    expect(threads.started).toBe(1)
    expect(both).toEqual({ ...alone, parts: 2 })
    expect(warnings).not.toHaveBeenCalled()
  })

  it('names what is damaged in either half', async () => {
    const folder = await copied()
    const ids = ['folder 0/item 7', 'folder 6/item 2995']
    await damage(folder, ids)
    const same = await copyOf(folder, await folders.make())
    const alone = await opened(folder, ITEMS + 1)
    expect(new Set(alone.report.damages.map(({ id }) => id))).toEqual(new Set(ids))
    expect(await opened(same, 0)).toEqual({ ...alone, parts: 2 })
    expect(threads.started).toBe(1)
  })

  it('counts both halves itself where the thread comes to nothing, and says so', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const alone = await opened(await copied(), ITEMS + 1)
    threads.areBroken = true
    expect(await opened(await copied(), 0)).toEqual({ ...alone, parts: 2 })
    expect(warnings).toHaveBeenCalledOnce()
    expect(warnings.mock.lastCall?.[0]).toContain('A second thread could not count items')
  })

  it('counts items of which nothing is in a table yet alone', async () => {
    const folder = await folders.make()
    await (await openLevelStore(folder, { create: true })).close()
    expect(await opened(folder, 0)).toMatchObject({ parts: 1, counts: { items: 0 } })
    expect(threads.started).toBe(0)
  })

  it('waits for the thread when its own half cannot be read: LevelDB is closed then', async () => {
    const folder = await copied()
    const open = (multithreading: boolean): Database =>
      new Level<string, Bytes>(join(folder, 'db'), { ...LEVEL_ENCODINGS, multithreading })
    const db = open(true)
    await db.open()
    vi.spyOn(db, 'iterator').mockImplementation(() => {
      throw new Error('unreadable')
    })
    const task = { expected: ITEMS, lastCut: LAST_CUT, halvesFrom: 0 }
    await expect(countAllItems(db, task)).rejects.toThrow('unreadable')
    expect(threads.started).toBe(1)
    await db.close()
    const again = open(false) // refused by LevelDB's lock while the thread has it open
    await again.open()
    await again.close()
  })
})
