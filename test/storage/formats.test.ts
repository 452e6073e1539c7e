/**
 * Stores of every format that was ever written must open. `test/formats/vN/store.json` holds the
 * records of a small store of format N as they lay in LevelDB, its other files, and what reading it
 * must give. A fixture is never changed; a new format brings a new one.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import {
  factPayload,
  itemPayload,
  readFactPayload,
  readItemPayload,
  seal,
  unseal,
} from '../../src/storage/records.ts'
import { verifyAll } from '../compliance/store.ts'
import fixture from '../formats/v1/store.json' with { type: 'json' }
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()

afterAll(async () => {
  await folders.remove()
})

/** Everything that a store of the fixture's size can be asked. */
async function readAll(store: LevelStore) {
  const items = await store.scanItems({}, 100)
  const facts = (await Promise.all(items.map(({ id }) => store.factsOf(id)))).flat()
  const blobs = facts.map(({ fact }) => fact.blob).filter(blob => blob !== null)
  const small = await store.smallPayloads(blobs)
  return {
    counts: store.counts(),
    items,
    facts,
    pending: await store.pending(-1, 100),
    lastOrder: store.lastPendingOrder(),
    wanted: await store.wanted(null, 100),
    links: await store.dependedOnBy('a/report', 100),
    events: (await store.events(0, 100)).map(({ sequence, body }) => [sequence, toHex(body)]),
    eventRange: store.eventRange(),
    clock: toHex((await store.meta('clock'))!),
    payloads: small.map(bytes => (bytes === undefined ? null : toHex(bytes))),
    lastCut: store.report.lastCut,
  }
}

describe('a store of format 1', () => {
  it('opens clean and whole, and reads as it did', async () => {
    const folder = await folders.make()
    await mkdir(join(folder, 'db'))
    const db = new Level<string, Uint8Array>(join(folder, 'db'), { valueEncoding: 'view' })
    for (const [key, hex] of fixture.rows) await db.put(key!, fromHex(hex!)!)
    await db.close()
    await writeFile(join(folder, 'journal'), fixture.journal)
    await writeFile(join(folder, 'veche.json'), fixture.marker)
    const store = await openLevelStore(folder)
    expect(store.report).toMatchObject({ clean: true, gap: false, damages: [] })
    expect(JSON.parse(JSON.stringify(await readAll(store)))).toEqual(fixture.reads)
    expect((await verifyAll(store)).damages).toEqual([])
    await store.close()
  })

  it('has records that this version still writes the same, byte for byte', () => {
    let compared = 0
    for (const [key, hex] of fixture.rows as [string, string][]) {
      const payload = unseal(key, fromHex(hex)!)
      expect(payload).toBeDefined()
      expect(toHex(seal(key, payload!))).toBe(hex)
      if (key.startsWith('f')) {
        expect(toHex(factPayload(readFactPayload(payload!)!))).toBe(toHex(payload!))
      } else if (key.startsWith('i')) {
        // Whole items take fewer bytes since; they say the same.
        const again = itemPayload(readItemPayload(payload!)!)
        expect(again.length).toBeLessThanOrEqual(payload!.length)
        expect(readItemPayload(again)).toEqual(readItemPayload(payload!))
      } else {
        continue
      }
      compared += 1
    }
    expect(compared).toBeGreaterThan(4)
  })
})
