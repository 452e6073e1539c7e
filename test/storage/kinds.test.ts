/**
 * Every kind of file that a closed store has, flipped, cut and taken away: whatever comes back is the
 * truth or nothing, what is missing is told, who the member is stays the same, and a store that
 * cannot be opened says so in words, each time. More items and places in the larger sizes.
 */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sized } from '../../sim/size.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { copyOf, cutFile, filesEnding, flipBit, removeFile } from '../support/damage.ts'
import {
  fill,
  identityOf,
  large,
  leavePartial,
  partial,
  readHere,
  readInChild,
} from '../support/damaged-store.ts'
import { tempFolders } from '../support/temp-folders.ts'

const flips = sized({ everyday: 1, deep: 64 })
const cuts = sized({ everyday: 1, deep: 16 })
const folders = tempFolders()

let inLog: string
let inTables: string

beforeAll(async () => {
  inLog = await folders.make()
  await fill(inLog)
  inTables = await copyOf(inLog, await folders.make())
  await leavePartial(inTables) // and LevelDB turns its log into a table
})

afterAll(async () => {
  await folders.remove()
})

const inDatabase = (end: string) => async (folder: string) => {
  const [path] = await filesEnding(join(folder, 'db'), end)
  if (path === undefined) throw new Error(`the database has no file ${end}`)
  return path
}
const named = (start: string) => async (folder: string) => {
  const names = await readdir(join(folder, 'db'))
  return join(folder, 'db', names.find(name => name.startsWith(start))!)
}
const at = (path: string) => async (folder: string) => join(folder, path)
const content = (path: string, text: string) => async (folder: string) => {
  await writeFile(join(folder, path), text)
  return join(folder, path)
}

interface Kind {
  readonly what: string
  readonly file: (folder: string) => Promise<string>
  readonly where?: 'log'
  /** Without it the store is not opened, which is said. */
  readonly refuses?: boolean
}

const blob = hashBytes(large)
const kinds: readonly Kind[] = [
  { what: 'the log', file: inDatabase('.log'), where: 'log', refuses: true },
  { what: 'a table', file: inDatabase('.ldb'), refuses: true },
  { what: 'MANIFEST', file: named('MANIFEST') },
  { what: 'CURRENT', file: at('db/CURRENT') },
  { what: "LevelDB's LOG", file: at('db/LOG') },
  { what: "LevelDB's LOCK", file: at('db/LOCK') },
  { what: 'the journal', file: at('journal') },
  { what: 'a payload', file: at(`blobs/${blob.slice(0, 2)}/${blob.slice(2)}`) },
  { what: 'a partial payload', file: at(`partial/${partial.blob}`) },
  { what: 'the second copy of the identity', file: at('lasting') },
  { what: 'the marker', file: at('veche.json'), refuses: true },
  { what: 'the lock of a dead daemon', file: content('lock', '999999999 1\n') },
  { what: 'the word of an opening', file: content('opening', '999999999 0\n') },
  { what: 'the word of a scrub', file: content('check', '999999999 0\n') },
  { what: 'the control socket of a dead daemon', file: content('control.sock', 'x') },
]

interface Damage {
  readonly how: string
  readonly spoil: (path: string) => Promise<void>
}
const parts = (count: number) => Array.from({ length: count }, (_, n) => (n + 0.37) / count)
const damages: readonly Damage[] = [
  ...parts(flips).map(part => ({
    how: `flipped at ${part.toFixed(3)}`,
    spoil: (path: string) => flipBit(path, part, Math.floor(part * 1000) % 8),
  })),
  ...parts(cuts).map(part => ({
    how: `cut at ${part.toFixed(3)}`,
    spoil: (path: string) => cutFile(path, part),
  })),
  { how: 'emptied', spoil: path => cutFile(path, 0) },
  { how: 'gone', spoil: removeFile },
]
const cases = kinds.flatMap(kind => damages.map(damage => ({ ...kind, ...damage })))

describe('a file of a closed store', () => {
  it.each(cases)(
    '$what, $how: nothing wrong is given out, and what is missing is told',
    async one => {
      const folder = await copyOf(one.where === 'log' ? inLog : inTables, await folders.make())
      const path = await one.file(folder)
      await one.spoil(path)
      const read = path.includes('/db/') ? readInChild : readHere // LevelDB may end its process
      const { seen, refusal, aborts } = await read(folder)
      expect(aborts).toBeLessThanOrEqual(4)
      if (refusal !== undefined) {
        expect(one.refuses, refusal).toBe(true)
        expect(refusal).toMatch(/^(?:DAMAGED|NEWER_FORMAT|NOT_A_STORE) .{40,}/)
        expect((await read(folder)).refusal).toBe(refusal)
        return
      }
      expect(seen.identity).toBe(identityOf())
      if (seen.missing > 0) expect(seen.damages.length + (seen.gap ? 1 : 0)).toBeGreaterThan(0)
    },
  )
})
