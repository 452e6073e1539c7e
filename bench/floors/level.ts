/**
 * What LevelDB alone can do: records of 1 KiB with one sync call for so many, and a scan over the
 * records of a store that no daemon has open.
 */
import { join } from 'node:path'
import { Level } from 'level'
import { makeFolder, removeFolder } from '../daemon.ts'

/** As the product opens it. */
const CACHE_BYTES = 16 << 20
/** Records of one step of a scan. */
const STEP = 1000

/** Records/s that LevelDB writes with one sync call for every `batch` of them. */
export async function levelFloor(batch: number, seconds: number): Promise<number> {
  const folder = makeFolder()
  const db = new Level<string, Buffer>(folder, { valueEncoding: 'buffer' })
  const value = Buffer.alloc(1024, 'y')
  const begin = performance.now()
  let written = 0
  while (performance.now() - begin < seconds * 1000) {
    const from = written
    const operations = Array.from({ length: batch }, (_, at) => ({
      type: 'put' as const,
      key: `${from + at}`,
      value,
    }))
    await db.batch(operations, { sync: true })
    written += batch
  }
  const perSecond = written / ((performance.now() - begin) / 1000)
  await db.close()
  removeFolder(folder)
  return perSecond
}

/** Seconds of opening a closed store's LevelDB and reading all records of some tables, and counts. */
export async function scanFloor(
  store: string,
  tables: readonly string[],
): Promise<{ readonly seconds: number; readonly records: number; readonly bytes: number }> {
  const begin = performance.now()
  const db = new Level<string, Uint8Array>(join(store, 'db'), {
    valueEncoding: 'view',
    createIfMissing: false,
    cacheSize: CACHE_BYTES,
  })
  let [records, bytes] = [0, 0]
  for (const table of tables) {
    const until = String.fromCharCode(table.charCodeAt(0) + 1)
    const iterator = db.iterator({ gte: table, lt: until, highWaterMarkBytes: 1 << 20 })
    for (;;) {
      const rows = await iterator.nextv(STEP)
      if (rows.length === 0) break
      records += rows.length
      for (const [key, value] of rows) bytes += key.length + value.length
    }
    await iterator.close()
  }
  const seconds = (performance.now() - begin) / 1000
  await db.close()
  return { seconds, records, bytes }
}
