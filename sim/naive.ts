/**
 * Roots a second time: digests, leaves and the tree, from a flat list of facts and the description
 * alone. It shares nothing with the product, not even the hash; slow and plain on purpose.
 */
import { createHash } from 'node:crypto'
import type { Fact } from '../src/base/fact.ts'

const LEAF_ENTRIES_MAX = 64

function sha256(...parts: (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const raw = (hex: string) => Buffer.from(hex, 'hex')

/** The storage hash of a set of facts. */
export function naiveRoot(facts: Iterable<Fact>): string {
  const byItem = new Map<string, Fact[]>()
  for (const fact of facts) {
    const known = byItem.get(fact.id)
    if (known === undefined) byItem.set(fact.id, [fact])
    else known.push(fact)
  }
  const entries = [...byItem].map(
    ([id, list]) => [sha256(id).toString('hex'), leafOf(list)] as const,
  )
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(entries.length))
  const sorted = entries.sort((a, b) => (a[0] < b[0] ? -1 : 1))
  const tag = Buffer.from('veche tree 1\0\0\0\0', 'latin1')
  return sha256(tag, count, nodeHash(sorted, 0)).toString('hex')
}

type Entry = readonly [idHash: string, leaf: Buffer]

function nodeHash(sorted: readonly Entry[], depth: number): Buffer {
  if (sorted.length === 0) return Buffer.alloc(32)
  if (sorted.length <= LEAF_ENTRIES_MAX) {
    const header = Buffer.from([0x4c, 1, 0, 0, 0, 0, 0, sorted.length])
    return sha256(header, ...sorted.flatMap(([idHash, leaf]) => [raw(idHash), leaf]))
  }
  const children = [...'0123456789abcdef'].map(digit =>
    nodeHash(
      sorted.filter(([idHash]) => idHash[depth] === digit),
      depth + 1,
    ),
  )
  return sha256(...children)
}

function leafOf(facts: readonly Fact[]): Buffer {
  const byVersion = new Map(facts.map(fact => [fact.version, fact]))
  const parents = new Set(facts.flatMap(fact => fact.parents))
  const newest = facts.filter(fact => !parents.has(fact.version)).map(fact => fact.version)
  const digests = digestsOf(byVersion)
  const parts = newest.sort(byText).flatMap(version => [raw(version), digests.get(version)!])
  return sha256(...parts)
}

function digestsOf(facts: ReadonlyMap<string, Fact>): Map<string, Buffer> {
  const digests = new Map<string, Buffer>()
  const open = [...facts.keys()]
  for (let version = open.at(-1); version !== undefined; version = open.at(-1)) {
    const fact = facts.get(version)!
    const waiting = fact.parents.filter(parent => facts.has(parent) && !digests.has(parent))
    if (waiting.length > 0) {
      open.push(...waiting)
      continue
    }
    open.pop()
    const by = Buffer.from(fact.by, 'utf8')
    const length = Buffer.from([by.length >> 8, by.length & 255])
    const above = fact.parents.map(parent => digests.get(parent) ?? Buffer.alloc(32))
    digests.set(version, sha256(raw(version), raw(fact.at), length, by, ...above))
  }
  return digests
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
