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
/** A chunk is about so large: small trees stay small, and large ones have not too many chunks. */
const CHUNK_BYTES = 16 * 1024
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
      size.chunks.push(new Uint8Array(size.slotsPerChunk * size.slotBytes))
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
    // One empty chunk is kept, so that a page that comes and goes does not allocate each time.
    const needed = Math.ceil(size.used / size.slotsPerChunk)
    if (size.used === 0 || size.chunks.length > needed + 1) size.chunks.length = needed
    return moved
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
    return copy
  }

  /** Bytes held. */
  bytes(): number {
    let bytes = 0
    for (const size of this.#sizes) {
      bytes += size.chunks.length * size.slotsPerChunk * size.slotBytes
    }
    return bytes
  }
}
