/**
 * The raw bytes of an upload on their way from a socket to the member: pushed on one side, pulled
 * as an AsyncIterable on the other. It holds at most about `limits.uploadAheadBytesMax`: the pusher
 * stops while `isFull`. When the puller stops early, whatever still comes is thrown away, so that
 * the connection stays in step with its lines.
 */
import type { Bytes } from '../base/bytes.ts'
import { limits } from '../base/limits.ts'

export class ByteChannel implements AsyncIterable<Bytes> {
  readonly #pieces: Bytes[] = []
  #held = 0
  #state: 'open' | 'ended' | 'failed' | 'discarding' = 'open'
  #error: unknown
  #wake: (() => void) | undefined
  readonly #onRoom: () => void

  /** `onRoom` is called when a full channel has room again. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom
  }

  get isFull(): boolean {
    return this.#state === 'open' && this.#held >= limits.uploadAheadBytesMax
  }

  push(piece: Bytes): void {
    if (this.#state !== 'open' || piece.length === 0) return
    this.#pieces.push(piece)
    this.#held += piece.length
    this.#wake?.()
  }

  /** All bytes came. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended'
    this.#wake?.()
  }

  /** No more will come: the puller gets this error, also before what is still held. */
  fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = error
    this.#drop()
    this.#wake?.()
  }

  /** Nobody pulls any more. */
  discard(): void {
    if (this.#state === 'open') this.#state = 'discarding'
    this.#drop()
    this.#onRoom()
  }

  #drop(): void {
    this.#pieces.length = 0
    this.#held = 0
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, void> {
    try {
      for (;;) {
        if (this.#state === 'failed') throw this.#error
        const piece = this.#pieces.shift()
        if (piece !== undefined) {
          const wasFull = this.isFull
          this.#held -= piece.length
          if (wasFull && !this.isFull) this.#onRoom()
          yield piece
        } else if (this.#state === 'open') {
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
          this.#wake = undefined
        } else {
          return
        }
      }
    } finally {
      this.discard()
    }
  }
}
