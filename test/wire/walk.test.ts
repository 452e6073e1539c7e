import { expect, test } from 'vitest'
import { hashText } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import type { Body } from '../../src/consensus/messages.ts'
import { WALK_KEY_BYTES } from '../../src/merkle/prints.ts'
import { MerkleTree } from '../../src/merkle/tree.ts'
import { answerWalk } from '../../src/merkle/walk.ts'
import { continueWalk, startWalk } from '../../src/merkle/walker.ts'
import type { BodyOf } from '../../src/wire/body-codec.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { sampleEnvelope } from './samples.ts'

/** A body as its receiver has it. */
function sent<K extends Body['kind']>(kind: K, body: BodyOf<K>): BodyOf<K> {
  const bytes = encodeFrame({ envelope: sampleEnvelope, bodies: [body] })
  const decoded = decodeFrame(bytes, limits.streamFrameBytesMax)
  if (!decoded.ok) throw new Error(`an honest ${kind} is refused: ${decoded.sentence}`)
  return decoded.frame.bodies[0] as BodyOf<K>
}

function treeOf(from: number, to: number): MerkleTree {
  const tree = new MerkleTree()
  for (let i = from; i < to; i++) tree.set(hashText(`id ${i}`), hashText(`leaf ${i}`))
  return tree
}

/** Walks with every message sent over the wire; answers the number of differences. */
function differencesOverWire(mine: MerkleTree, theirs: MerkleTree, full: boolean): number {
  let step = startWalk(mine, { key: new Uint8Array(WALK_KEY_BYTES).fill(9), full })
  for (let request = 1; step.kind === 'ask'; request++) {
    const asked = sent('askWalk', { kind: 'askWalk', request, scope: 'held', walk: step.request })
    const answered = answerWalk(theirs, asked.walk)
    if (answered.kind !== 'answer') throw new Error(answered.sentence)
    const walked = sent('walked', { kind: 'walked', request, walk: answered.answer })
    step = continueWalk(mine, step.walk, walked.walk!)
  }
  if (step.kind !== 'done' || !step.isComplete) throw new Error(`the walk ended as ${step.kind}`)
  return step.differences.length
}

test('every message of an honest walk is accepted, whatever the two trees are', () => {
  const cases: [MerkleTree, MerkleTree, number][] = [
    [treeOf(0, 0), treeOf(0, 20_000), 20_000],
    [treeOf(0, 20_000), treeOf(0, 0), 20_000],
    [treeOf(0, 20_000), treeOf(20_000, 40_000), 40_000],
    [treeOf(0, 20_000), treeOf(5, 20_007), 12],
    [treeOf(0, 10), treeOf(0, 20_000), 19_990],
    [treeOf(0, 60), treeOf(1, 61), 2],
  ]
  for (const [mine, theirs, differences] of cases) {
    for (const full of [false, true]) {
      expect(differencesOverWire(mine, theirs, full)).toBe(differences)
    }
  }
})
