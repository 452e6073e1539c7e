/**
 * Feeds targets with spoilt input, seeded: half by meaning, half by bytes, some of it pure chance.
 * A finding is an exception, an answer that contradicts itself, an input that takes too long (the
 * fastest of three tries), or memory that grows. Input that found something goes into the corpus.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Bytes, fromHex, toHex } from '../../src/base/bytes.ts'
import { Random } from '../random.ts'
import { below, chance, mutateBytes, pick } from './mutate.ts'
import type { Target } from './targets.ts'

/** One input may take so long; the largest of them are of some 100 KiB. */
const inputMsMax = 200
/** On top of that, for each MiB: a record of a very hot item is long, and is read in one go. */
const mibMsMax = 100
const MIB = 1024 * 1024
/** So much more may be in use after a batch than before the first. */
const growthBytesMax = 400 * 1024 * 1024
const batchInputs = 2000

export interface Finding {
  readonly target: string
  readonly sentence: string
  /** The input, in hex. */
  readonly input: string
}

export interface Fuzzed {
  readonly target: string
  readonly inputs: number
  readonly accepted: number
  readonly slowestMs: number
  readonly finding: Finding | null
}

/** The good and the once bad inputs of a target: lines of hex. */
export function corpusOf(name: string): Bytes[] {
  const path = fileURLToPath(new URL(`../../test/fuzz/corpus/${name}.txt`, import.meta.url))
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => fromHex(line)!)
}

/** Feeds a target so many inputs, the corpus first; stops at the first finding. */
export async function fuzz(target: Target, inputs: number, seed: string): Promise<Fuzzed> {
  const corpus = corpusOf(target.name)
  const random = new Random(`${seed}/${target.name}`)
  const began = memoryInUse()
  let accepted = 0
  let slowestMs = 0
  const done = (count: number, finding: Finding | null): Fuzzed => ({
    target: target.name,
    inputs: count,
    accepted,
    slowestMs,
    finding,
  })
  for (let count = 0; count < inputs; count++) {
    const input = corpus[count] ?? inputFrom(target, corpus, random)
    const told = (sentence: string) =>
      done(count + 1, { target: target.name, sentence, input: toHex(input) })
    const allowedMs = inputMsMax + (input.length / MIB) * mibMsMax
    try {
      const startedAt = performance.now()
      if (target.take(input, random)) accepted += 1
      const firstMs = performance.now() - startedAt
      const ms =
        firstMs > Math.min(slowestMs, allowedMs)
          ? fastestMs(target, input, random, firstMs)
          : firstMs
      slowestMs = Math.max(slowestMs, ms)
      if (ms > allowedMs) return told(`took ${Math.round(ms)} ms`)
    } catch (error) {
      return told(error instanceof Error ? `${error.name}: ${error.message}` : 'threw no error')
    }
    const isBatchEnd = count % batchInputs === batchInputs - 1
    if (isBatchEnd && (await hasGrown(began))) return told('memory grows')
  }
  return done(inputs, null)
}

/** The machine may have done something else meanwhile. */
function fastestMs(target: Target, input: Bytes, random: Random, firstMs: number): number {
  let fastest = firstMs
  for (let again = 0; again < 2; again++) {
    const startedAt = performance.now()
    target.take(input, random)
    fastest = Math.min(fastest, performance.now() - startedAt)
  }
  return fastest
}

function inputFrom(target: Target, corpus: readonly Bytes[], random: Random): Bytes {
  if (below(random, 50) === 0) return chance(random, below(random, 300))
  const base = pick(random, corpus)
  if (target.spoil !== undefined && below(random, 2) === 0) {
    const spoilt = target.spoil(base, random)
    return below(random, 8) === 0 ? mutateBytes(spoilt, base, random) : spoilt
  }
  return mutateBytes(base, pick(random, corpus), random)
}

/** Collections, with turns of the event loop between them, after which nothing lies there unused. */
const COLLECTIONS = 4

/** What nobody uses any more is no growth, however long V8 leaves it lying. */
async function hasGrown(began: number): Promise<boolean> {
  await turn() // what was opened for an input is closed when its turn ends
  for (let times = 0; times < COLLECTIONS; times++) {
    if (memoryInUse() - began <= growthBytesMax) return false
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    await turn()
  }
  return memoryInUse() - began > growthBytesMax
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
