/**
 * The walk: how two members find what their trees differ in, from the root down, a level or two a
 * round trip. One asks (walker.ts) and one answers (here). The answerer keeps nothing between
 * messages: each answer follows from its tree and the request alone. It answers as many asks as fit
 * in one message, always at least one, and the asker asks again for the rest.
 *
 * A request is a stranger's: what is malformed is refused, and the work for it is bounded by
 * limits.walk…, whatever it says. Shapes (numbers, bytes, lists) are the decoder's work.
 *
 * The place of the sketch (a keyed rateless IBLT that finds small differences in one round trip) is
 * before a walk: it would be one more kind of ask, and decides nothing either; the walk stays what
 * answers when it cannot, and equal roots stay the only proof.
 */
import type { Bytes } from '../base/bytes.ts'
import { type Hash, isHash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { FAN } from './blocks.ts'
import {
  DEPTH_MAX,
  digitOf,
  ENTRY_BYTES,
  HASH_BYTES,
  isPrefix,
  LEAF_ENTRIES_MAX,
  type Prefix,
  writeHash,
} from './entry.ts'
import { Prints, WALK_KEY_BYTES } from './prints.ts'
import type { MerkleTree } from './tree.ts'

/** What the asker wants to know of one node. Prints are those of one width (prints.ts). */
export type WalkAsk =
  /** Which of the 16 children differ; mine have these prints. Prefix: at most 63 digits. */
  | { readonly kind: 'children'; readonly prefix: Prefix; readonly prints: Bytes }
  /** Which entries differ; mine, ascending, have these prints: 1 to limits.walkListMax. */
  | { readonly kind: 'list'; readonly prefix: Prefix; readonly prints: Bytes }
  /** All entries, after an id-hash if one is given. */
  | { readonly kind: 'all'; readonly prefix: Prefix; readonly after: Hash | null }

export interface WalkRequest {
  /** Drawn afresh by the asker for each walk: WALK_KEY_BYTES bytes. */
  readonly key: Bytes
  /** Prints are not cut: for when the roots still differ after a repair. */
  readonly full: boolean
  /** At most limits.walkAsksMax. */
  readonly asks: readonly WalkAsk[]
}

/** A child that differs. */
export interface WalkNode {
  /** 0 to 15. */
  readonly nibble: number
  /** Entries of the answerer below it. */
  readonly count: number
  /** The prints of its 16 children; null when the answerer has a leaf there, or nothing. */
  readonly prints: Bytes | null
}

export type WalkReply =
  /** To `children`: those that differ, ascending. */
  | { readonly kind: 'nodes'; readonly nodes: readonly WalkNode[] }
  /** To `list`: there are too many entries to compare them here; the prints of the 16 children. */
  | { readonly kind: 'deeper'; readonly prints: Bytes }
  /**
   * To `list`: the answerer's entries that the asker did not list (64 bytes each, ascending), and
   * the places (from 0, ascending) in the asker's list of what the answerer does not have.
   */
  | { readonly kind: 'differing'; readonly entries: Bytes; readonly lacking: readonly number[] }
  /** To `all`: entries, 64 bytes each, ascending. */
  | { readonly kind: 'page'; readonly entries: Bytes; readonly isLast: boolean }

export interface WalkAnswer {
  /** The answerer's storage hash and entries, of the very tree that the replies speak of. */
  readonly root: Hash
  readonly count: number
  /** To the first asks of the request, one each, in their order. */
  readonly replies: readonly WalkReply[]
}

export type WalkAnswered =
  | { readonly kind: 'answer'; readonly answer: WalkAnswer }
  | { readonly kind: 'refused'; readonly sentence: string }

/** Answers one request of a walk out of a tree. */
export function answerWalk(tree: MerkleTree, request: WalkRequest): WalkAnswered {
  const wrong = faultOfRequest(request)
  if (wrong !== undefined) return { kind: 'refused', sentence: wrong }
  const root = tree.root()
  const prints = new Prints(request)
  const replies: WalkReply[] = []
  let bytes = 0
  for (const ask of request.asks) {
    if (bytes >= limits.walkBytes || prints.made >= limits.walkPrintsMax) break
    const reply = replyTo(tree, ask, { prints, bytesLeft: limits.walkBytes - bytes })
    bytes += replyBytes(reply)
    replies.push(reply)
  }
  return { kind: 'answer', answer: { root, count: tree.count, replies } }
}

/** What is wrong with a request, in words. */
function faultOfRequest(request: WalkRequest): string | undefined {
  if (request.key.length !== WALK_KEY_BYTES) return `a key is not ${WALK_KEY_BYTES} bytes`
  if (request.asks.length > limits.walkAsksMax) return 'a walk asks about too many nodes at once'
  const { width } = new Prints(request)
  for (const ask of request.asks) {
    if (!isPrefix(ask.prefix)) return 'a prefix is not up to 64 lower-case hex digits'
    if (ask.kind === 'all') {
      if (ask.after !== null && !isHash(ask.after)) return 'an id-hash is not 64 hex digits'
    } else if (ask.kind === 'children') {
      if (ask.prefix.length >= DEPTH_MAX) return 'a node at the greatest depth has no children'
      if (ask.prints.length !== FAN * width) return 'children do not have 16 prints'
    } else {
      const listed = ask.prints.length / width
      if (!Number.isInteger(listed) || listed < 1 || listed > limits.walkListMax)
        return `a list does not have 1 to ${limits.walkListMax} prints`
    }
  }
  return undefined
}

interface Means {
  readonly prints: Prints
  readonly bytesLeft: number
}

function replyTo(tree: MerkleTree, ask: WalkAsk, means: Means): WalkReply {
  switch (ask.kind) {
    case 'children':
      return { kind: 'nodes', nodes: differingChildren(tree, ask.prefix, ask.prints, means) }
    case 'list':
      return differingEntries(tree, ask.prefix, ask.prints, means)
    case 'all':
      return page(tree, ask.prefix, ask.after, means)
  }
}

function differingChildren(
  tree: MerkleTree,
  prefix: Prefix,
  theirs: Bytes,
  { prints }: Means,
): WalkNode[] {
  const mine = prints.ofNodes(tree.childHashes(prefix))
  const nodes: WalkNode[] = []
  for (let nibble = 0; nibble < FAN; nibble++) {
    if (prints.isEqual(mine, nibble, theirs, nibble)) continue
    const child = prefix + digitOf(nibble)
    const count = tree.countBelow(child)
    const isLeaf = count <= LEAF_ENTRIES_MAX
    nodes.push({ nibble, count, prints: isLeaf ? null : prints.ofNodes(tree.childHashes(child)) })
  }
  return nodes
}

function differingEntries(
  tree: MerkleTree,
  prefix: Prefix,
  theirs: Bytes,
  { prints }: Means,
): WalkReply {
  if (tree.countBelow(prefix) > limits.walkListMax) {
    return { kind: 'deeper', prints: prints.ofNodes(tree.childHashes(prefix)) }
  }
  const listed = theirs.length / prints.width
  const entries = tree.entryBytes(prefix)
  const held = entries.length / ENTRY_BYTES
  const mine = prints.ofEntries(entries)
  // Both lists ascend, and nearly all of them is the same: only what lies between is looked up.
  const most = Math.min(listed, held)
  let head = 0
  while (head < most && prints.isEqual(mine, head, theirs, head)) head++
  let tail = 0
  while (tail < most - head && prints.isEqual(mine, held - 1 - tail, theirs, listed - 1 - tail))
    tail++
  const lacking = new Map<number | string, number>()
  for (let place = head; place < listed - tail; place++)
    lacking.set(prints.keyOf(theirs, place), place)
  const differing: Bytes[] = []
  for (let place = head; place < held - tail; place++) {
    if (lacking.delete(prints.keyOf(mine, place))) continue
    differing.push(entries.subarray(place * ENTRY_BYTES, (place + 1) * ENTRY_BYTES))
  }
  // A Map keeps the order of insertion, so the places are ascending.
  return { kind: 'differing', entries: joined(differing), lacking: [...lacking.values()] }
}

function page(tree: MerkleTree, prefix: Prefix, after: Hash | null, means: Means): WalkReply {
  const start = after === null ? null : new Uint8Array(HASH_BYTES)
  if (start !== null && after !== null) writeHash(after, start, 0)
  const entries: Bytes[] = []
  const isLast = tree.visit(prefix, start, (chunk, at) => {
    if (entries.length > 0 && entries.length * ENTRY_BYTES >= means.bytesLeft) return false
    entries.push(chunk.slice(at, at + ENTRY_BYTES))
    return true
  })
  return { kind: 'page', entries: joined(entries), isLast }
}

function joined(entries: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(entries.length * ENTRY_BYTES)
  entries.forEach((entry, place) => {
    whole.set(entry, place * ENTRY_BYTES)
  })
  return whole
}

/** About what a reply takes on the wire. */
function replyBytes(reply: WalkReply): number {
  switch (reply.kind) {
    case 'nodes': {
      let bytes = 4
      for (const { prints } of reply.nodes) bytes += 8 + (prints?.length ?? 0)
      return bytes
    }
    case 'deeper':
      return 4 + reply.prints.length
    case 'differing':
      return 8 + reply.entries.length + 3 * reply.lacking.length
    case 'page':
      return 8 + reply.entries.length
  }
}
