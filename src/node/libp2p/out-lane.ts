/**
 * The sending end of one lane to one member: frames in the order of `send`, each with its length
 * before it. Small frames of one tick leave together, large ones as they are, without a copy.
 *
 * Invariants: a frame's promise is settled exactly once: resolved when the connection took the
 * frame, rejected with a NetworkError when the lane ended first; after its end a lane takes nothing.
 */
import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import { type Bytes, concatBytes } from '../../base/bytes.ts'
import { limits } from '../../base/limits.ts'
import { NetworkError } from '../ports.ts'
import { type Chunk, flowDuplex } from './flow-duplex.ts'

/** Frames from here on are not copied together with others. */
const LARGE_BYTES = 8 * 1024

interface Waiting {
  readonly frame: Bytes
  readonly resolve: () => void
  readonly reject: (error: NetworkError) => void
}

export class OutLane {
  /** Resolves when the stream is open; never rejects: a lane that fails calls `onEnd`. */
  readonly opened: Promise<void>
  readonly #opened = Promise.withResolvers<void>()
  readonly #onEnd: (error: NetworkError) => void
  #queue: Waiting[] = []
  #onTheWay: readonly Waiting[] = []
  #stream: Stream | null = null
  #wake: (() => void) | null = null
  #ended: NetworkError | null = null

  /** `open` may take its time; frames sent before it is done wait. `onEnd` is called once. */
  constructor(open: () => Promise<Stream>, onEnd: (error: NetworkError) => void) {
    this.opened = this.#opened.promise
    this.#onEnd = onEnd
    void this.#run(open)
  }

  /** Resolves when the connection took the frame; rejects when the lane is or comes to its end. */
  send(frame: Bytes): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#queue.push({ frame, resolve, reject })
    this.#wake?.()
    this.#wake = null
    return promise
  }

  /** Ends the lane: what was not taken is rejected, the stream is cut. */
  end(error: NetworkError): void {
    if (this.#ended !== null) return
    this.#ended = error
    for (const { reject } of [...this.#onTheWay, ...this.#queue]) reject(error)
    this.#onTheWay = []
    this.#queue = []
    this.#wake?.()
    this.#wake = null
    this.#stream?.abort(error)
    this.#onEnd(error)
  }

  async #run(open: () => Promise<Stream>): Promise<void> {
    try {
      const stream = await open()
      if (this.#ended !== null) {
        stream.abort(this.#ended)
        return
      }
      this.#stream = stream
      // An idle lane writes nothing and would not notice that the other side cut it.
      stream.addEventListener('close', event => {
        this.end(new NetworkError('The other side closed the stream.', { cause: event.error }))
      })
      const { sink } = flowDuplex(stream)
      this.#opened.resolve()
      await pipe(this.#batches(), sink)
    } catch (error) {
      this.end(new NetworkError('The stream broke.', { cause: error }))
    }
  }

  async *#batches(): AsyncGenerator<Chunk> {
    while (this.#ended === null) {
      if (this.#queue.length === 0) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        continue
      }
      const batch = this.#take()
      this.#onTheWay = batch
      yield encodeFrames(batch)
      // The sink asks for more only when the connection has taken this.
      this.#onTheWay = []
      for (const { resolve } of batch) resolve()
    }
  }

  /** The next frames that leave together: one large, or small ones up to `laneBatchBytes`. */
  #take(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const { frame } of this.#queue) {
      if (count > 0 && frame.length >= LARGE_BYTES) break
      if (count > 0 && bytes + frame.length > limits.laneBatchBytes) break
      bytes += frame.length
      count++
    }
    return this.#queue.splice(0, count)
  }
}

function encodeFrames(batch: readonly Waiting[]): Chunk {
  const options = { maxDataLength: limits.streamFrameBytesMax }
  const first = batch[0]
  if (batch.length === 1 && first !== undefined && first.frame.length >= LARGE_BYTES)
    return encode.single(first.frame, options)
  return concatBytes([
    ...encode(
      batch.map(({ frame }) => frame),
      options,
    ),
  ])
}
