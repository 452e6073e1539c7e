/**
 * Pieces of large payloads for the members that fetch them. They are asked for one after the other,
 * so several are read at once: to open, read and close a file for each piece takes longer than to
 * send it.
 *
 * What was read is good for a second: a payload that is found damaged is read anew soon after, and
 * whoever fetches it holds the whole against its hash.
 */
import { type Bytes, concatBytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
import type { Store } from '../../storage/store.ts'

/** Read at once: with three members that give in turn, each of them sends most of what it read. */
const RUN_BYTES = 4 * limits.pieceBytes
/** Runs that are kept, one for each member and payload. */
const RUNS_MAX = 8
const GOOD_MS = 1000

/** Bytes of a payload that were read together. */
interface Run {
  readonly offset: number
  readonly end: number
  readonly readAtMs: number
  /** `null`: the payload is not here, or damaged. */
  readonly bytes: Promise<Bytes | null>
}

/** Reads pieces for askers. */
export class ChunkReader {
  readonly #store: Store
  readonly #now: () => number
  readonly #runs = new Map<string, Run>()

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Bytes [offset, offset + length) of a payload of `size` bytes; `null` when it is not here. */
  async piece(asked: {
    readonly by: MemberId
    readonly blob: Hash
    readonly size: number
    readonly offset: number
    readonly length: number
  }): Promise<Bytes | null> {
    const { by, blob, size, offset } = asked
    const end = Math.min(offset + asked.length, size)
    const key = by + blob
    const known = this.#runs.get(key)
    const isGood =
      known !== undefined &&
      known.offset <= offset &&
      end <= known.end &&
      this.#now() - known.readAtMs < GOOD_MS
    const run = isGood ? known : this.#begin(blob, offset, Math.min(offset + RUN_BYTES, size))
    this.#runs.delete(key)
    this.#runs.set(key, run)
    if (this.#runs.size > RUNS_MAX) this.#runs.delete(this.#runs.keys().next().value!)
    const bytes = await run.bytes
    return bytes === null ? null : bytes.subarray(offset - run.offset, end - run.offset)
  }

  #begin(blob: Hash, offset: number, end: number): Run {
    return { offset, end, readAtMs: this.#now(), bytes: this.#read(blob, offset, end - offset) }
  }

  async #read(blob: Hash, offset: number, length: number): Promise<Bytes | null> {
    const pieces: Bytes[] = []
    try {
      for await (const piece of this.#store.readPayload(blob, offset, length)) pieces.push(piece)
    } catch (error) {
      if (!(error instanceof VecheError)) throw error
      return null // damaged or set aside under the reading: for the asker it is not here
    }
    const bytes = pieces.length === 1 ? pieces[0]! : concatBytes(pieces)
    return bytes.length === length ? bytes : null
  }
}
