/**
 * What the asker of a walk makes of a reply that was found in order (walk-check.ts): differences
 * that are now known, and nodes to ask about next.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Hash } from '../base/hash.ts'
import { unreachable } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { FAN } from './blocks.ts'
import {
  compareHashes,
  digitOf,
  ENTRY_BYTES,
  HASH_BYTES,
  LEAF_ENTRIES_MAX,
  type Prefix,
  readHash,
  writeHash,
} from './entry.ts'
import type { Prints } from './prints.ts'
import type { MerkleTree } from './tree.ts'
import type { WalkReply } from './walk.ts'
import type { Todo } from './walk-check.ts'

/** An item in which the two trees differ; null: that side does not have it. */
export interface Difference {
  readonly idHash: Hash
  readonly mine: Hash | null
  readonly theirs: Hash | null
}

/** Where the results of replies go. */
export interface Taking {
  /** To be asked, the next one last. */
  readonly todo: Todo[]
  differences: Difference[]
  /** Bytes of a print. */
  readonly width: number
}

interface Replied {
  readonly todo: Todo
  readonly reply: WalkReply
  readonly prints: Prints
}

/** Takes a reply over. */
export function takeReply(
  tree: MerkleTree,
  taking: Taking,
  { todo, reply, prints }: Replied,
): void {
  switch (reply.kind) {
    case 'nodes':
      for (const node of reply.nodes) {
        const child = todo.prefix + digitOf(node.nibble)
        if (node.prints === null) takeLeaf(tree, taking, child, node.count)
        else takeChildren(tree, taking, child, { theirs: node.prints, prints })
      }
      return
    case 'deeper':
      takeChildren(tree, taking, todo.prefix, { theirs: reply.prints, prints })
      return
    case 'differing':
      takeDiffering(tree, taking, todo.prefix, reply)
      return
    case 'page':
      if (todo.kind === 'all') takePage(tree, taking, todo, reply)
      return
    default:
      unreachable(reply)
  }
}

/** The peer has a leaf, or nothing, where mine differs. */
function takeLeaf(tree: MerkleTree, taking: Taking, prefix: Prefix, theirs: number): void {
  const mine = tree.countBelow(prefix)
  if (theirs === 0) {
    let last: Hash | null = null
    const isWhole = tree.visit(prefix, null, (chunk, at) => {
      addMine(taking, chunk, at)
      last = readHash(chunk, at)
      return hasRoom(taking)
    })
    // Asked again when there is room: the peer will have nothing, and the rest of mine follows.
    if (!isWhole) taking.todo.push({ kind: 'all', prefix, after: last })
    return
  }
  // Asking for the whole leaf is dearer than listing mine, unless mine is much the larger.
  const isListed =
    mine > 0 && mine <= limits.walkListMax && mine * taking.width <= theirs * ENTRY_BYTES
  taking.todo.push(isListed ? { kind: 'list', prefix } : { kind: 'all', prefix, after: null })
}

/** The peer has more than a leaf's entries below a node, with these prints of its children. */
function takeChildren(
  tree: MerkleTree,
  taking: Taking,
  prefix: Prefix,
  { theirs, prints }: { readonly theirs: Bytes; readonly prints: Prints },
): void {
  const mine = prints.ofNodes(tree.childHashes(prefix))
  for (let nibble = 0; nibble < FAN; nibble++) {
    if (prints.isEqual(mine, nibble, theirs, nibble)) continue
    const child = prefix + digitOf(nibble)
    const count = tree.countBelow(child)
    if (count === 0) taking.todo.push({ kind: 'all', prefix: child, after: null })
    else if (count <= LEAF_ENTRIES_MAX) taking.todo.push({ kind: 'list', prefix: child })
    else taking.todo.push({ kind: 'children', prefix: child })
  }
}

function takeDiffering(
  tree: MerkleTree,
  taking: Taking,
  prefix: Prefix,
  { entries, lacking }: { readonly entries: Bytes; readonly lacking: readonly number[] },
): void {
  const shown = new Set<Hash>()
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const idHash = readHash(entries, at)
    shown.add(idHash)
    add(taking, idHash, tree.get(idHash) ?? null, readHash(entries, at + HASH_BYTES))
  }
  if (lacking.length === 0) return
  const listed = tree.entryBytes(prefix)
  for (const place of lacking) {
    const at = place * ENTRY_BYTES
    if (at < listed.length && !shown.has(readHash(listed, at))) addMine(taking, listed, at)
  }
}

/** Holds a page against my entries of the same range, both ascending. */
function takePage(
  tree: MerkleTree,
  taking: Taking,
  { prefix, after }: { readonly prefix: Prefix; readonly after: Hash | null },
  { entries, isLast }: { readonly entries: Bytes; readonly isLast: boolean },
): void {
  let start: Bytes | null = null
  if (after !== null) {
    start = new Uint8Array(HASH_BYTES)
    writeHash(after, start, 0)
  }
  const last = entries.length - ENTRY_BYTES
  let at = 0
  const addTheirs = (): void => {
    add(taking, readHash(entries, at), null, readHash(entries, at + HASH_BYTES))
    at += ENTRY_BYTES
  }
  let stoppedAt: Hash | null = null
  tree.visit(prefix, start, (chunk, mineAt) => {
    if (!isLast && compareHashes(chunk, mineAt, entries, last) > 0) return false
    while (at <= last && compareHashes(entries, at, chunk, mineAt) < 0) addTheirs()
    if (at > last || compareHashes(entries, at, chunk, mineAt) > 0) {
      addMine(taking, chunk, mineAt)
      if (!hasRoom(taking)) stoppedAt = readHash(chunk, mineAt)
      return stoppedAt === null
    }
    const idHash = readHash(entries, at)
    const mine = readHash(chunk, mineAt + HASH_BYTES)
    add(taking, idHash, mine, readHash(entries, at + HASH_BYTES))
    at += ENTRY_BYTES
    return true
  })
  if (stoppedAt !== null) {
    taking.todo.push({ kind: 'all', prefix, after: stoppedAt })
    return
  }
  while (at <= last) addTheirs()
  if (!isLast) taking.todo.push({ kind: 'all', prefix, after: readHash(entries, last) })
}

/** Adds an item unless it turns out to be equal. */
function add(taking: Taking, idHash: Hash, mine: Hash | null, theirs: Hash | null): void {
  if (mine !== theirs) taking.differences.push({ idHash, mine, theirs })
}

/** Adds an entry of mine that the peer does not have. */
function addMine(taking: Taking, chunk: Bytes, at: number): void {
  add(taking, readHash(chunk, at), readHash(chunk, at + HASH_BYTES), null)
}

/** Whether more entries of mine may be added to this part of the walk. */
function hasRoom(taking: Taking): boolean {
  return taking.differences.length < limits.walkDifferencesMax
}
