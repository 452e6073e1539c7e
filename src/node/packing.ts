/**
 * Large frames of the main lane travel compressed, with zstd (RFC 8878): answers of hundreds of items
 * repeat types, members and beginnings of ids, and most small payloads are texts. Pieces of large
 * payloads travel as they are: what is large is mostly compressed already.
 *
 * A frame begins with the head of a CBOR list, never with 0, so its first byte tells a packed one.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { invariant } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'

const PACKED = 0

/** The cheapest that also shortens texts: 4 µs a KiB, where encoding a frame takes 8 (docs/decisions/0019). */
const LEVEL = 1
/** What is less than an eighth shorter is not worth its unpacking. */
const SAVED_MIN = 1 / 8
/** A frame fits into a window of 4 MiB; one that asks for more asks us to allocate it. */
const WINDOW_LOG = 22

/** Bytes of the main lane that are no frame and unpack to none. */
export class InvalidPackedFrameError extends Error {
  override readonly name = 'InvalidPackedFrameError'
}

/** A frame as it travels. */
export function pack(frame: Bytes): Bytes {
  invariant(frame[0] !== PACKED, 'no frame begins with 0')
  if (frame.length < limits.packedFromBytes) return frame
  const packed = zstdCompressSync(frame, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
  })
  if (packed.length > frame.length * (1 - SAVED_MIN)) return frame
  return concatBytes([Uint8Array.of(PACKED), packed])
}

/** The frame that arrived; throws `InvalidPackedFrameError`, and never allocates more than a frame may have. */
export function unpack(bytes: Bytes): Bytes {
  if (bytes[0] !== PACKED) return bytes
  try {
    const { buffer, byteOffset, byteLength } = zstdDecompressSync(bytes.subarray(1), {
      maxOutputLength: limits.streamFrameBytesMax,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
    })
    return new Uint8Array(buffer, byteOffset, byteLength)
  } catch (error) {
    throw new InvalidPackedFrameError('A packed frame cannot be unpacked.', { cause: error })
  }
}
