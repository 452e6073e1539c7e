/**
 * A process that writes to a store until it is killed: items, small and large payloads, several
 * batches in flight. It prints a line for everything that the store promised it, and only then.
 *
 *   node writing-child.ts FOLDER FIRST
 */
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hashBytes } from '../../src/base/hash.ts'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import { agreedAt, chain, itemBatch, pendingAt, someBytes } from './facts.ts'

/** The facts of the item with a number. */
export function factsOf(number: number) {
  return chain(`item ${number}`, 1 + (number % 4))
}

/** The large payload with a number. */
export function largeOf(number: number): Uint8Array {
  return someBytes(20_000 + (number % 50) * 1000, number)
}

async function writeItem(store: LevelStore, number: number): Promise<void> {
  const isPending = number % 3 === 0
  const state = (at: number) => (isPending ? pendingAt(4 * number + at) : agreedAt(number))
  await store.commit(itemBatch(factsOf(number), state))
  writeSync(1, `item ${number}\n`)
}

async function writeLarge(store: LevelStore, number: number): Promise<void> {
  const bytes = largeOf(number)
  const isFetch = number % 2 === 0
  const writer = await store.payloadWriter(
    isFetch ? { blob: hashBytes(bytes), size: bytes.length } : null,
  )
  for (let at = writer.offset; at < bytes.length; at += 7000) {
    await writer.write(bytes.subarray(at, at + 7000))
  }
  await writer.finish()
  writeSync(1, `large ${number}\n`)
}

async function writeForEver(folder: string, first: number): Promise<void> {
  const store = await openLevelStore(folder)
  writeSync(1, 'open\n')
  const open: Promise<void>[] = []
  for (let number = first; ; number++) {
    open.push(writeItem(store, number))
    if (number % 10 === 0) open.push(writeLarge(store, number))
    if (number % 25 === 0)
      store.journalCut({ cut: number, root: hashBytes(largeOf(0)), items: number })
    if (open.length > 20) await open.shift()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeForEver(process.argv[2]!, Number(process.argv[3]))
}
