/**
 * The Merkle tree over items: id-hash → leaf hash. Its root, with the count, is the storage hash.
 *
 * It is canonical: shape and hashes follow from the set of entries alone, whatever was written,
 * overwritten or removed in whatever order (entry.ts says how). Hashes are made when they are
 * wanted (rehash.ts). Depth is bounded by the 64 digits of an id-hash; ids are hashed before they
 * come here, so about log16(n / 64) + 1 levels are in use.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Hash } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import { leafCount, leafSlot } from './blocks.ts'
import { ENTRY_BYTES, HASH_BYTES, type Prefix, readHash, storageHash, writeHash } from './entry.ts'
import { childHashesOf, copyBelow, countBelow, type Visit, visitBelow } from './reading.ts'
import { rehash } from './rehash.ts'
import { ROOT_NODE, Shape } from './shape.ts'

/** The storage hash of every empty store (S003-14). */
export const EMPTY_ROOT: Hash = storageHash(0, new Uint8Array(HASH_BYTES))

export class MerkleTree {
  #shape = new Shape()
  #root: Hash | null = EMPTY_ROOT
  readonly #scratch = new Uint8Array(ENTRY_BYTES)

  /** Entries in the tree. */
  get count(): number {
    return this.#shape.count
  }

  /** Gives an item its leaf hash; null takes the item out. */
  set(idHash: Hash, leaf: Hash | null): void {
    writeHash(idHash, this.#scratch, 0)
    if (leaf === null) {
      if (this.#shape.remove(this.#scratch, 0)) this.#root = null
      return
    }
    writeHash(leaf, this.#scratch, HASH_BYTES)
    if (this.#shape.put(this.#scratch, 0)) this.#root = null
  }

  /**
   * Puts many entries at once: 64 bytes each (id-hash, leaf hash), in any order; the last one of an
   * id-hash counts. An empty tree takes them in a fraction of the time.
   */
  setEntries(entries: Bytes): void {
    invariant(entries.length % ENTRY_BYTES === 0, 'an entry has 64 bytes')
    if (this.#shape.count === 0) {
      this.#shape.fill(entries)
      if (entries.length > 0) this.#root = null
      return
    }
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      if (this.#shape.put(entries, at)) this.#root = null
    }
  }

  /** The leaf hash of an item. */
  get(idHash: Hash): Hash | undefined {
    writeHash(idHash, this.#scratch, 0)
    const shape = this.#shape
    const ref = shape.blocks.refs[shape.leafFor(this.#scratch, 0)]!
    const index = shape.search(ref, this.#scratch, 0)
    if (index < 0) return undefined
    const chunk = shape.pages.chunk(leafCount(ref), leafSlot(ref))
    return readHash(chunk, shape.entriesAt(ref) + index * ENTRY_BYTES + HASH_BYTES)
  }

  /** Whether an item has a leaf. */
  has(idHash: Hash): boolean {
    writeHash(idHash, this.#scratch, 0)
    const shape = this.#shape
    const ref = shape.blocks.refs[shape.leafFor(this.#scratch, 0)]!
    return shape.search(ref, this.#scratch, 0) >= 0
  }

  /** The storage hash; what has changed since the last call is hashed now. */
  root(): Hash {
    if (this.#root === null) {
      this.#rehash()
      const rootNode = this.#shape.blocks.hashChunk(0).subarray(0, HASH_BYTES)
      this.#root = storageHash(this.#shape.count, rootNode)
    }
    return this.#root
  }

  /** Entries whose id-hash begins with a prefix. */
  countBelow(prefix: Prefix): number {
    return countBelow(this.#shape, prefix)
  }

  /** The hashes of the 16 children of the node at a prefix of at most 63 digits: 512 bytes. */
  childHashes(prefix: Prefix): Bytes {
    this.#rehash()
    return childHashesOf(this.#shape, prefix)
  }

  /**
   * Visits the entries below a prefix in ascending order, after an id-hash if one is given, until
   * the visitor has enough. Answers whether it came to the end. The visitor must not keep the
   * buffer, nor change the tree.
   */
  visit(prefix: Prefix, after: Bytes | null, visit: Visit): boolean {
    return visitBelow(this.#shape, prefix, after, visit)
  }

  /** The entries below a prefix, 64 bytes each, side by side, ascending: a copy. */
  entryBytes(prefix: Prefix): Bytes {
    return copyBelow(this.#shape, prefix)
  }

  /** The entries below a prefix, ascending, as they are now. */
  entries(prefix: Prefix = ''): (readonly [idHash: Hash, leaf: Hash])[] {
    const found: (readonly [Hash, Hash])[] = []
    this.visit(prefix, null, (chunk, at) => {
      found.push([readHash(chunk, at), readHash(chunk, at + HASH_BYTES)])
      return true
    })
    return found
  }

  /** A copy that shares nothing with this tree. */
  clone(): MerkleTree {
    const copy = new MerkleTree()
    copy.#shape = this.#shape.clone()
    copy.#root = this.#root
    return copy
  }

  /** Bytes of memory that the tree holds. */
  bytes(): number {
    return this.#shape.blocks.bytes() + this.#shape.pages.bytes()
  }

  #rehash(): void {
    const { blocks, pages } = this.#shape
    if (blocks.dirty[0] === 0) return
    rehash(blocks, pages, ROOT_NODE)
    blocks.dirty[0] = 0
  }
}
