/**
 * A payload is written behind who brings it: whatever the sizes of its pieces, the file has all of
 * them in order when it is finished or kept, and nothing when it is removed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { BlobWriter, type BlobWriterOptions } from '../../src/storage/blob-writer.ts'
import { someBytes } from '../support/facts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-writer-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Single bytes, pieces of a socket, of a frame, more than is written at once, and what begins an fsync. */
const SIZES = [
  ...Array.from({ length: 300 }, () => 1),
  65_536,
  65_536,
  262_144,
  7,
  300_000,
  ...Array.from({ length: 40 }, () => 1_000_000),
  5,
]

async function open(expectation: BlobWriterOptions['expect']) {
  const path = join(folder, 'partial')
  const placed: string[] = []
  let released = 0
  const writer = await BlobWriter.open({
    path,
    expect: expectation,
    place: async blob => void placed.push(blob),
    release: () => {
      released += 1
    },
  })
  return { path, placed, writer, released: () => released }
}

const pieces = SIZES.map((size, at) => someBytes(size, at + 1))
const whole = concatBytes(pieces)
const blob = hashBytes(whole)

test('pieces of every size are in the file, in order, when it is put in its place', async () => {
  const { path, placed, writer, released } = await open(null)
  for (const piece of pieces) await writer.write(piece)
  expect(writer.size).toBe(whole.length)
  expect(await writer.finish()).toBe(blob)
  expect(placed).toEqual([blob])
  expect(hashBytes(readFileSync(path))).toBe(blob)
  expect(released()).toBe(1)
})

test('what was written is kept at any moment, and gone on with from there', async () => {
  for (const count of [1, 63, 64, 65, 299, 302, 304, 320]) {
    rmSync(join(folder, 'partial'), { force: true })
    const expectation = { blob, size: whole.length }
    const first = await open(expectation)
    for (const piece of pieces.slice(0, count)) await first.writer.write(piece)
    await first.writer.close('keep')
    const kept = concatBytes(pieces.slice(0, count))
    expect(hashBytes(readFileSync(first.path))).toBe(hashBytes(kept))
    const second = await open(expectation)
    expect(second.writer.offset).toBe(kept.length)
    await second.writer.write(whole.slice(kept.length))
    expect(await second.writer.finish()).toBe(blob)
    expect(hashBytes(readFileSync(second.path))).toBe(blob)
  }
})

test('what is not what was expected is removed, and so is what is given up', async () => {
  const wrong = await open({ blob, size: 10 })
  await wrong.writer.write(someBytes(10, 1))
  expect(await wrong.writer.finish()).toBeUndefined()
  expect(wrong.placed).toEqual([])
  expect(existsSync(wrong.path)).toBe(false)
  const given = await open({ blob, size: whole.length })
  await given.writer.write(someBytes(400_000, 1))
  await given.writer.close('remove')
  await given.writer.close('remove')
  expect(existsSync(given.path)).toBe(false)
  expect(given.released()).toBe(1)
})

/** Every file of this process answers no, once, to a call that asks the disk to keep what it has. */
async function refuseOnce(call: 'datasync' | 'sync') {
  const file = await openFile(join(folder, 'any'), 'w')
  const files = Object.getPrototypeOf(file) as FileHandle
  await file.close()
  return vi.spyOn(files, call).mockRejectedValueOnce(new Error('EIO: i/o error'))
}

test('a payload of which the disk refused an fsync is not gone on with: the next fsync could lie', async () => {
  const expectation = { blob, size: whole.length }
  for (const [call, fate] of [
    ['datasync', 'kept'],
    ['datasync', 'finished'],
    ['sync', 'finished'],
  ] as const) {
    const refused = await refuseOnce(call)
    const { path, placed, writer } = await open(expectation)
    for (const piece of pieces) await writer.write(piece)
    if (fate === 'kept') await writer.close('keep')
    else await expect(writer.finish()).rejects.toThrow('EIO')
    expect(refused).toHaveBeenCalled()
    refused.mockRestore()
    expect(placed).toEqual([])
    expect(existsSync(path), `${call}, ${fate}`).toBe(false)
  }
})
