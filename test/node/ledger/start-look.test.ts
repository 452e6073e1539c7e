/**
 * A start that saw the items while its store was opened builds the same as one that reads them anew,
 * and reads them anew wherever what it saw may not be all, or not be right.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import { systemFact, systemId } from '../../../src/node/driver/system.ts'
import { rebuild } from '../../../src/node/ledger/rebuild.ts'
import { StartLook } from '../../../src/node/ledger/start-look.ts'
import { openLevelStore } from '../../../src/storage/level-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { ItemsSeen, Store, Write } from '../../../src/storage/store.ts'
import { agreedAt, chain, deletion, itemBatch, pendingAt } from '../../support/facts.ts'

const CUT = 5000

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'veche-look-')), 'store')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

/** Whole items, old and new, ended ones, what waits, what lacks a parent, a split item, the system's. */
function items(): Write[] {
  const ended = chain('ended', 2)
  const [split] = chain('split', 1)
  const branch = { ...chain('split~3', 1)[0]!, base: [{ id: 'split', heads: [split!.version] }] }
  const stamp = { at: '0000000000010000', by: 'a' }
  const network = systemFact(systemId.network, { name: 'look' }, stamp)
  return [
    ...itemBatch(chain('a', 1), () => agreedAt(1000)),
    ...itemBatch(chain('b', 3), at => agreedAt(1000 + at)),
    ...itemBatch(chain('unicode ☃', 1), () => agreedAt(2000)),
    ...itemBatch(chain('late', 2), at => agreedAt(4000 + 2000 * at)),
    ...itemBatch(chain('waits', 1), () => pendingAt(0)),
    ...itemBatch([...ended, deletion(ended[1]!)], at => agreedAt(1000 + at)),
    ...itemBatch(chain('lacks', 3).slice(1), () => agreedAt(1500)),
    ...itemBatch([split!], () => agreedAt(1600)),
    ...itemBatch([branch], () => agreedAt(1700)),
    ...itemBatch([network], () => agreedAt(1)),
  ]
}

/** All that a start has worked out, in one value. */
async function built(store: Store, look?: StartLook) {
  const { sets, live, ...rest } = await rebuild(store, CUT, undefined, look)
  const { settled, system } = sets
  const waiting = [...settled.waitingItems()].sort(([a], [b]) => (a < b ? -1 : 1))
  const trees = { root: settled.root(), waiting, system: system.root() }
  return { ...rest, trees, live: live.count }
}

type Reopen = (options: { items?: ItemsSeen }) => Promise<Store>

/** Closes a store with these items, whose journal tells of this cut. */
async function end(store: Store, lastCut: number): Promise<void> {
  await store.commit(items())
  store.journalCut({ cut: lastCut, root: ZERO_HASH, items: 9 })
  await store.close()
}

const engines: Record<string, (lastCut: number) => Promise<Reopen>> = {
  'in memory': async lastCut => {
    const first = new MemoryStore()
    await end(first, lastCut)
    return async options => MemoryStore.fromImage(first.image(), options)
  },
  'on disk': async lastCut => {
    rmSync(folder, { recursive: true, force: true })
    await end(await openLevelStore(folder, { create: true }), lastCut)
    return options => openLevelStore(folder, options)
  },
}

describe.each(Object.entries(engines))('a start of a store %s', (_, make) => {
  test.each([
    [0, ['a', 'b', 'unicode ☃']],
    [1000, ['b', 'unicode ☃']],
    [1600, ['unicode ☃']],
    [2001, []],
    [CUT, []],
  ])(
    'that saw the items while it was opened builds what reading them builds, last cut %d',
    async (lastCut, newer) => {
      const reopen = await make(lastCut)
      const plain = await reopen({})
      const expected = await built(plain)
      await plain.close()
      expect(expected.agreedFacts).toBe(14)
      expect(expected.trees.waiting).toHaveLength(1)
      const look = new StartLook()
      const store = await reopen({ items: look })
      const [glances, items] = [vi.spyOn(store, 'glances'), vi.spyOn(store, 'items')]
      expect(await built(store, look)).toEqual(expected)
      expect(glances).not.toHaveBeenCalled()
      const readAgain = items.mock.calls.flatMap(([ids]) => ids)
      expect(['a', 'b', 'unicode ☃'].filter(id => readAgain.includes(id))).toEqual(newer)
      expect(await built(store, look), 'a second time').toEqual(expected)
      expect(glances).toHaveBeenCalled()
      await store.close()
    },
  )

  test('reads them when some came later, or the cut lies before what was left over', async () => {
    const reopen = await make(4000)
    const look = new StartLook()
    const store = await reopen({ items: look })
    await store.commit(itemBatch(chain('more', 2), () => agreedAt(1000)))
    const glances = vi.spyOn(store, 'glances')
    const withMore = await built(store, look)
    expect(glances).toHaveBeenCalled()
    expect(withMore.agreedFacts).toBe(16)
    await store.close()
    const later = await make(CUT + 1)
    const late = new StartLook()
    const again = await later({ items: late })
    const read = vi.spyOn(again, 'glances')
    await built(again, late)
    expect(read).toHaveBeenCalled()
    await again.close()
  })
})

test('a start reads the items when the opening found damage, and has what is left', async () => {
  const store = new MemoryStore()
  await store.commit(items())
  await store.close()
  const image = store.image()
  image.tables.rottenItems.add('b')
  const look = new StartLook()
  const opened = MemoryStore.fromImage(image, { items: look })
  expect(opened.report.damages).not.toEqual([])
  const glances = vi.spyOn(opened, 'glances')
  const found = await built(opened, look)
  expect(glances).toHaveBeenCalled()
  expect(found.mended.map(({ id }) => id)).toContain('b')
})

test('a start reads the items when one that was left over rotted meanwhile', async () => {
  const store = new MemoryStore()
  await store.commit(items())
  await store.close()
  const look = new StartLook()
  const opened = MemoryStore.fromImage(store.image(), { items: look })
  const expected = await built(MemoryStore.fromImage(store.image()))
  opened.rot({ kind: 'item', id: 'late' })
  const found = await built(opened, look)
  expect(found.trees).toEqual(expected.trees)
  expect(found.mended.map(({ id }) => id)).toEqual(['late'])
})
