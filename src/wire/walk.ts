/**
 * The messages of a walk through two trees as bytes. Here only shapes are checked: lengths, counts
 * and kinds, each up to what an honest walk can need. Whether prefixes name nodes, prints fit and
 * entries ascend is checked by the walk itself, which knows what was asked.
 */

import type { Bytes } from '../base/bytes.ts'
import { type CborValue, hexBytes } from '../base/cbor.ts'
import {
  asBoolean,
  asBytes,
  asBytesUpTo,
  asHash,
  asInt,
  asList,
  asNullable,
  asText,
  asTuple,
  refuse,
} from '../base/cbor-read.ts'
import { unreachable } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { FAN } from '../merkle/blocks.ts'
import { DEPTH_MAX, ENTRY_BYTES, HASH_BYTES } from '../merkle/entry.ts'
import { WALK_KEY_BYTES } from '../merkle/prints.ts'
import type { WalkAnswer, WalkAsk, WalkNode, WalkReply, WalkRequest } from '../merkle/walk.ts'
import { readCount } from './parts.ts'

/** A page ends with the entry that reaches `limits.walkBytes`. */
const entriesBytesMax = limits.walkBytes + ENTRY_BYTES

/** A request: key, whether prints are whole, what is asked. */
export function walkRequestValue(request: WalkRequest): CborValue {
  return [request.key, request.full, request.asks.map(askValue)]
}

/** A request; the walk checks what it means. */
export function readWalkRequest(value: unknown): WalkRequest {
  const field = asTuple(value, 3, 'a walk request')
  return {
    key: asBytes(field[0], WALK_KEY_BYTES, 'the key of a walk'),
    full: asBoolean(field[1], 'full'),
    asks: asList(field[2], limits.walkAsksMax, readAsk, 'the asks of a walk'),
  }
}

/** An answer: root, count, what is replied. */
export function walkAnswerValue(answer: WalkAnswer): CborValue {
  return [hexBytes(answer.root), answer.count, answer.replies.map(replyValue)]
}

/** An answer; the walk checks whether it fits what was asked. */
export function readWalkAnswer(value: unknown): WalkAnswer {
  const field = asTuple(value, 3, 'a walk answer')
  return {
    root: asHash(field[0], 'the root of a walk'),
    count: readCount(field[1], 'the entries of a tree'),
    replies: asList(field[2], limits.walkAsksMax, readReply, 'the replies of a walk'),
  }
}

function askValue(ask: WalkAsk): CborValue {
  switch (ask.kind) {
    case 'children':
      return [0, ask.prefix, ask.prints]
    case 'list':
      return [1, ask.prefix, ask.prints]
    case 'all':
      return [2, ask.prefix, ask.after === null ? null : hexBytes(ask.after)]
    default:
      return unreachable(ask)
  }
}

function readAsk(value: unknown): WalkAsk {
  const field = asTuple(value, 3, 'an ask of a walk')
  const prefix = asText(field[1], DEPTH_MAX, 'a prefix')
  switch (field[0]) {
    case 0:
      return { kind: 'children', prefix, prints: readPrints(field[2], FAN) }
    case 1:
      return { kind: 'list', prefix, prints: readPrints(field[2], limits.walkListMax) }
    case 2:
      return {
        kind: 'all',
        prefix,
        after: asNullable(field[2], after => asHash(after, 'an id-hash')),
      }
    default:
      return refuse('an ask of a walk of an unknown kind')
  }
}

function replyValue(reply: WalkReply): CborValue {
  switch (reply.kind) {
    case 'nodes':
      return [0, reply.nodes.map(node => [node.nibble, node.count, node.prints])]
    case 'deeper':
      return [1, reply.prints]
    case 'differing':
      return [2, reply.entries, reply.lacking]
    case 'page':
      return [3, reply.entries, reply.isLast]
    default:
      return unreachable(reply)
  }
}

function readReply(value: unknown): WalkReply {
  if (!Array.isArray(value)) refuse('a reply of a walk is no list')
  switch (value[0]) {
    case 0: {
      const field = asTuple(value, 2, 'a reply with nodes')
      return { kind: 'nodes', nodes: asList(field[1], FAN, readNode, 'the nodes of a reply') }
    }
    case 1: {
      const field = asTuple(value, 2, 'a reply that leads deeper')
      return { kind: 'deeper', prints: readPrints(field[1], FAN) }
    }
    case 2: {
      const field = asTuple(value, 3, 'a reply to a list')
      return {
        kind: 'differing',
        entries: asBytesUpTo(field[1], limits.walkListMax * ENTRY_BYTES, 'the entries of a list'),
        lacking: asList(field[2], limits.walkListMax, readPlace, 'the places of a list'),
      }
    }
    case 3: {
      const field = asTuple(value, 3, 'a page of a walk')
      return {
        kind: 'page',
        entries: asBytesUpTo(field[1], entriesBytesMax, 'the entries of a page'),
        isLast: asBoolean(field[2], 'isLast'),
      }
    }
    default:
      return refuse('a reply of a walk of an unknown kind')
  }
}

function readNode(value: unknown): WalkNode {
  const field = asTuple(value, 3, 'a node of a walk')
  return {
    nibble: asInt(field[0], 0, FAN - 1, 'a nibble'),
    count: readCount(field[1], 'the entries below a node'),
    prints: asNullable(field[2], prints => readPrints(prints, FAN)),
  }
}

function readPlace(value: unknown): number {
  return asInt(value, 0, limits.walkListMax - 1, 'a place in a list')
}

/** Prints side by side, at most `printsMax` whole ones. */
function readPrints(value: unknown, printsMax: number): Bytes {
  return asBytesUpTo(value, printsMax * HASH_BYTES, 'the prints of a walk')
}
