/**
 * The reader of the lab sees what is there: random databases against LevelDB itself, torn logs, and
 * a store of the product against the product's own dump. The lab itself shares no code with it.
 */
import { cpSync, globSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, describe, expect, test } from 'vitest'
import { dumpStore } from '../../../sim/dump.ts'
import { openLevelStore } from '../../../src/storage/level-store.ts'
import { fill, truth } from '../../support/damaged-store.ts'
import { tempFolders } from '../../support/temp-folders.ts'
import { readStore } from './facts.ts'
import { readLevelDb } from './leveldb.ts'

const folders = tempFolders()
afterAll(() => folders.remove())

/** A fixed stream of numbers below `limit`. */
function numbers(): (limit: number) => number {
  let state = 7
  return limit => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Random changes of a database, reopened now and then; what it must hold. */
async function someDatabase(folder: string): Promise<Map<string, Buffer>> {
  const next = numbers()
  const held = new Map<string, Buffer>()
  for (let life = 0; life < 4; life++) {
    const level = new Level<string, Buffer>(folder, {
      valueEncoding: 'buffer',
      writeBufferSize: 256 * 1024,
    })
    for (let at = 0; at < 400; at++) {
      const batch = Array.from({ length: 1 + next(8) }, () => {
        const key = `key/${next(900)}/${'long'.repeat(next(9))}`
        const value = Buffer.from(`${next(1000)} `.repeat(next(at % 40 === 0 ? 30_000 : 300)))
        return next(4) === 0
          ? ({ type: 'del', key } as const)
          : ({ type: 'put', key, value } as const)
      })
      await level.batch(batch)
      for (const entry of batch) {
        if (entry.type === 'del') held.delete(entry.key)
        else held.set(entry.key, entry.value)
      }
    }
    await level.close()
  }
  return held
}

describe('the reader of stores', () => {
  test('sees every record of LevelDB, from tables and logs, and no deleted one', async () => {
    const folder = join(await folders.make(), 'db')
    const held = await someDatabase(folder)
    expect(globSync('*.ldb', { cwd: folder }).length).toBeGreaterThan(1)
    const read = readLevelDb(folder)
    expect(read.size).toBe(held.size)
    expect(held.size).toBeGreaterThan(500)
    for (const [key, value] of held) expect(read.get(key)?.equals(value), key).toBe(true)
  })

  test('sees of a torn log what LevelDB itself keeps, at every tenth cut', async () => {
    const folder = join(await folders.make(), 'db')
    const level = new Level<string, string>(folder)
    for (let at = 0; at < 60; at++) await level.put(`key ${at}`, `${at}`.repeat(300))
    await level.close()
    const [log] = globSync('*.log', { cwd: folder })
    const size = statSync(join(folder, log!)).size
    const sizes = new Set<number>()
    for (let cut = 0; cut <= 10; cut++) {
      const torn = `${folder}-${cut}`
      cpSync(folder, torn, { recursive: true })
      truncateSync(join(torn, log!), Math.floor((size * cut) / 10))
      const read = readLevelDb(torn)
      const again = new Level<string, string>(torn)
      const kept = await again.iterator().all()
      await again.close()
      expect([...read].map(([key, value]) => [key, `${value}`]).sort()).toEqual(kept.sort())
      sizes.add(read.size)
    }
    expect(sizes.size).toBe(11)
  })

  test('dumps a store as the product itself does', async () => {
    const folder = await folders.make()
    await fill(folder)
    const { facts, damaged } = readStore(folder)
    const store = await openLevelStore(folder)
    const about = { status: 'down', roster: null, cut: null, hash: null, items: null } as const
    const dump = await dumpStore(store, { member: 'a', moment: 'crash', ...about })
    await store.close()
    const byVersion = (a: { version: string }, b: { version: string }) =>
      a.version < b.version ? -1 : 1
    expect(damaged).toEqual([])
    expect(facts.length).toBe([...truth.values()].flat().length)
    expect([...facts].sort(byVersion)).toEqual([...dump.facts!].sort(byVersion))
  })

  test('shares no code with the product, like all of the lab', () => {
    const root = join(import.meta.dirname, '../../..')
    const lab = ['test/lab/**/*.ts', 'test/support/{lab,namespaces,json-client,large}.ts']
    const paths = globSync(lab, { cwd: root }).filter(path => !path.endsWith('.test.ts'))
    expect(paths.length).toBeGreaterThan(8)
    for (const path of paths) {
      const from = [...readFileSync(join(root, path), 'utf8').matchAll(/from '([^']+)'/g)]
      const strange = from
        .map(([, specifier]) => specifier!)
        .filter(specifier => /\/src\//.test(specifier) || /^[^.n]/.test(specifier))
      expect(strange, path).toEqual([])
    }
  })
})
