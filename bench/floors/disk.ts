/**
 * What the disk itself can do: one small append with its sync call, and one large file hashed,
 * written and synced, which is what storing a large payload cannot do without.
 */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../daemon.ts'
import { percentile } from '../figures.ts'

const APPENDS = 500
const PIECE_BYTES = 1 << 20

/** Milliseconds of a 1 KiB append with fdatasync, p50 and p99. */
export function diskFloor(): { readonly p50Ms: number; readonly p99Ms: number } {
  const folder = makeFolder()
  const file = openSync(join(folder, 'file'), 'w')
  const block = Buffer.alloc(1024, 'x')
  const times: number[] = []
  for (let i = 0; i < APPENDS; i++) {
    const begin = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - begin)
  }
  closeSync(file)
  removeFolder(folder)
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

/** MB/s of a file of so many bytes: hashed, written and synced; then read and hashed. */
export async function fileFloor(
  bytes: number,
  pieceAt: (offset: number) => Uint8Array,
): Promise<{ readonly inMBs: number; readonly outMBs: number }> {
  const folder = makeFolder()
  const path = join(folder, 'file')
  let begin = performance.now()
  const file = openSync(path, 'w')
  const written = createHash('sha256')
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = pieceAt(at).subarray(0, Math.min(PIECE_BYTES, bytes - at))
    written.update(piece)
    writeSync(file, piece)
  }
  fsyncSync(file)
  closeSync(file)
  const sum = written.digest('hex')
  const inMBs = bytes / 1e3 / (performance.now() - begin)
  begin = performance.now()
  const read = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES }))
    read.update(piece as Buffer)
  if (read.digest('hex') !== sum) throw new Error('The disk gave other bytes than it took.')
  const outMBs = bytes / 1e3 / (performance.now() - begin)
  removeFolder(folder)
  return { inMBs, outMBs }
}
