/**
 * The canonical trie of entries: which nodes there are and which entries lie where, without the
 * hashes. A node with more than LEAF_ENTRIES_MAX entries has children, every other is a leaf, after
 * each put and each removal. Who changes an entry marks the way from it to the root as dirty.
 *
 * Blocks and pages have no holes, so whoever frees one tells the owner of the one that moved.
 */
import type { Bytes } from '../base/bytes.ts'
import { invariant } from '../base/invariant.ts'
import { Blocks, blockOf, FAN, innerRef, isInner, leafCount, leafRef, leafSlot } from './blocks.ts'
import { compareHashes, ENTRY_BYTES, HASH_BYTES, LEAF_ENTRIES_MAX, nibbleAt } from './entry.ts'
import { PAGE_HEAD_BYTES, Pages } from './pages.ts'
import { sortedEntries } from './sorted.ts'

/** The one place of block 0: the root of the tree. */
export const ROOT_NODE = 0

const NO_PAGE = new Uint8Array(0)

export class Shape {
  readonly blocks: Blocks
  readonly pages: Pages
  /** Entries in all. */
  count = 0

  constructor(blocks: Blocks = new Blocks(), pages: Pages = new Pages()) {
    this.blocks = blocks
    this.pages = pages
    if (blocks.isEmpty()) blocks.allocate(ROOT_NODE)
  }

  /** A copy that shares nothing with this one. */
  clone(): Shape {
    const copy = new Shape(this.blocks.clone(), this.pages.clone())
    copy.count = this.count
    return copy
  }

  /**
   * Lays entries (64 bytes each, in any order) out in an empty trie: each goes to its place once,
   * where `put` by `put` leaves are copied and split as they grow.
   */
  fill(entries: Bytes): void {
    invariant(this.count === 0, 'only an empty trie is filled')
    const order = sortedEntries(entries)
    const page = new Uint8Array(LEAF_ENTRIES_MAX * ENTRY_BYTES)
    const lay = (node: number, depth: number, from: number, until: number): void => {
      this.blocks.dirty[Math.floor(node / FAN)]! |= 1 << (node % FAN)
      if (until - from <= LEAF_ENTRIES_MAX) {
        for (let at = from; at < until; at++) {
          copyEntry(entries, order[at]! * ENTRY_BYTES, page, (at - from) * ENTRY_BYTES)
        }
        this.#fillEmpty(node, until - from, page.subarray(0, (until - from) * ENTRY_BYTES))
        return
      }
      const block = this.blocks.allocate(node)
      this.blocks.refs[node] = innerRef(block)
      this.blocks.counts[block] = until - from
      for (let first = from; first < until; ) {
        const nibble = nibbleAt(entries, order[first]! * ENTRY_BYTES, depth)
        let next = first + 1
        while (next < until && nibbleAt(entries, order[next]! * ENTRY_BYTES, depth) === nibble) {
          next++
        }
        lay(block * FAN + nibble, depth + 1, first, next)
        first = next
      }
    }
    if (order.length > 0) lay(ROOT_NODE, 0, 0, order.length)
    this.count = order.length
  }

  /** Puts the entry at `at` of `source` (64 bytes); answers whether anything changed. */
  put(source: Bytes, at: number): boolean {
    let node = this.leafFor(source, at)
    let ref = this.blocks.refs[node]!
    const index = this.search(ref, source, at)
    if (index >= 0) {
      return this.#overwrite(node, this.entriesAt(ref) + index * ENTRY_BYTES, source, at)
    }
    while (leafCount(ref) === LEAF_ENTRIES_MAX) {
      this.#split(node)
      node = this.leafFor(source, at)
      ref = this.blocks.refs[node]!
    }
    this.#insert(node, ~this.search(ref, source, at), source, at)
    this.#touch(node, 1)
    return true
  }

