/**
 * A payload of 1 GiB: into one member, across to the other, and out of it, each beside what the
 * machine does with as many bytes, and how much memory each member took for it.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Row } from '../bench.ts'
import { fileFloor } from '../floors/disk.ts'
import { forgetPeak, memoryOf } from '../machine.ts'
import type { Members } from '../members.ts'
import { until } from '../pump.ts'
import { download, upload } from '../socket.ts'

const PIECE_BYTES = 1 << 20
const pieces = randomBytes(8 * PIECE_BYTES)

/** Bytes that nothing compresses, made without cost. */
function pieceAt(offset: number): Uint8Array {
  const at = offset % (7 * PIECE_BYTES)
  return pieces.subarray(at, at + PIECE_BYTES)
}

export const payload: Row = {
  name: 'payload',
  about: 'a payload of 1 GiB in, across and out',
  isLarge: true,
  async run(bench: Bench) {
    await bench.end()
    const size = bench.size(64, 1024) << 20
    const members = await bench.form(2)
    try {
      await fileFloor(size >> 3, pieceAt) // the first one also makes room in the caches
      const file = await fileFloor(size, pieceAt)
      const stream = await bench.stream()
      const [m1, m2] = [members.all[0]!, members.all[1]!]
      const MBs = (ms: number) => size / 1e3 / ms
      const inMs = await remembered(bench, members, 'in', async () => {
        const begin = performance.now()
        await upload(m1.socket, { id: 'large', size, wait: 'pending' }, pieceAt)
        return performance.now() - begin
      })
      const inAt = performance.now()
      const { blob } = await m1.client.call<{ blob: string }>('head', { id: 'large' })
      const path = join(m2.store, 'blobs', blob.slice(0, 2), blob.slice(2))
      const acrossMs = await remembered(bench, members, 'across', async () => {
        const isThere = async () => existsSync(path)
        await until('the other member has it', isThere, { ms: 600_000, everyMs: 5 })
        return performance.now() - inAt
      })
      const outMs = await remembered(bench, members, 'out', async () => {
        const begin = performance.now()
        await download(m2.socket, 'large')
        return performance.now() - begin
      })
      const note = `${size >> 20} MiB`
      bench.add('in', MBs(inMs), 'MB/s', {
        floor: { name: 'SHA-256, write, fsync', value: file.inMBs },
        note,
      })
      bench.add('across', MBs(acrossMs), 'MB/s', {
        floor: { name: 'raw libp2p stream', value: stream },
      })
      bench.add('out', MBs(outMs), 'MB/s', {
        floor: { name: 'read, SHA-256', value: file.outMBs },
      })
    } finally {
      await members.end()
    }
  },
}

/** Runs something, and adds how much memory each member took for it. */
async function remembered(
  bench: Bench,
  members: Members,
  what: string,
  run: () => Promise<number>,
): Promise<number> {
  const before = members.all.map(({ pid }) => {
    forgetPeak(pid)
    return memoryOf(pid).now
  })
  const ms = await run()
  for (const [at, { name, pid }] of members.all.entries()) {
    const added = (memoryOf(pid).peak - before[at]!) / 2 ** 20
    bench.add(`added memory, ${what}, ${name}`, added, 'MiB')
  }
  return ms
}
