/**
 * Hashes are made late: a write marks the way from its leaf up to the root, and only when a hash is
 * wanted the marked nodes are hashed, leaves first. So a lone write costs one hash a level, and a
 * thousand writes share those of the upper levels.
 */
import { hashInto } from '../base/hash.ts'
import { BLOCK_BYTES, type Blocks, blockOf, FAN, isInner, leafCount, leafSlot } from './blocks.ts'
import { ENTRY_BYTES, HASH_BYTES, LEAF_HEADER_BYTES } from './entry.ts'
import { type Pages, PREIMAGE_AT } from './pages.ts'

/** Brings the hash of a marked node, and all marked ones below it, up to date. */
export function rehash(blocks: Blocks, pages: Pages, node: number): void {
  const ref = blocks.refs[node]!
  const target = blocks.hashChunk(Math.floor(node / FAN))
  const at = blocks.hashStart(node)
  if (isInner(ref)) {
    const block = blockOf(ref)
    rehashBlock(blocks, pages, block)
    const start = blocks.hashStart(block * FAN)
    hashInto(blocks.hashChunk(block), start, start + BLOCK_BYTES, target, at)
    return
  }
  const count = leafCount(ref)
  if (count === 0) {
    target.fill(0, at, at + HASH_BYTES)
    return
  }
  const slot = leafSlot(ref)
  const start = pages.start(count, slot) + PREIMAGE_AT
  const end = start + LEAF_HEADER_BYTES + count * ENTRY_BYTES
  hashInto(pages.chunk(count, slot), start, end, target, at)
}

/** Brings all marked nodes of a block up to date. */
export function rehashBlock(blocks: Blocks, pages: Pages, block: number): void {
  const dirty = blocks.dirty[block]!
  if (dirty === 0) return
  for (let place = 0; place < FAN; place++) {
    if ((dirty & (1 << place)) !== 0) rehash(blocks, pages, block * FAN + place)
  }
  blocks.dirty[block] = 0
}
