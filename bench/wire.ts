/**
 * What the wire costs: microseconds to encode and decode a frame of 100 adds, beside the same 100
 * facts through the fact codec alone. Run: npx node bench/wire.ts
 */

import type { Fact } from '../src/base/fact.ts'
import { decodeFact, encodeFact } from '../src/base/fact-codec.ts'
import { hashText } from '../src/base/hash.ts'
import { limits } from '../src/base/limits.ts'
import { stampOf } from '../src/base/stamp.ts'
import type { Frame } from '../src/consensus/messages.ts'
import { decodeFrame, encodeFrame } from '../src/wire/frame.ts'

const ADDS = 100
const by = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

function factAt(i: number): Fact {
  return {
    id: `projects/notes/2026/entry-${i}.md`,
    version: hashText(`version ${i}`),
    parents: [hashText(`parent ${i}`)],
    dataHash: hashText(`data ${i}`),
    blob: hashText(`blob ${i}`),
    size: 100,
    type: 'text/markdown',
    tags: [],
    description: '',
    meta: null,
    dependsOn: [],
    at: stampOf(1_790_000_000_000 + i),
    by,
    base: null,
  }
}

/** Median over rounds, in microseconds per run. */
function measure(run: () => void): number {
  const rounds: number[] = []
  for (let round = 0; round < 60; round++) {
    const start = performance.now()
    for (let i = 0; i < 20; i++) run()
    rounds.push(((performance.now() - start) * 1000) / 20)
  }
  return rounds.sort((a, b) => a - b)[30]!
}

function print(what: string, us: number, bytes: number): void {
  const perAdd = (us / ADDS).toFixed(2)
  console.log(`${what.padEnd(34)} ${us.toFixed(0).padStart(6)} µs  ${perAdd} µs an add  ${bytes} B`)
}

const facts = Array.from({ length: ADDS }, (_, i) => factAt(i))
const encodedFacts = facts.map(encodeFact)
const factBytes = encodedFacts.reduce((sum, bytes) => sum + bytes.length, 0)
const encodeFactsUs = measure(() => void facts.forEach(encodeFact))
const decodeFactsUs = measure(() => void encodedFacts.forEach(decodeFact))
print('fact codec, encode', encodeFactsUs, factBytes)
print('fact codec, decode', decodeFactsUs, factBytes)

for (const payloadBytes of [0, 100]) {
  const adds = facts.map((fact, i) => ({
    sequence: 1000 + i,
    added: stampOf(1_790_000_001_000 + i),
    fact,
    payload: payloadBytes === 0 ? null : new Uint8Array(payloadBytes),
  }))
  const frame: Frame = {
    envelope: {
      uuid: by,
      incarnation: '0123456789abcdef',
      status: 'source',
      hash: hashText('root'),
      cut: 1_790_000_000_000,
      clock: stampOf(1_790_000_002_000),
      held: null,
      empty: false,
      gap: false,
    },
    bodies: [{ kind: 'adds', adds }],
  }
  const bytes = encodeFrame(frame)
  const what = `payloads of ${payloadBytes} B`
  const encodeUs = measure(() => void encodeFrame(frame))
  const decodeUs = measure(() => void decodeFrame(bytes, limits.streamFrameBytesMax))
  print(`frame, encode, ${what}`, encodeUs, bytes.length)
  print('  beyond the fact codec', encodeUs - encodeFactsUs, bytes.length - factBytes)
  print(`frame, decode, ${what}`, decodeUs, bytes.length)
  print('  beyond the fact codec', decodeUs - decodeFactsUs, bytes.length - factBytes)
}
