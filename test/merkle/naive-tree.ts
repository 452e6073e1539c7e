/**
 * The tree a second time, from a flat list of entries and the description alone: it shares nothing
 * with src/merkle, not even the hash. Slow and plain, to hold the real one against.
 */
import { createHash } from 'node:crypto'

export type Entry = readonly [idHash: string, leaf: string]

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The hash of the node that holds these entries, which all agree in the first `depth` digits. */
function nodeHash(entries: readonly Entry[], depth: number): Buffer {
  if (entries.length === 0) return Buffer.alloc(32)
  if (entries.length <= 64) {
    const sorted = [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1))
    const header = Buffer.from([0x4c, 1, 0, 0, 0, 0, 0, entries.length])
    return sha256(header, Buffer.from(sorted.flat().join(''), 'hex'))
  }
  const children = [...'0123456789abcdef'].map(digit =>
    nodeHash(
      entries.filter(([idHash]) => idHash[depth] === digit),
      depth + 1,
    ),
  )
  return sha256(...children)
}

/** The storage hash of a flat list of entries. */
export function naiveRoot(entries: readonly Entry[]): string {
  const tag = Buffer.from('veche tree 1\0\0\0\0', 'latin1')
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(entries.length))
  return sha256(tag, count, nodeHash(entries, 0)).toString('hex')
}

/** How deep the naive tree is: 0 when the root is a leaf. */
export function naiveDepth(entries: readonly Entry[], depth = 0): number {
  if (entries.length <= 64) return depth
  const depths = [...'0123456789abcdef'].map(digit =>
    naiveDepth(
      entries.filter(([idHash]) => idHash[depth] === digit),
      depth + 1,
    ),
  )
  return Math.max(...depths)
}
