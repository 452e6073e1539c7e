/**
 * Every hash of the protocol a second time, from its description alone (docs/protocol.md, 1): data
 * hashes, versions, chain digests, leaves, and the root by sorting and hashing a flat list. Slow and
 * plain, and nothing in it is the product's.
 */
import { createHash } from 'node:crypto'
import { cborOf } from './cbor.ts'
import type { DumpFact, FoundPayload, Properties } from './format.ts'

/** The dataHash of a delete. */
export const ZEROS = '0'.repeat(64)

const LEAF_ENTRIES_MAX = 64

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const raw = (hex: string) => Buffer.from(hex, 'hex')

/** SHA-256 of bytes or text, in hex. */
export function hashOf(bytes: Uint8Array | string): string {
  return sha256(bytes).toString('hex')
}

/** The dataHash of what a fact says that it holds. */
export function dataHashOf(
  content: Properties & { readonly blob: string | null; readonly size: number },
): string {
  if (content.blob === null) return ZEROS
  const { blob, size, type, tags, description, meta, dependsOn } = content
  return hashOf(cborOf([raw(blob), size, type, tags, description, meta, dependsOn]))
}

/** The version that stands on these parents; they need not be sorted. */
export function versionOf(id: string, parents: readonly string[], dataHash: string): string {
  return hashOf((parents.length === 0 ? id : [...parents].sort().join('')) + dataHash)
}

/** Hash and size of the bytes that were found. */
export function measured(found: FoundPayload): { readonly hash: string; readonly size: number } {
  if (found.kind === 'hash') return found
  const bytes = Buffer.from(found.base64, 'base64')
  return { hash: hashOf(bytes), size: bytes.length }
}

/** What a digest is made of. */
type Digested = Pick<DumpFact, 'id' | 'version' | 'parents' | 'at' | 'by'>

/** The storage hash of a set of facts. */
export function rootOf(facts: readonly Digested[]): string {
  const byItem = new Map<string, Digested[]>()
  for (const fact of facts) {
    const known = byItem.get(fact.id)
    if (known === undefined) byItem.set(fact.id, [fact])
    else known.push(fact)
  }
  const entries: Entry[] = [...byItem].map(([id, list]) => [hashOf(id), leafOf(list)])
  entries.sort((a, b) => (a[0] < b[0] ? -1 : 1))
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(entries.length))
  const tag = Buffer.from('veche tree 1\0\0\0\0', 'latin1')
  return sha256(tag, count, nodeOf(entries, 0)).toString('hex')
}

type Entry = readonly [idHash: string, leaf: Buffer]

/** The node over sorted entries that agree in their first `depth` digits. */
function nodeOf(entries: readonly Entry[], depth: number): Buffer {
  if (entries.length === 0) return Buffer.alloc(32)
  if (entries.length <= LEAF_ENTRIES_MAX) {
    const header = Buffer.from([0x4c, 1, 0, 0, 0, 0, 0, entries.length])
    return sha256(header, ...entries.flatMap(([idHash, leaf]) => [raw(idHash), leaf]))
  }
  const children = [...'0123456789abcdef'].map(digit =>
    nodeOf(
      entries.filter(([idHash]) => idHash[depth] === digit),
      depth + 1,
    ),
  )
  return sha256(...children)
}

function leafOf(facts: readonly Digested[]): Buffer {
  const parents = new Set(facts.flatMap(fact => fact.parents))
  const digests = digestsOf(facts)
  const newest = facts.map(fact => fact.version).filter(version => !parents.has(version))
  return sha256(...newest.sort().flatMap(version => [raw(version), digests.get(version)!]))
}

function digestsOf(facts: readonly Digested[]): Map<string, Buffer> {
  const byVersion = new Map(facts.map(fact => [fact.version, fact]))
  const digests = new Map<string, Buffer>()
  for (const fact of parentsFirst(byVersion)) {
    const by = Buffer.from(fact.by, 'utf8')
    const length = Buffer.from([by.length >> 8, by.length & 255])
    const above = fact.parents.map(parent => digests.get(parent) ?? Buffer.alloc(32))
    digests.set(fact.version, sha256(raw(fact.version), raw(fact.at), length, by, ...above))
  }
  return digests
}

/**
 * Values by version, parents before children; a parent that is not among them is passed over.
 * Facts in a circle, which no hash allows, come out in some order.
 */
export function parentsFirst<T extends { readonly parents: readonly string[] }>(
  all: ReadonlyMap<string, T>,
): T[] {
  const order: T[] = []
  const seen = new Set<string>()
  for (const start of all.keys()) {
    const open: { version: string; next: number }[] = []
    const enter = (version: string) => {
      if (seen.has(version) || !all.has(version)) return
      seen.add(version)
      open.push({ version, next: 0 })
    }
    enter(start)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const value = all.get(top.version)!
      const parent = value.parents[top.next]
      top.next += 1
      if (parent !== undefined) {
        enter(parent)
        continue
      }
      open.pop()
      order.push(value)
    }
  }
  return order
}

/** The largest stamp that a cut lets in. */
export function stampAt(cutMs: number): string {
  return `${Math.max(0, Math.floor(cutMs)).toString(16).padStart(12, '0')}0000`
}

/** The facts that a storage hash at a cut is made of. */
export function settledFacts(facts: readonly DumpFact[], cutMs: number): DumpFact[] {
  const limit = stampAt(cutMs)
  return facts.filter(({ added }) => added !== null && added <= limit)
}
