/**
 * The receiving end of one lane from one member: cuts the stream into frames and hands them on one
 * at a time. The next frame is read when the last was dealt with, so a busy member slows the sender
 * down instead of filling its own memory.
 *
 * Invariants: nothing is allocated from a length that the other side names; a frame is at most
 * `streamFrameBytesMax`; the bytes handed on are the receiver's own, a plain Uint8Array.
 */
import type { Stream } from '@libp2p/interface'
import { decode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import type { Bytes } from '../../base/bytes.ts'
import { limits } from '../../base/limits.ts'
import { type Chunk, type FlowDuplex, flowDuplex } from './flow-duplex.ts'

export interface InLane {
  /** Hands all frames to `deliver`, in order; ends with the stream, rejects when it breaks. */
  readonly read: (deliver: (frame: Bytes) => void | Promise<void>) => Promise<void>
}

/** Attach at once when the stream is handed over; reading may begin later. */
export function inLane(stream: Stream, onBytes: () => void): InLane {
  const duplex: FlowDuplex = flowDuplex(stream)
  stream.addEventListener('message', onBytes)
  return {
    read: deliver =>
      pipe(
        duplex.source,
        source => decode(source, { maxDataLength: limits.streamFrameBytesMax }),
        async frames => {
          for await (const frame of frames) {
            const done = deliver(plainBytes(frame))
            if (done !== undefined) await done
          }
        },
      ),
  }
}

/** One frame of at most `maxBytes` from a stream that ends after it, or undefined if none came. */
export async function readOne(stream: Stream, maxBytes: number): Promise<Bytes | undefined> {
  for await (const frame of decode(flowDuplex(stream).source, { maxDataLength: maxBytes }))
    return plainBytes(frame)
  return undefined
}

/** As a plain Uint8Array: on Node's own Buffer, `slice` would not copy. */
export function plainBytes(chunk: Chunk): Bytes {
  const bytes = chunk instanceof Uint8Array ? chunk : chunk.subarray()
  if (bytes.constructor === Uint8Array) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
