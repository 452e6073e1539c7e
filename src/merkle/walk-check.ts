/**
 * What the asker of a walk checks before it believes a reply: that it fits the ask, that entries
 * lie where they were asked for and ascend, that every page but the last brings something. So a
 * peer can waste a bounded number of messages, and nothing more.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Hash } from '../base/hash.ts'
import { unreachable } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { FAN } from './blocks.ts'
import {
  compareHashes,
  DEPTH_MAX,
  ENTRY_BYTES,
  HASH_BYTES,
  LEAF_ENTRIES_MAX,
  nibbleAt,
  nibbleOf,
  type Prefix,
  writeHash,
} from './entry.ts'
import type { WalkNode, WalkReply } from './walk.ts'

/** What is to be asked of one node. */
export type Todo =
  | { readonly kind: 'children' | 'list'; readonly prefix: Prefix }
  | { readonly kind: 'all'; readonly prefix: Prefix; readonly after: Hash | null }

/** What is wrong with a reply, in words. */
export function faultOfReply(todo: Todo, reply: WalkReply, width: number): string | undefined {
  switch (reply.kind) {
    case 'nodes':
      if (todo.kind !== 'children') return 'a reply does not fit what was asked'
      return faultOfNodes(todo.prefix, reply.nodes, width)
    case 'deeper':
      if (todo.kind !== 'list') return 'a reply does not fit what was asked'
      if (todo.prefix.length >= DEPTH_MAX) return 'a node at the greatest depth has no children'
      return reply.prints.length === FAN * width ? undefined : 'children do not have 16 prints'
    case 'differing':
      if (todo.kind !== 'list') return 'a reply does not fit what was asked'
      if (reply.entries.length > limits.walkListMax * ENTRY_BYTES) return 'a list is too long'
      return faultOfPlaces(reply.lacking) ?? faultOfEntries(todo.prefix, null, reply.entries)
    case 'page':
      if (todo.kind !== 'all') return 'a reply does not fit what was asked'
      if (!reply.isLast && reply.entries.length === 0) return 'a page is empty and not the last'
      return faultOfEntries(todo.prefix, todo.after, reply.entries)
    default:
      return unreachable(reply)
  }
}

function faultOfNodes(
  prefix: Prefix,
  nodes: readonly WalkNode[],
  width: number,
): string | undefined {
  let previous = -1
  for (const { nibble, count, prints } of nodes) {
    if (!Number.isInteger(nibble) || nibble <= previous || nibble >= FAN)
      return 'the children of a node do not ascend from 0 to 15'
    previous = nibble
    if (!Number.isSafeInteger(count) || count < 0) return 'a node has no whole number of entries'
    if (prints !== null && prints.length !== FAN * width) return 'children do not have 16 prints'
    if ((prints !== null) !== count > LEAF_ENTRIES_MAX) return 'a node is neither leaf nor inner'
    if (prints !== null && prefix.length + 1 >= DEPTH_MAX)
      return 'a node at the greatest depth has no children'
  }
  return undefined
}

function faultOfPlaces(places: readonly number[]): string | undefined {
  let previous = -1
  for (const place of places) {
    if (!Number.isInteger(place) || place <= previous || place >= limits.walkListMax)
      return 'the places in a list do not ascend'
    previous = place
  }
  return undefined
}

function faultOfEntries(prefix: Prefix, after: Hash | null, entries: Bytes): string | undefined {
  if (entries.length % ENTRY_BYTES !== 0) return 'an entry is not 64 bytes'
  const previous = new Uint8Array(HASH_BYTES)
  if (after !== null) writeHash(after, previous, 0)
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const isFirst = at === 0 && after === null
    if (!isFirst && compareHashes(entries, at, previous, 0) <= 0) return 'entries do not ascend'
    for (let depth = 0; depth < prefix.length; depth++) {
      if (nibbleAt(entries, at, depth) !== nibbleOf(prefix, depth))
        return 'an entry lies outside of what was asked for'
    }
    previous.set(entries.subarray(at, at + HASH_BYTES))
  }
  return undefined
}
