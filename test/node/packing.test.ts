/**
 * Frames as they travel: what comes out is what went in, whatever it is, and what is no packed frame
 * or more than a frame is refused without being allocated.
 */
import { randomBytes } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../src/base/bytes.ts'
import { limits } from '../../src/base/limits.ts'
import { InvalidPackedFrameError, pack, unpack } from '../../src/node/packing.ts'

/** As a frame begins. */
const LIST = Uint8Array.of(0x8b)

const frameOf = (body: Uint8Array) => concatBytes([LIST, body])

/** A frame of so many bytes, all but the first of them letters. */
function text(length: number): Uint8Array {
  return frameOf(
    utf8(
      randomBytes(length)
        .toString('base64')
        .slice(0, length - 1),
    ),
  )
}

const packedOf = (bytes: Uint8Array, params = {}) =>
  concatBytes([Uint8Array.of(0), new Uint8Array(zstdCompressSync(bytes, { params }))])

describe('a frame as it travels', () => {
  it('is shorter where that saves an eighth, and the same when it arrived', () => {
    for (const length of [limits.packedFromBytes, 300_000, limits.streamFrameBytesMax]) {
      const frame = text(length)
      const packed = pack(frame)
      expect(packed.length).toBeLessThan(frame.length * 0.8)
      expect(Buffer.compare(unpack(packed), frame)).toBe(0)
    }
  })

  it('is left as it is where there is little to save', () => {
    const small = text(limits.packedFromBytes - 1)
    const noise = frameOf(new Uint8Array(randomBytes(300_000)))
    for (const frame of [small, noise]) {
      expect(pack(frame)).toBe(frame)
      expect(unpack(frame)).toBe(frame)
    }
  })

  it('S003-34: is refused when it would be more than a frame, and nothing of that size is allocated', () => {
    const bomb = packedOf(new Uint8Array(256 * 2 ** 20))
    expect(bomb.length).toBeLessThan(64 * 1024)
    const before = process.memoryUsage().arrayBuffers
    expect(() => unpack(bomb)).toThrow(InvalidPackedFrameError)
    const grown = process.memoryUsage().arrayBuffers - before
    expect(grown).toBeLessThan(4 * limits.streamFrameBytesMax)
  })

  it('S003-34: is refused when it asks for a larger window than a frame has', () => {
    const wide = packedOf(new Uint8Array(randomBytes(20 * 2 ** 20)), {
      [constants.ZSTD_c_windowLog]: 24,
    })
    expect(() => unpack(wide)).toThrow(InvalidPackedFrameError)
  })

  it('S003-34: is refused when it was cut or is nonsense', () => {
    const packed = pack(text(300_000))
    for (const bytes of [packed.subarray(0, 1), packed.subarray(0, 1000), Uint8Array.of(0, 1, 2)])
      expect(() => unpack(bytes)).toThrow(InvalidPackedFrameError)
  })
})
