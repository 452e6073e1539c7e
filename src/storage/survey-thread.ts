/**
 * The thread that counts one half of very many items (survey-items.ts). It has the same LevelDB open
 * as the thread that it was started by, reads, answers, and closes its side.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Level } from 'level'
import type { Bytes } from '../base/bytes.ts'
import { invariant } from '../base/invariant.ts'
import { LEVEL_ENCODINGS } from './level-table.ts'
import { countItems, type ThreadTask } from './survey-items.ts'

invariant(parentPort !== null, 'this file is run as a thread')
const { location, ...task } = workerData as ThreadTask
const db = new Level<string, Bytes>(location, {
  ...LEVEL_ENCODINGS,
  createIfMissing: false,
  multithreading: true,
})
await db.open({ passive: false })
try {
  const count = await countItems(db, task)
  parentPort.postMessage(
    count,
    count.seen === null ? [] : [count.seen.entries.buffer as ArrayBuffer],
  )
} finally {
  await db.close()
}
