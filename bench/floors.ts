/**
 * What the machine itself can do in the same run: one fsync, LevelDB with the same fsyncs, one
 * loopback round trip, SHA-256. A figure of ours stands beside its floor, as a ratio.
 */
import { createHash, hash } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { createServer, connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { percentile } from './figures.ts'

/** Milliseconds of a 1 KiB append with fdatasync, p50 and p99. */
export function fsyncFloor(): { readonly p50Ms: number; readonly p99Ms: number } {
  const folder = mkdtempSync(join(tmpdir(), 'veche-floor-'))
  const file = openSync(join(folder, 'file'), 'w')
  const block = Buffer.alloc(1024, 'x')
  const times: number[] = []
  for (let i = 0; i < 300; i++) {
    const begin = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - begin)
  }
  closeSync(file)
  rmSync(folder, { recursive: true })
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

/** Records/s that LevelDB writes with one fsync for every `batch` records of 1 KiB. */
export async function levelFloor(batch: number, seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-floor-'))
  const db = new Level<string, Buffer>(folder, { valueEncoding: 'buffer' })
  const value = Buffer.alloc(1024, 'y')
  const until = performance.now() + seconds * 1000
  let written = 0
  while (performance.now() < until) {
    const operations = Array.from({ length: batch }, (_, at) => ({
      type: 'put' as const,
      key: `${written + at}`,
      value,
    }))
    await db.batch(operations, { sync: true })
    written += batch
  }
  await db.close()
  rmSync(folder, { recursive: true })
  return written / seconds
}

/** Round trips/s of one byte over a Unix socket, one at a time. */
export async function hopFloor(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-floor-'))
  const path = join(folder, 'socket')
  const server = createServer(socket => socket.pipe(socket)).listen(path)
  await new Promise(resolve => server.once('listening', resolve))
  const socket = dial(path)
  const count = 5000
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    const answered = new Promise(resolve => socket.once('data', resolve))
    socket.write('x')
    await answered
  }
  const perSecond = count / ((performance.now() - begin) / 1000)
  socket.destroy()
  server.close()
  rmSync(folder, { recursive: true })
  return perSecond
}

/** SHA-256: hashes/s of 1 KiB, and MB/s of large buffers. */
export function shaFloor(): { readonly smallPerSecond: number; readonly largeMBs: number } {
  const small = Buffer.alloc(1024, 'z')
  let begin = performance.now()
  for (let i = 0; i < 100_000; i++) hash('sha256', small, 'hex')
  const smallPerSecond = 100_000 / ((performance.now() - begin) / 1000)
  const large = Buffer.alloc(8 << 20, 'z')
  begin = performance.now()
  for (let i = 0; i < 32; i++) createHash('sha256').update(large).digest()
  const largeMBs = (32 * 8 * 1.048576) / ((performance.now() - begin) / 1000)
  return { smallPerSecond, largeMBs }
}
