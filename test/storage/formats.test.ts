/**
 * Stores of every format that was ever written must open. `test/formats/vN/store.json` holds the
 * records of a small store of format N as they lay in LevelDB, its other files, and what reading it
 * must give. A fixture is never changed; a new format brings a new one.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { hashText } from '../../src/base/hash.ts'
import { hashOfText, isHashText, textOfHash } from '../../src/storage/hash-text.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import {
  factPayload,
  itemPayload,
  readFactPayload,
  readItemPayload,
  seal,
  unseal,
} from '../../src/storage/records.ts'
import type { Damage } from '../../src/storage/store.ts'
import { verifyAll } from '../compliance/store.ts'
import v1 from '../formats/v1/store.json' with { type: 'json' }
import v2 from '../formats/v2/store.json' with { type: 'json' }
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

type Fixture = typeof v1
type Rows = readonly (readonly string[])[]

/** A folder as a closed store of the fixture's version left it. */
async function laid(fixture: Fixture, rows: Rows = fixture.rows): Promise<string> {
  const folder = await folders.make()
  await mkdir(join(folder, 'db'))
  const db = new Level<string, Uint8Array>(join(folder, 'db'), { valueEncoding: 'view' })
  for (const [key, hex] of rows) await db.put(key!, fromHex(hex!)!)
  await db.close()
  await writeFile(join(folder, 'journal'), fixture.journal)
  await writeFile(join(folder, 'veche.json'), fixture.marker)
  return folder
}

/** All keys of a store that is closed. */
async function keysIn(folder: string): Promise<string[]> {
  const db = new Level<string, Uint8Array>(join(folder, 'db'), { valueEncoding: 'view' })
  const found = await db.keys().all()
  await db.close()
  return found
}

describe.each([
  ['1', v1],
  ['2', v2],
])('a store of format %s', (_, fixture) => {
  it('opens clean and whole, and reads as it did', async () => {
    const store = await openLevelStore(await laid(fixture))
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
        // Whole items take fewer bytes since format 1; they say the same.
        const again = itemPayload(readItemPayload(payload!)!)
        if (fixture === v2) expect(toHex(again)).toBe(toHex(payload!))
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

describe('a store of format 1 becomes one of format 2', () => {
  const keysOfV2 = v2.rows.map(([key]) => key!).filter(key => !key.startsWith('g'))
  const isOfHash = (key: string) => 'fhpwx'.includes(key[0]!)

  it('when it is opened: its keys and its marker say so', async () => {
    const folder = await laid(v1)
    const told: string[] = []
    await (await openLevelStore(folder, { onUpgrade: sentence => told.push(sentence) })).close()
    expect(told).toEqual([expect.stringContaining('keys of format 2')])
    const keys = await keysIn(folder)
    expect(keys.filter(key => !key.startsWith('g'))).toEqual(keysOfV2)
    expect(await readFile(join(folder, 'veche.json'), 'utf8')).toBe(v2.marker)
    const store = await openLevelStore(folder)
    expect(JSON.parse(JSON.stringify(await readAll(store)))).toEqual(v1.reads)
    await store.close()
  })

  it('after a kill in the middle, which left records of both', async () => {
    const old = v1.rows.filter(([key]) => isOfHash(key!))
    const made = v2.rows.filter(([key]) => isOfHash(key!))
    const others = v1.rows.filter(([key]) => !isOfHash(key!))
    expect(made).toHaveLength(old.length)
    for (let moved = 0; moved <= old.length; moved++) {
      // Keys of both formats are in the order of ids and hashes, so one stands in the other's place.
      const rows = [...made.slice(0, moved), ...old.slice(moved), ...others]
      const store = await openLevelStore(await laid(v1, rows))
      expect(store.report).toMatchObject({ clean: true, gap: false, damages: [] })
      expect(JSON.parse(JSON.stringify(await readAll(store)))).toEqual(v1.reads)
      await store.close()
    }
  })

  it('and what was damaged stays damaged, and is told', async () => {
    const rows = v1.rows.map(([key, hex]) =>
      key!.startsWith('p')
        ? [key!, hex!.replace(/.$/, last => (last === '0' ? '1' : '0'))]
        : [key!, hex!],
    )
    const count = rows.filter(([key]) => key!.startsWith('p')).length
    expect(count).toBeGreaterThan(0)
    const store = await openLevelStore(await laid(v1, rows))
    const { damages } = (await verifyAll(store)) as { damages: Damage[] }
    expect(damages.filter(({ what }) => what === 'payload').length).toBeGreaterThanOrEqual(count)
    await store.close()
  })
})

describe('a hash in a key', () => {
  const hashes = [
    '0'.repeat(64),
    'f'.repeat(64),
    `${'0'.repeat(63)}1`,
    `1${'0'.repeat(63)}`,
    ...Array.from({ length: 500 }, (_, at) => hashText(`${at}`)),
  ]

  it('has 43 characters that name it', () => {
    for (const hash of hashes) {
      const text = textOfHash(hash)
      expect(text).toHaveLength(43)
      expect(isHashText(text)).toBe(true)
      expect(hashOfText(text)).toBe(hash)
    }
  })

  it('lies in the order of hashes', () => {
    const texts = [...hashes].sort().map(textOfHash)
    expect([...texts].sort()).toEqual(texts)
  })

  it('has one text only, and no other text is one', () => {
    const text = textOfHash(hashText('x'))
    const alphabet = [...'-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz']
    const last = alphabet.filter(character => isHashText(text.slice(0, -1) + character))
    expect(last).toHaveLength(16)
    for (const bad of ['', text.slice(1), `${text}-`, text.replace(/^./, '.'), hashText('x')]) {
      expect(isHashText(bad)).toBe(false)
    }
  })
})
