/**
 * What the tree is made of, as bytes, and the preimages of its hashes. An entry is 64 bytes: the
 * id-hash, then the leaf hash of the item. A node holds the entries whose id-hash begins with its
 * prefix (hex digits). It is a leaf when they are at most LEAF_ENTRIES_MAX, otherwise it has 16
 * children; so shape and hashes follow from the set alone.
 *
 * Preimages: leaf = header of 8 bytes and its entries, ascending (length 8 modulo 64); inner node =
 * the 16 hashes of its children (512 bytes); empty node = 32 zero bytes, not hashed; storage hash =
 * tag, count and root node (56 bytes). The lengths never meet, so no two of them can be confused.
 */
import { type Bytes, hexAt } from '../base/bytes.ts'
import { type Hash, hashBytes } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'

/** Bytes of a hash, and of the half of an entry. */
export const HASH_BYTES = 32
/** Bytes of an entry: id-hash and leaf hash. */
export const ENTRY_BYTES = 64
/** A node with more entries has children. */
export const LEAF_ENTRIES_MAX = 64
/** Bytes of the header of a leaf's preimage. */
export const LEAF_HEADER_BYTES = 8
/** Hex digits of an id-hash: no node lies deeper. */
export const DEPTH_MAX = 64

const LEAF_TAG = 0x4c // L
const LEAF_VERSION = 1
const STORAGE_TAG = 'veche tree 1'
const STORAGE_TAG_BYTES = 16

/** The first hex digits of id-hashes: the name of a node; '' is the root. */
export type Prefix = string

/** Writes the header of a leaf's preimage: tag, version, two zeros, count (big-endian). */
export function writeLeafHeader(target: Bytes, at: number, count: number): void {
  target[at] = LEAF_TAG
  target[at + 1] = LEAF_VERSION
  target.fill(0, at + 2, at + 7)
  target[at + 7] = count // a leaf has at most 64 entries
}

/** The storage hash of a tree with `count` entries and the given root node. */
export function storageHash(count: number, rootNode: Bytes): Hash {
  const preimage = new Uint8Array(STORAGE_TAG_BYTES + 8 + HASH_BYTES)
  for (let i = 0; i < STORAGE_TAG.length; i++) preimage[i] = STORAGE_TAG.charCodeAt(i)
  new DataView(preimage.buffer).setBigUint64(STORAGE_TAG_BYTES, BigInt(count))
  preimage.set(rootNode, STORAGE_TAG_BYTES + 8)
  return hashBytes(preimage)
}

/** The hex digit number `depth` of the id-hash at `at`. */
export function nibbleAt(bytes: Bytes, at: number, depth: number): number {
  const byte = bytes[at + (depth >> 1)]!
  return (depth & 1) === 0 ? byte >> 4 : byte & 15
}

/** Order of two hashes inside buffers. */
export function compareHashes(a: Bytes, aAt: number, b: Bytes, bAt: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return 0
}

const DIGITS = '0123456789abcdef'
const nibbleOfCode = new Int8Array(128).fill(-1)
for (let i = 0; i < 16; i++) nibbleOfCode[DIGITS.charCodeAt(i)] = i

/** The hex digit of a number from 0 to 15. */
export function digitOf(nibble: number): string {
  return DIGITS[nibble]!
}

/** The number that a hex digit of a prefix stands for. */
export function nibbleOf(prefix: Prefix, depth: number): number {
  return nibbleOfCode[prefix.charCodeAt(depth)]!
}

/** Whether a text names a node. */
export function isPrefix(text: string): text is Prefix {
  return text.length <= DEPTH_MAX && /^[0-9a-f]*$/.test(text)
}

/** Writes a hash as 32 bytes; the text must be a hash, which our own values are. */
export function writeHash(hash: Hash, target: Bytes, at: number): void {
  let valid = hash.length === 2 * HASH_BYTES
  for (let i = 0; valid && i < HASH_BYTES; i++) {
    const high = nibbleOfCode[hash.charCodeAt(2 * i)] ?? -1
    const low = nibbleOfCode[hash.charCodeAt(2 * i + 1)] ?? -1
    valid = high >= 0 && low >= 0
    target[at + i] = (high << 4) | low
  }
  invariant(valid, 'a hash of the tree is 64 lower-case hex digits')
}

/** Reads 32 bytes as a hash. */
export function readHash(source: Bytes, at: number): Hash {
  return hexAt(source, at, HASH_BYTES)
}