  #overwrite(node: number, entryAt: number, source: Bytes, at: number): boolean {
    const ref = this.blocks.refs[node]!
    const chunk = this.pages.chunk(leafCount(ref), leafSlot(ref))
    if (compareHashes(chunk, entryAt + HASH_BYTES, source, at + HASH_BYTES) === 0) return false
    for (let i = HASH_BYTES; i < ENTRY_BYTES; i++) chunk[entryAt + i] = source[at + i]!
    this.#touch(node, 0)
    return true
  }

  /** Takes out the entry of the id-hash at `at` of `source`; answers whether it was there. */
  remove(source: Bytes, at: number): boolean {
    const node = this.leafFor(source, at)
    const ref = this.blocks.refs[node]!
    const index = this.search(ref, source, at)
    if (index < 0) return false
    this.#resize(node, leafCount(ref) - 1, (from, fromAt, to, toAt) => {
      const gap = fromAt + index * ENTRY_BYTES
      to.set(from.subarray(fromAt, gap), toAt)
      const end = fromAt + leafCount(ref) * ENTRY_BYTES
      to.set(from.subarray(gap + ENTRY_BYTES, end), toAt + index * ENTRY_BYTES)
    })
    this.#touch(node, -1)
    this.#collapse(source, at)
    return true
  }

  #insert(node: number, index: number, source: Bytes, at: number): void {
    const count = leafCount(this.blocks.refs[node]!)
    this.#resize(node, count + 1, (from, fromAt, to, toAt) => {
      const gap = index * ENTRY_BYTES
      to.set(from.subarray(fromAt, fromAt + gap), toAt)
      to.set(source.subarray(at, at + ENTRY_BYTES), toAt + gap)
      const end = fromAt + count * ENTRY_BYTES
      to.set(from.subarray(fromAt + gap, end), toAt + gap + ENTRY_BYTES)
    })
  }

  /** Gives a leaf a page of another size, filled by `fill`; either size may be 0: no page. */
  #resize(
    node: number,
    count: number,
    fill: (from: Bytes, fromAt: number, to: Bytes, toAt: number) => void,
  ): void {
    const { refs } = this.blocks
    const old = refs[node]!
    const oldCount = leafCount(old)
    const from = oldCount === 0 ? NO_PAGE : this.pages.chunk(oldCount, leafSlot(old))
    const fromAt = oldCount === 0 ? 0 : this.entriesAt(old)
    if (count === 0) {
      refs[node] = 0
    } else {
      const slot = this.pages.allocate(count, node)
      refs[node] = leafRef(count, slot)
      fill(from, fromAt, this.pages.chunk(count, slot), this.entriesAt(refs[node]!))
    }
    this.#freePage(old)
  }

  /** A full leaf becomes an inner node over leaves. */
  #split(node: number): void {
    const blocks = this.blocks
    const old = blocks.refs[node]!
    const depth = this.#depthOf(node)
    const block = blocks.allocate(node)
    const from = this.pages.chunk(LEAF_ENTRIES_MAX, leafSlot(old))
    const start = this.entriesAt(old)
    for (let first = 0; first < LEAF_ENTRIES_MAX; ) {
      const nibble = nibbleAt(from, start + first * ENTRY_BYTES, depth)
      let next = first + 1
      while (
        next < LEAF_ENTRIES_MAX &&
        nibbleAt(from, start + next * ENTRY_BYTES, depth) === nibble
      ) {
        next++
      }
      const entries = from.subarray(start + first * ENTRY_BYTES, start + next * ENTRY_BYTES)
      this.#fillEmpty(block * FAN + nibble, next - first, entries)
      first = next
    }
    blocks.counts[block] = LEAF_ENTRIES_MAX
    blocks.refs[node] = innerRef(block)
    this.#freePage(old)
  }

  /** Gives an empty node a page of its own with these entries, and marks it in its block. */
  #fillEmpty(node: number, count: number, entries: Bytes): void {
    const slot = this.pages.allocate(count, node)
    const ref = leafRef(count, slot)
    this.pages.chunk(count, slot).set(entries, this.entriesAt(ref))
    this.blocks.refs[node] = ref
    this.blocks.dirty[Math.floor(node / FAN)]! |= 1 << (node % FAN)
  }

  /** After a removal: the topmost node on the way that has no right to children becomes a leaf. */
  #collapse(source: Bytes, at: number): void {
    const { refs, counts } = this.blocks
    let node = ROOT_NODE
    for (let depth = 0; isInner(refs[node]!); depth++) {
      const block = blockOf(refs[node]!)
      if (counts[block]! <= LEAF_ENTRIES_MAX) {
        this.#gather(node, counts[block]!)
        return
      }
      node = block * FAN + nibbleAt(source, at, depth)
    }
  }

  /** An inner node becomes a leaf with all entries below it. */
  #gather(node: number, count: number): void {
    const entries = new Uint8Array(count * ENTRY_BYTES)
    const below: number[] = []
    let filled = 0
    const take = (inner: number): void => {
      const block = blockOf(this.blocks.refs[inner]!)
      below.push(block)
      for (let child = block * FAN; child < (block + 1) * FAN; child++) {
        const ref = this.blocks.refs[child]!
        if (isInner(ref)) take(child)
        else if (ref !== 0) {
          const start = this.entriesAt(ref)
          const bytes = leafCount(ref) * ENTRY_BYTES
          const chunk = this.pages.chunk(leafCount(ref), leafSlot(ref))
          entries.set(chunk.subarray(start, start + bytes), filled)
          filled += bytes
          this.blocks.refs[child] = 0
          this.#freePage(ref)
        }
      }
    }
    take(node)
    this.#fillEmpty(node, count, entries)
    // Highest first: what moves into a freed place is then never itself to be freed.
    below.sort((a, b) => b - a)
    for (const block of below) this.#freeBlock(block)
  }

  #freePage(ref: number): void {
    const count = leafCount(ref)
    if (count === 0) return
    const slot = leafSlot(ref)
    const moved = this.pages.free(count, slot)
    if (moved >= 0) this.blocks.refs[moved] = leafRef(count, slot)
  }

  #freeBlock(block: number): void {
    const blocks = this.blocks
    if (blocks.free(block) < 0) return
    blocks.refs[blocks.parents[block]!] = innerRef(block)
    for (let child = block * FAN; child < (block + 1) * FAN; child++) {
      const ref = blocks.refs[child]!
      if (isInner(ref)) blocks.parents[blockOf(ref)] = child
      else if (ref !== 0) this.pages.setOwner(leafCount(ref), leafSlot(ref), child)
    }
  }

  /** Marks the way from a node to the root, and counts what came or went. */
  #touch(node: number, change: number): void {
    const { dirty, counts, parents } = this.blocks
    let child = node
    for (;;) {
      const block = Math.floor(child / FAN)
      dirty[block]! |= 1 << (child % FAN)
      if (block === 0) break
      counts[block]! += change
      child = parents[block]!
    }
    this.count += change
  }

  /** The leaf (or empty node) in which an id-hash belongs. */
  leafFor(source: Bytes, at: number): number {
    const { refs } = this.blocks
    let node = ROOT_NODE
    for (let depth = 0; ; depth++) {
      const ref = refs[node]!
      if (!isInner(ref)) return node
      node = blockOf(ref) * FAN + nibbleAt(source, at, depth)
    }
  }

  /** The number of an id-hash's entry in a leaf, or the complement of where it would be. */
  search(ref: number, source: Bytes, at: number): number {
    let low = 0
    let high = leafCount(ref)
    if (high === 0) return ~0
    const chunk = this.pages.chunk(high, leafSlot(ref))
    const start = this.entriesAt(ref)
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = compareHashes(chunk, start + middle * ENTRY_BYTES, source, at)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return ~low
  }

  /** Where the entries of a leaf begin in the buffer of its page. */
  entriesAt(ref: number): number {
    return this.pages.start(leafCount(ref), leafSlot(ref)) + PAGE_HEAD_BYTES
  }

  #depthOf(node: number): number {
    let depth = 0
    for (let block = Math.floor(node / FAN); block !== 0; depth++) {
      block = Math.floor(this.blocks.parents[block]! / FAN)
    }
    return depth
  }
}

/** By hand: for 64 bytes a view of them costs more than they do. */
function copyEntry(from: Bytes, fromAt: number, to: Bytes, toAt: number): void {
  for (let i = 0; i < ENTRY_BYTES; i++) to[toAt + i] = from[fromAt + i]!
}
