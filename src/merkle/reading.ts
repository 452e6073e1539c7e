/**
 * Reading a tree by prefixes. A prefix may lie deeper than the tree has nodes: then the entries
 * below it are a part of a leaf, and its children's hashes are made from them as if the nodes
 * existed. So two trees can be compared at any prefix, however different their shapes.
 */
import { type Bytes, newBytes } from '../base/bytes.ts'
import { hashInto } from '../base/hash.ts'
import { BLOCK_BYTES, type Blocks, blockOf, FAN, isInner, leafCount, leafSlot } from './blocks.ts'
import {
  compareHashes,
  ENTRY_BYTES,
  HASH_BYTES,
  LEAF_HEADER_BYTES,
  nibbleAt,
  nibbleOf,
  type Prefix,
  writeLeafHeader,
} from './entry.ts'
import { PAGE_HEAD_BYTES, type Pages } from './pages.ts'

/** What a tree is made of. */
export interface Parts {
  readonly blocks: Blocks
  readonly pages: Pages
}

/** Takes one entry, 64 bytes of `chunk` from `at` on; answers whether it wants more. */
export type Visit = (chunk: Bytes, at: number) => boolean

/** Entries of a page: those numbered from `from` up to `to` (excluded), beginning at `start`. */
interface Run {
  readonly chunk: Bytes
  readonly start: number
  readonly from: number
  readonly to: number
}

/** Entries whose id-hash begins with the prefix. */
export function countBelow(parts: Parts, prefix: Prefix): number {
  const { node, depth } = locate(parts, prefix)
  const ref = parts.blocks.refs[node]!
  if (isInner(ref)) return parts.blocks.counts[blockOf(ref)]!
  const run = runBelow(parts, ref, depth, prefix)
  return run.to - run.from
}

/** The hashes of the 16 children of a node, 512 bytes; the tree must have been rehashed. */
export function childHashesOf(parts: Parts, prefix: Prefix): Bytes {
  const { blocks } = parts
  const { node, depth } = locate(parts, prefix)
  const ref = blocks.refs[node]!
  if (isInner(ref)) {
    const start = blocks.hashStart(blockOf(ref) * FAN)
    return blocks.hashChunk(blockOf(ref)).slice(start, start + BLOCK_BYTES)
  }
  return hashesOfRun(runBelow(parts, ref, depth, prefix), prefix.length)
}

/**
 * Visits the entries below a prefix in ascending order, after the id-hash `after` if given.
 * Answers whether it came to the end.
 */
export function visitBelow(
  parts: Parts,
  prefix: Prefix,
  after: Bytes | null,
  visit: Visit,
): boolean {
  const { node, depth } = locate(parts, prefix)
  const ref = parts.blocks.refs[node]!
  if (isInner(ref)) {
    const order = after === null ? 1 : orderOf(prefix, after)
    return order < 0 || visitNode(parts, node, depth, order > 0 ? null : after, visit)
  }
  return visitRun(runBelow(parts, ref, depth, prefix), after, visit)
}

/** The entries below a prefix, side by side, ascending: a copy. */
export function copyBelow(parts: Parts, prefix: Prefix): Bytes {
  const copy = newBytes(countBelow(parts, prefix) * ENTRY_BYTES)
  const { node, depth } = locate(parts, prefix)
  const ref = parts.blocks.refs[node]!
  if (isInner(ref)) copyNode(parts, node, copy, 0)
  else copyRun(runBelow(parts, ref, depth, prefix), copy, 0)
  return copy
}

/** The deepest node on the way to a prefix: that of the prefix, or the leaf above it. */
function locate(parts: Parts, prefix: Prefix): { node: number; depth: number } {
  const { refs } = parts.blocks
  let node = 0
  let depth = 0
  while (depth < prefix.length && isInner(refs[node]!)) {
    node = blockOf(refs[node]!) * FAN + nibbleOf(prefix, depth)
    depth++
  }
  return { node, depth }
}

