/**
 * The entries of all leaves of a tree: one page a leaf, kept in slots of exactly its size, the
 * slots of one size in chunks. A size has no holes: when a page is freed, the last page of that
 * size moves into its slot and the owner is told. So memory follows the number of entries at every
 * moment, growing or shrinking, and no compaction ever has to run.
 *
 * A slot is: owner (the node, 4 bytes), header of the leaf's preimage (8 bytes), sorted entries;
 * header and entries lie together, so a leaf is hashed where it lies.
 */
import type { Bytes } from '../base/bytes.ts'
import { invariant } from '../base/invariant.ts'
import { ENTRY_BYTES, LEAF_ENTRIES_MAX, LEAF_HEADER_BYTES, writeLeafHeader } from './entry.ts'

const OWNER_BYTES = 4
/** Chunks of all sizes are equally large, so that one that is left serves the next size. */
const CHUNK_BYTES = 32 * 1024
/** Empty chunks that are kept: a few, and of a large tree a share, for pages that come and go. */
const SPARE_CHUNKS = 4
const SPARE_SHARE = 1 / 32
/** References keep a slot in 24 bits. */
const SLOTS_MAX = 2 ** 24

/** From the start of a slot to its first entry. */
export const PAGE_HEAD_BYTES = OWNER_BYTES + LEAF_HEADER_BYTES
/** From the start of a slot to the preimage of its leaf. */
export const PREIMAGE_AT = OWNER_BYTES

interface Size {
  readonly slotBytes: number
  readonly slotsPerChunk: number
  readonly chunks: Bytes[]
  used: number
}

export class Pages {
  readonly #sizes: Size[] = []
  readonly #spare: Bytes[] = []
  #chunks = 0

  constructor() {
    for (let count = 0; count <= LEAF_ENTRIES_MAX; count++) {
      const slotBytes = PAGE_HEAD_BYTES + count * ENTRY_BYTES
      const slotsPerChunk = Math.floor(CHUNK_BYTES / slotBytes)
      this.#sizes.push({ slotBytes, slotsPerChunk, chunks: [], used: 0 })
    }
  }

  /** A new page for `count` entries, its header written, its entries not. Answers the slot. */
  allocate(count: number, owner: number): number {
    const size = this.#sizes[count]!
    const slot = size.used++
    invariant(slot < SLOTS_MAX, 'a tree has at most 2^24 leaves of one size')
    if (slot >= size.chunks.length * size.slotsPerChunk) {
      size.chunks.push(this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES))
      this.#chunks += 1
    }
    this.setOwner(count, slot, owner)
    writeLeafHeader(this.chunk(count, slot), this.start(count, slot) + PREIMAGE_AT, count)
    return slot
  }

  /** Frees a page. Answers the owner of the page that now lies in this slot, or −1. */
  free(count: number, slot: number): number {
    const size = this.#sizes[count]!
    const last = --size.used
    let moved = -1
    if (slot !== last) {
      const from = this.start(count, last)
      const page = this.chunk(count, last).subarray(from, from + size.slotBytes)
      this.chunk(count, slot).set(page, this.start(count, slot))
      moved = this.#owner(count, slot)
    }
    if (last % size.slotsPerChunk === 0) this.#giveBack(size)
    return moved
  }

  /** The last chunk of a size is empty: another size may have it. */
  #giveBack(size: Size): void {
    const chunk = size.chunks.pop()
    this.#chunks -= 1
    const spareMax = SPARE_CHUNKS + Math.floor(this.#chunks * SPARE_SHARE)
    if (chunk !== undefined) this.#spare.push(chunk)
    if (this.#spare.length > spareMax) this.#spare.length = spareMax
  }

  /** The buffer in which a page lies. */
  chunk(count: number, slot: number): Bytes {
    const size = this.#sizes[count]!
    return size.chunks[Math.floor(slot / size.slotsPerChunk)]!
  }

  /** Where in its buffer a page begins. */
  start(count: number, slot: number): number {
    const size = this.#sizes[count]!
    return (slot % size.slotsPerChunk) * size.slotBytes
  }

  /** Tells a page that its node has moved. */
  setOwner(count: number, slot: number, owner: number): void {
    const chunk = this.chunk(count, slot)
    const at = this.start(count, slot)
    chunk[at] = owner >>> 24
    chunk[at + 1] = owner >>> 16
    chunk[at + 2] = owner >>> 8
    chunk[at + 3] = owner
  }

  #owner(count: number, slot: number): number {
    const chunk = this.chunk(count, slot)
    const at = this.start(count, slot)
    const high = (chunk[at]! << 24) | (chunk[at + 1]! << 16)
    return (high | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0
  }

  /** A copy that shares nothing with this one. */
  clone(): Pages {
    const copy = new Pages()
    this.#sizes.forEach((size, count) => {
      const target = copy.#sizes[count]!
      target.used = size.used
      for (const chunk of size.chunks) target.chunks.push(chunk.slice())
    })
    copy.#chunks = this.#chunks
    return copy
  }

  /** Bytes held. */
  bytes(): number {
    return (this.#chunks + this.#spare.length) * CHUNK_BYTES
  }
}
