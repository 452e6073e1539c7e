/**
 * The parts of the store on their own: sorted map, tally, grouped commit, overlay, journal lines,
 * and the reading of LevelDB's tables from outside, each held against something plainer.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { compareAscii, concatBytes, utf8 } from '../../src/base/bytes.ts'
import { hashText, ZERO_HASH } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import { crc32c } from '../../src/storage/crc32c.ts'
import { GroupCommit } from '../../src/storage/group-commit.ts'
import { HashXor } from '../../src/storage/hash-xor.ts'
import { Journal, journalLine, readJournal, readLines } from '../../src/storage/journal.ts'
import { mergeRows, type Op, Overlay, type Row } from '../../src/storage/overlay.ts'
import { unsnappy } from '../../src/storage/snappy.ts'
import { SortedMap } from '../../src/storage/sorted-map.ts'
import { readBlock, readVarint, varint, writeBlock } from '../../src/storage/table-block.ts'
import { lossAtStart, Tally } from '../../src/storage/tally.ts'
import { xorOf } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()

afterEach(async () => {
  await folders.remove()
})

describe('a sorted map', () => {
  it('is a map whose ranges come in order, whatever is added and removed', () => {
    const key = fc.integer({ min: 0, max: 300 })
    const step = fc.tuple(fc.boolean(), key)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2000 }), key, key, (steps, from, until) => {
        const sorted = new SortedMap<number, string>((a, b) => a - b)
        const plain = new Map<number, string>()
        for (const [isAdded, k] of steps) {
          if (isAdded) {
            sorted.set(k, `${k}`)
            plain.set(k, `${k}`)
          } else {
            expect(sorted.delete(k)).toBe(plain.delete(k))
          }
        }
        const all = [...plain].sort(([a], [b]) => a - b)
        const copy = sorted.copy()
        sorted.set(1000, '')
        expect([...copy.range()]).toEqual(all)
        expect([...copy.range({ from, until })]).toEqual(
          all.filter(([k]) => k >= from && k < until),
        )
        expect([copy.size, copy.first(), copy.last()]).toEqual([
          all.length,
          all[0]?.[0],
          all.at(-1)?.[0],
        ])
      }),
      { numRuns: 100 },
    )
  })

  it('holds 100,000 keys that come in any order', () => {
    const sorted = new SortedMap<string, number>(compareAscii)
    const keys = Array.from({ length: 100_000 }, (_, at) => hashText(`${at}`))
    for (const [at, key] of keys.entries()) sorted.set(key, at)
    expect([...sorted.range()].map(([key]) => key)).toEqual(keys.sort(compareAscii))
  })
})

describe('a tally', () => {
  const hash = fc.integer().map(n => hashText(`${n}`))

  it('has the XOR of its hashes in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(hash), hashes => {
        const xor = new HashXor()
        for (const one of hashes) xor.toggle(one)
        expect(xor.value()).toBe(xorOf(hashes))
        for (const one of hashes) xor.toggle(one)
        expect(xor.value()).toBe(ZERO_HASH)
      }),
    )
  })

  it('lets the journal lie behind the store and never ahead of it', () => {
    const tally = new Tally()
    const before = tally.record()
    tally.group = 1
    tally.addFact(hashText('a'))
    const after = tally.record()
    const none = { factsMissing: 0, pendingMissing: 0, differs: false }
    expect(lossAtStart({ journal: before, recorded: after, found: after })).toEqual(none)
    expect(lossAtStart({ journal: null, recorded: after, found: after })).toEqual(none)
    const behind = lossAtStart({ journal: after, recorded: before, found: before })
    expect(behind).toEqual({ factsMissing: 1, pendingMissing: 0, differs: true })
    const later = { ...before, group: 2 }
    expect(lossAtStart({ journal: later, recorded: before, found: before }).differs).toBe(true)
  })
})

describe('grouped commit', () => {
  it('writes one group at a time; what gathers meanwhile shares the next one', async () => {
    const groups: (readonly number[])[] = []
    const gates: (() => void)[] = []
    const commits = new GroupCommit<number>({
      write: batches => {
        groups.push([...batches])
        return new Promise(resolve => gates.push(resolve))
      },
      groupBytesMax: 100,
      onFault: () => undefined,
    })
    const done = [1, 2].map(n => commits.add(n, 10))
    await Promise.resolve()
    await Promise.resolve()
    done.push(...[3, 4, 5].map(n => commits.add(n, 50)))
    expect(groups).toEqual([[1, 2]])
    gates[0]!()
    await Promise.all(done.slice(0, 2))
    while (gates.length < 2) await Promise.resolve()
    expect(groups).toEqual([
      [1, 2],
      [3, 4],
    ])
    gates[1]!()
    while (gates.length < 3) await Promise.resolve()
    gates[2]!()
    await commits.idle()
    expect(groups[2]).toEqual([5])
  })
})

describe('the overlay', () => {
  const name = fc.integer({ min: 0, max: 20 }).map(n => `i${String(n).padStart(2, '0')}`)
  const op = fc.tuple(fc.boolean(), name, fc.nat(99)).map(([isPut, key, n]): Op => {
    return isPut ? { type: 'put', key, value: new Uint8Array([n]) } : { type: 'del', key }
  })

  it('over any stored rows reads as if its writes were stored', () => {
    fc.assert(
      fc.property(fc.array(op), fc.array(op), (stored, staged) => {
        const apply = (rows: Map<string, Uint8Array>, ops: readonly Op[]) => {
          for (const one of ops) {
            if (one.type === 'put') rows.set(one.key, one.value)
            else rows.delete(one.key)
          }
          return [...rows].sort(([a], [b]) => compareAscii(a, b)) as Row[]
        }
        const rows = apply(new Map(), stored)
        const overlay = new Overlay()
        overlay.stage(staged)
        const range = { from: 'i', until: 'j' }
        expect(mergeRows(rows, overlay.range(range))).toEqual(apply(new Map(rows), staged))
        overlay.land(staged)
        expect(overlay.range(range)).toEqual([])
      }),
    )
  })

  it('keeps a later write of a key when the earlier one has landed', () => {
    const overlay = new Overlay()
    const first: Op[] = [{ type: 'put', key: 'ma', value: utf8('1') }]
    const second: Op[] = [{ type: 'del', key: 'ma' }]
    overlay.stage(first)
    overlay.stage(second)
    overlay.land(first)
    expect(overlay.get('ma')).toBe(second[0])
  })
})

describe('the journal', () => {
  const tally = new Tally().record()
  const entry = { tally, cut: { cut: 5, root: ZERO_HASH, items: 1 }, closed: false }

  it('speaks by its last good line, however the others are damaged', () => {
    const good = journalLine(entry)
    const torn = journalLine({ ...entry, closed: true }).slice(0, 40)
    const other = journalLine({ ...entry, closed: true }).replace('"closed":true', '"closed":tru_')
    expect(readLines(good + torn)).toEqual({ last: entry, damagedLines: 1 })
    expect(readLines(`${torn}\n${other}${good}`)).toEqual({ last: entry, damagedLines: 2 })
    expect(readLines('')).toEqual({ last: null, damagedLines: 0 })
  })

  it('is begun anew when it has grown to its limit, and loses nothing by it', async () => {
    const path = join(await folders.make(), 'journal')
    const failures: Error[] = []
    const journal = await Journal.begin({ path, entry, onFailure: error => failures.push(error) })
    const line = journalLine(entry).length
    const count = Math.ceil(limits.journalBytesMax / line) + 50
    for (let group = 1; group <= count; group++) await journal.promise({ ...tally, group })
    expect((await readFile(path)).length).toBeLessThan(100 * (line + 10))
    journal.cut({ cut: 6, root: ZERO_HASH, items: 2 })
    await journal.promise({ ...tally, group: count + 1 })
    const { last } = await readJournal(path)
    expect(last).toMatchObject({ tally: { group: count + 1 }, cut: { cut: 6 }, closed: false })
    await journal.close()
    expect((await readJournal(path)).last).toMatchObject({ closed: true, cut: { items: 2 } })
    expect(failures).toEqual([])
  })

  it('that is empty or absent says nothing', async () => {
    const folder = await folders.make()
    const path = join(folder, 'journal')
    await writeFile(path, '')
    expect(await readJournal(path)).toEqual({ last: null, damagedLines: 0 })
    expect(await readJournal(join(folder, 'none'))).toEqual({ last: null, damagedLines: 0 })
  })
})

describe("LevelDB's formats, read from outside", () => {
  it('CRC-32C gives the published values', () => {
    expect(crc32c(utf8('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  it('varints and blocks come back as they were written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), n => {
        const bytes = new Uint8Array(varint(n))
        expect(readVarint(bytes, 0)).toEqual({ value: n, end: bytes.length })
      }),
    )
    const bytes = fc.uint8Array({ maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.record({ key: bytes, value: bytes })), entries => {
        expect(readBlock(writeBlock(entries))).toEqual(entries)
      }),
    )
  })

  it('snappy: literals and copies, also overlapping ones; anything else is refused', () => {
    const literal = concatBytes([new Uint8Array([11, 8]), utf8('abc'), new Uint8Array([0x11, 3])])
    expect(unsnappy(literal)).toEqual(utf8('abcabcabcab'))
    const hostile = fc.uint8Array({ maxLength: 60 })
    fc.assert(
      fc.property(hostile, bytes => {
        const plain = unsnappy(bytes)
        expect(plain === undefined || plain instanceof Uint8Array).toBe(true)
      }),
    )
  })
})
