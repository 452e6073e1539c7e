/**
 * HalfSipHash-2-4 with 64 bits of output (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast
 * short-input PRF", 2012, and the authors' form for 32-bit words): who does not know the key cannot
 * aim at an equal output. For what has to be told apart within one conversation under a key that
 * was drawn for it; never in place of SHA-256, which needs no secret. A tenth of SHA-256's time here.
 */
import type { Bytes } from './bytes.ts'

/** Bytes of a key. */
export const HALF_SIP_KEY_BYTES = 8

/** A key in the form that is used: two words. */
export interface HalfSipKey {
  readonly low: number
  readonly high: number
}

/** Reads a key of HALF_SIP_KEY_BYTES. */
export function halfSipKey(bytes: Bytes): HalfSipKey {
  return { low: wordAt(bytes, 0), high: wordAt(bytes, 4) }
}

/**
 * Writes the first `width` bytes (5 to 8) of the output for `source` from `start` to `end`, whole
 * words only (a multiple of 4 bytes), to `target` at `at`.
 */
export function halfSipHash(
  key: HalfSipKey,
  { source, start, end }: { readonly source: Bytes; readonly start: number; readonly end: number },
  { target, at, width }: { readonly target: Bytes; readonly at: number; readonly width: number },
): void {
  const words = (end - start) >> 2
  let v0 = key.low
  let v1 = key.high ^ 0xee
  let v2 = key.low ^ 0x6c796765
  let v3 = key.high ^ 0x74656462
  let word = 0
  let first = 0
  // The words, then the length, then the two halves of the output.
  for (let step = 0; step <= words + 2; step++) {
    const isTaking = step <= words
    if (isTaking) {
      word = step < words ? wordAt(source, start + (step << 2)) : (end - start) << 24
      v3 ^= word
    } else if (step === words + 1) {
      v2 ^= 0xee
    } else {
      first = v1 ^ v3
      v1 ^= 0xdd
    }
    for (let round = isTaking ? 2 : 4; round > 0; round--) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    if (isTaking) v0 ^= word
  }
  const second = v1 ^ v3
  for (let i = 0; i < 4; i++) target[at + i] = first >>> (8 * i)
  for (let i = 4; i < width; i++) target[at + i] = second >>> (8 * (i - 4))
}

/** Four bytes as a word, the lowest first. */
function wordAt(bytes: Bytes, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
