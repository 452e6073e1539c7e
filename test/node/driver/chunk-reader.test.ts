/**
 * Pieces of large payloads for those who fetch them: the right bytes, read a run at a time, and never
 * for longer than a second.
 */
import { expect, test } from 'vitest'
import { hashBytes } from '../../../src/base/hash.ts'
import { limits } from '../../../src/base/limits.ts'
import { ChunkReader } from '../../../src/node/driver/chunk-reader.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { someBytes } from '../../support/facts.ts'

const { pieceBytes } = limits
const size = 9 * pieceBytes + 100

async function open() {
  const store = new MemoryStore()
  const payload = someBytes(size, 1)
  const writer = await store.payloadWriter(null)
  await writer.write(payload)
  const blob = (await writer.finish())!
  const reads: number[] = []
  const read = store.readPayload.bind(store)
  store.readPayload = (of, offset, length) => {
    reads.push(offset)
    return read(of, offset, length)
  }
  const time = { ms: 1000 }
  const reader = new ChunkReader(store, () => time.ms)
  const piece = (offset: number, by = 'a', length = pieceBytes) =>
    reader.piece({ by, blob, size, offset, length })
  return { store, payload, blob, reads, time, piece }
}

test('pieces that are asked for one after the other, or at once, are read four at a time', async () => {
  const { payload, reads, piece } = await open()
  const offsets = Array.from({ length: 10 }, (_, at) => at * pieceBytes)
  const pieces = await Promise.all(offsets.map(offset => piece(offset)))
  expect(Buffer.concat(pieces.map(bytes => bytes!)).equals(payload)).toBe(true)
  expect(reads).toEqual([0, 4 * pieceBytes, 8 * pieceBytes])
  expect(await piece(size)).toHaveLength(0)
  expect(await piece(size - 100)).toHaveLength(100)
})

test('two who fetch do not disturb each other, and a length within a run is kept', async () => {
  const { payload, reads, piece } = await open()
  await piece(0)
  await piece(5 * pieceBytes, 'b')
  expect(await piece(pieceBytes + 7, 'a', 50)).toEqual(
    payload.slice(pieceBytes + 7, pieceBytes + 57),
  )
  await piece(6 * pieceBytes, 'b')
  expect(reads).toEqual([0, 5 * pieceBytes])
})

test('what was read is forgotten after a second, so a payload that rotted and came again is not given damaged', async () => {
  const { store, payload, blob, time, piece } = await open()
  store.rot({ kind: 'payload', blob })
  expect(hashBytes((await piece(4 * pieceBytes))!)).not.toBe(
    hashBytes(payload.slice(4 * pieceBytes, 5 * pieceBytes)),
  )
  await store.setAsidePayload(blob)
  const writer = await store.payloadWriter({ blob, size })
  await writer.write(payload)
  await writer.finish()
  time.ms += 1000
  expect(await piece(4 * pieceBytes)).toEqual(payload.slice(4 * pieceBytes, 5 * pieceBytes))
})

test('a payload that is not here, or is shorter than it should be, gives nothing', async () => {
  const { store, blob } = await open()
  const reader = new ChunkReader(store, () => 0)
  const asked = { by: 'a', offset: 0, length: pieceBytes }
  expect(await reader.piece({ ...asked, blob: hashBytes(someBytes(3, 3)), size })).toBeNull()
  expect(await reader.piece({ ...asked, blob, size: 2 * size, offset: size, length: 5 })).toBeNull()
})
