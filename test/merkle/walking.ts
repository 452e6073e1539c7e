/** Runs a walk between two trees, and counts what it would take on the wire. */
import { encode } from 'cborg'
import type { Hash } from '../../src/base/hash.ts'
import { WALK_KEY_BYTES } from '../../src/merkle/prints.ts'
import type { MerkleTree } from '../../src/merkle/tree.ts'
import {
  answerWalk,
  type WalkAnswer,
  type WalkReply,
  type WalkRequest,
} from '../../src/merkle/walk.ts'
import { continueWalk, startWalk, type WalkStep } from '../../src/merkle/walker.ts'

/** The key of the tests' walks. */
export const testKey = Uint8Array.from({ length: WALK_KEY_BYTES }, (_, i) => i * 11 + 3)

export type WalkEnd = Exclude<WalkStep, { kind: 'ask' }>

export interface Walked {
  readonly end: WalkEnd
  readonly rounds: number
  /** Both directions. */
  readonly bytes: number
  readonly largestMessage: number
}

/** Walks to the end; `between` may change the trees after each answer. */
export function walked(
  mine: MerkleTree,
  theirs: MerkleTree,
  options: { full?: boolean; between?: (round: number) => void } = {},
): Walked {
  return walkedOn(
    mine,
    theirs,
    startWalk(mine, { key: testKey, full: options.full ?? false }),
    options,
  )
}

/** Goes on from a step to the end. */
export function walkedOn(
  mine: MerkleTree,
  theirs: MerkleTree,
  from: WalkStep,
  options: { between?: (round: number) => void } = {},
): Walked {
  let step = from
  let rounds = 0
  let bytes = 0
  let largestMessage = 0
  while (step.kind === 'ask') {
    const answered = answerWalk(theirs, step.request)
    if (answered.kind === 'refused') throw new Error(answered.sentence)
    for (const size of [requestBytes(step.request), answerBytes(answered.answer)]) {
      bytes += size
      largestMessage = Math.max(largestMessage, size)
    }
    rounds += 1
    options.between?.(rounds)
    step = continueWalk(mine, step.walk, answered.answer)
  }
  return { end: step, rounds, bytes, largestMessage }
}

/** The size of a request in plain CBOR. */
export function requestBytes(request: WalkRequest): number {
  const asks = request.asks.map(ask =>
    ask.kind === 'all'
      ? [2, ask.prefix, ask.after === null ? null : raw(ask.after)]
      : [ask.kind === 'list' ? 1 : 0, ask.prefix, ask.prints],
  )
  return encode([request.key, request.full, asks]).length
}

/** The size of an answer in plain CBOR. */
export function answerBytes(answer: WalkAnswer): number {
  return encode([raw(answer.root), answer.count, answer.replies.map(replyValue)]).length
}

function replyValue(reply: WalkReply): unknown[] {
  switch (reply.kind) {
    case 'nodes':
      return [0, reply.nodes.map(node => [node.nibble, node.count, node.prints])]
    case 'deeper':
      return [1, reply.prints]
    case 'differing':
      return [2, reply.entries, reply.lacking]
    case 'page':
      return [3, reply.entries, reply.isLast]
  }
}

function raw(hash: Hash): Uint8Array {
  return Uint8Array.from(Buffer.from(hash, 'hex'))
}