/** The part of a leaf at `depth` that lies below a prefix. */
function runBelow(parts: Parts, ref: number, depth: number, prefix: Prefix): Run {
  const count = leafCount(ref)
  if (count === 0) return { chunk: new Uint8Array(0), start: 0, from: 0, to: 0 }
  const slot = leafSlot(ref)
  const chunk = parts.pages.chunk(count, slot)
  const start = parts.pages.start(count, slot) + PAGE_HEAD_BYTES
  let from = 0
  let to = count
  for (let digit = depth; digit < prefix.length; digit++) {
    const nibble = nibbleOf(prefix, digit)
    while (from < to && nibbleAt(chunk, start + from * ENTRY_BYTES, digit) !== nibble) from++
    while (from < to && nibbleAt(chunk, start + (to - 1) * ENTRY_BYTES, digit) !== nibble) to--
  }
  return { chunk, start, from, to }
}

/** The hashes of the children that a part of a leaf would have at `depth`. */
function hashesOfRun(run: Run, depth: number): Bytes {
  const hashes = new Uint8Array(BLOCK_BYTES)
  const bytes = LEAF_HEADER_BYTES + (run.to - run.from) * ENTRY_BYTES
  const preimage = new Uint8Array(bytes)
  for (let from = run.from; from < run.to; ) {
    const nibble = nibbleAt(run.chunk, run.start + from * ENTRY_BYTES, depth)
    let to = from
    while (to < run.to && nibbleAt(run.chunk, run.start + to * ENTRY_BYTES, depth) === nibble) to++
    const entries = run.chunk.subarray(run.start + from * ENTRY_BYTES, run.start + to * ENTRY_BYTES)
    writeLeafHeader(preimage, 0, to - from)
    preimage.set(entries, LEAF_HEADER_BYTES)
    const end = LEAF_HEADER_BYTES + entries.length
    hashInto(preimage, 0, end, hashes, nibble * HASH_BYTES)
    from = to
  }
  return hashes
}

function visitNode(
  parts: Parts,
  node: number,
  depth: number,
  after: Bytes | null,
  visit: Visit,
): boolean {
  const ref = parts.blocks.refs[node]!
  if (!isInner(ref)) return visitRun(runBelow(parts, ref, 0, ''), after, visit)
  const edge = after === null ? -1 : nibbleAt(after, 0, depth)
  for (let nibble = Math.max(edge, 0); nibble < FAN; nibble++) {
    const child = blockOf(ref) * FAN + nibble
    if (!visitNode(parts, child, depth + 1, nibble === edge ? after : null, visit)) return false
  }
  return true
}

function visitRun(run: Run, after: Bytes | null, visit: Visit): boolean {
  for (let i = run.from; i < run.to; i++) {
    const at = run.start + i * ENTRY_BYTES
    if (after !== null && compareHashes(run.chunk, at, after, 0) <= 0) continue
    if (!visit(run.chunk, at)) return false
  }
  return true
}

/** Copies the entries below a node to `target` from `at` on; answers where they end. */
function copyNode(parts: Parts, node: number, target: Bytes, at: number): number {
  const ref = parts.blocks.refs[node]!
  if (!isInner(ref)) return copyRun(runBelow(parts, ref, 0, ''), target, at)
  let end = at
  for (let nibble = 0; nibble < FAN; nibble++)
    end = copyNode(parts, blockOf(ref) * FAN + nibble, target, end)
  return end
}

function copyRun({ chunk, start, from, to }: Run, target: Bytes, at: number): number {
  target.set(chunk.subarray(start + from * ENTRY_BYTES, start + to * ENTRY_BYTES), at)
  return at + (to - from) * ENTRY_BYTES
}

/** Where a prefix lies against an id-hash: negative below, 0 the id-hash is under it, positive above. */
function orderOf(prefix: Prefix, idHash: Bytes): number {
  for (let depth = 0; depth < prefix.length; depth++) {
    const difference = nibbleOf(prefix, depth) - nibbleAt(idHash, 0, depth)
    if (difference !== 0) return difference
  }
  return 0
}
