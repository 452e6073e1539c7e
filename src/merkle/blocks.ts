/**
 * The nodes of a tree, in blocks of 16: the children of one inner node, their hashes side by side,
 * so that an inner node is hashed where they lie. Node n is place n mod 16 of block n / 16. Block 0
 * has the root at place 0 and is nobody's children.
 *
 * A node's reference says what it is: 0 empty; bit 31 set: inner, with the block of its children;
 * otherwise a leaf, with the number of its entries (7 bits) and the slot of its page (24 bits).
 * Blocks have no holes: when one is freed the last one moves to its place, and `move` of the tree
 * tells everybody who knows it.
 */
import type { Bytes } from '../base/bytes.ts'
import { HASH_BYTES } from './entry.ts'

/** Children of an inner node. */
export const FAN = 16
/** Bytes of the hashes of one block: the preimage of its parent. */
export const BLOCK_BYTES = FAN * HASH_BYTES

const INNER_BIT = 0x8000_0000
const SLOT_BITS = 24
const SLOT_MASK = 2 ** SLOT_BITS - 1
const BLOCKS_PER_CHUNK = 16
const BLOCKS_AT_FIRST = 4

/** The reference of a leaf. */
export function leafRef(count: number, slot: number): number {
  return count * 2 ** SLOT_BITS + slot
}

/** The reference of an inner node. */
export function innerRef(block: number): number {
  return (INNER_BIT | block) >>> 0
}

/** Whether a node has children. */
export function isInner(ref: number): boolean {
  return ref >= INNER_BIT
}

/** The block of an inner node's children. */
export function blockOf(ref: number): number {
  return ref - INNER_BIT
}

/** Entries of a leaf; 0 for an empty node. */
export function leafCount(ref: number): number {
  return ref >>> SLOT_BITS
}

/** The slot of a leaf's page among those of its size. */
export function leafSlot(ref: number): number {
  return ref & SLOT_MASK
}

export class Blocks {
  /** By node. */
  refs = new Uint32Array(BLOCKS_AT_FIRST * FAN)
  /** By block: the node whose children these are. */
  parents = new Uint32Array(BLOCKS_AT_FIRST)
  /** By block: entries below it. */
  counts = new Uint32Array(BLOCKS_AT_FIRST)
  /** By block: a bit for each child whose hash is out of date. */
  dirty = new Uint16Array(BLOCKS_AT_FIRST)
  #hashes: Bytes[] = []
  #used = 0

  /** Whether there is not even the block of the root. */
  isEmpty(): boolean {
    return this.#used === 0
  }

  /** A new block of empty nodes below `parent`. */
  allocate(parent: number): number {
    const block = this.#used++
    if (block >= this.parents.length) this.#grow(Math.ceil(this.parents.length * 1.5))
    const chunk = Math.floor(block / BLOCKS_PER_CHUNK)
    if (chunk >= this.#hashes.length) {
      this.#hashes.push(new Uint8Array(BLOCKS_PER_CHUNK * BLOCK_BYTES))
    }
    this.refs.fill(0, block * FAN, (block + 1) * FAN)
    const start = this.hashStart(block * FAN)
    this.hashChunk(block).fill(0, start, start + BLOCK_BYTES)
    this.parents[block] = parent
    this.counts[block] = 0
    this.dirty[block] = 0
    return block
  }

  /** Frees a block. Answers the block that moved to its place (by its former number), or −1. */
  free(block: number): number {
    const last = --this.#used
    let moved = -1
    if (block !== last) {
      this.refs.copyWithin(block * FAN, last * FAN, (last + 1) * FAN)
      const from = this.hashStart(last * FAN)
      const hashes = this.hashChunk(last).subarray(from, from + BLOCK_BYTES)
      this.hashChunk(block).set(hashes, this.hashStart(block * FAN))
      this.parents[block] = this.parents[last]!
      this.counts[block] = this.counts[last]!
      this.dirty[block] = this.dirty[last]!
      moved = last
    }
    this.#release()
    return moved
  }

  /** The buffer in which the hashes of a block lie. */
  hashChunk(block: number): Bytes {
    return this.#hashes[Math.floor(block / BLOCKS_PER_CHUNK)]!
  }

  /** Where in its buffer the hash of a node begins. */
  hashStart(node: number): number {
    return (node % (BLOCKS_PER_CHUNK * FAN)) * HASH_BYTES
  }

  /** A copy that shares nothing with this one. */
  clone(): Blocks {
    const copy = new Blocks()
    copy.refs = this.refs.slice()
    copy.parents = this.parents.slice()
    copy.counts = this.counts.slice()
    copy.dirty = this.dirty.slice()
    copy.#hashes = this.#hashes.map(chunk => chunk.slice())
    copy.#used = this.#used
    return copy
  }

  /** Bytes held. */
  bytes(): number {
    const perBlock = FAN * 4 + 4 + 4 + 2
    return this.#hashes.length * BLOCKS_PER_CHUNK * BLOCK_BYTES + this.parents.length * perBlock
  }

  /** Gives back what is far from being used. */
  #release(): void {
    const needed = Math.ceil(this.#used / BLOCKS_PER_CHUNK)
    if (this.#hashes.length > needed + 1) this.#hashes.length = needed
    if (this.parents.length > Math.max(BLOCKS_AT_FIRST, 3 * this.#used)) this.#grow(this.#used * 2)
  }

  /** Room for so many blocks; those in use stay. */
  #grow(blocks: number): void {
    const keep = Math.min(blocks, this.parents.length)
    const refs = new Uint32Array(blocks * FAN)
    refs.set(this.refs.subarray(0, keep * FAN))
    const parents = new Uint32Array(blocks)
    parents.set(this.parents.subarray(0, keep))
    const counts = new Uint32Array(blocks)
    counts.set(this.counts.subarray(0, keep))
    const dirty = new Uint16Array(blocks)
    dirty.set(this.dirty.subarray(0, keep))
    this.refs = refs
    this.parents = parents
    this.counts = counts
    this.dirty = dirty
  }
}
