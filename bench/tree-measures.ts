/**
 * What the tree costs in process: a build with its root, single writes, and a tick of a thousand;
 * each as numbers, beside the SHA-256 that it cannot do without. `tree.ts` prints them at length,
 * `npm run bench` as a row.
 */
import { randomFillSync } from 'node:crypto'
import { hashInto } from '../src/base/hash.ts'
import { MerkleTree } from '../src/merkle/tree.ts'
import { percentile } from './figures.ts'

const ENTRY_BYTES = 64
const TICK_WRITES = 1000

/** Random entries: hash of an id, hash of a leaf. */
export function randomEntries(count: number): Uint8Array {
  const bytes = new Uint8Array(count * ENTRY_BYTES)
  for (let at = 0; at < bytes.length; at += 2 ** 24)
    randomFillSync(bytes, at, Math.min(2 ** 24, bytes.length - at))
  return bytes
}

/** Milliseconds of one run. */
export function timed(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

/** Microseconds of one SHA-256 over so many bytes. */
export function shaUs(bytes: number): number {
  const source = new Uint8Array(bytes)
  const target = new Uint8Array(32)
  const run = () => {
    for (let i = 0; i < 50_000; i++) hashInto(source, 0, bytes, target, 0)
  }
  run()
  return (timed(run) * 1000) / 50_000
}

/** What cannot be done without: the hashes of one write and of a million items. */
export function treeFloors(items: number) {
  const [sha64, sha512, shaLeaf] = [shaUs(64), shaUs(512), shaUs(8 + ENTRY_BYTES * 15)]
  const buildMs = ((65536 * shaLeaf + 4369 * sha512) / 1000) * (items / 1_000_000)
  return { sha64, sha512, shaLeaf, writeUs: shaLeaf + 4 * sha512 + sha64, buildMs }
}

/** An entry with another leaf hash, drawn among those of the tree. */
export function overwrite(entries: Uint8Array, into: Uint8Array): void {
  const at = Math.floor((Math.random() * entries.length) / ENTRY_BYTES) * ENTRY_BYTES
  into.set(entries.subarray(at, at + 32))
  randomFillSync(into, 32, 32)
}

/** A tree of all entries with its root, and milliseconds of each. */
export function buildTree(entries: Uint8Array) {
  const tree = new MerkleTree()
  const putMs = timed(() => tree.setEntries(entries))
  const rootMs = timed(() => tree.root())
  return { tree, putMs, rootMs }
}

/** Microseconds of one write with the root, p50 and p99. */
export function measureWrites(
  tree: MerkleTree,
  entries: Uint8Array,
  kind: 'overwrite' | 'add' | 'remove',
  count: number,
): { readonly p50Us: number; readonly p99Us: number } {
  const entry = new Uint8Array(ENTRY_BYTES)
  const added: string[] = []
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    if (kind === 'overwrite') overwrite(entries, entry)
    else randomFillSync(entry)
    const hex = Buffer.from(entry).toString('hex')
    const [id, leaf] = [hex.slice(0, 64), hex.slice(64)]
    if (kind === 'remove') {
      tree.set(id, leaf)
      tree.root()
    }
    const write = () => {
      tree.set(id, kind === 'remove' ? null : leaf)
      tree.root()
    }
    times.push(timed(write) * 1000)
    if (kind === 'add') added.push(id)
  }
  for (const id of added) tree.set(id, null)
  return { p50Us: percentile(times, 0.5), p99Us: percentile(times, 0.99) }
}

/** Milliseconds of a thousand scattered writes with one root, p50 and p99. */
export function measureTicks(tree: MerkleTree, entries: Uint8Array, ticks: number) {
  const times: number[] = []
  for (let tick = 0; tick < ticks; tick++) {
    const batch = new Uint8Array(TICK_WRITES * ENTRY_BYTES)
    for (let at = 0; at < batch.length; at += ENTRY_BYTES)
      overwrite(entries, batch.subarray(at, at + ENTRY_BYTES))
    const write = () => {
      tree.setEntries(batch)
      tree.root()
    }
    times.push(timed(write))
  }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}
