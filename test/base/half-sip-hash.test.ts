import { describe, expect, it } from 'vitest'
import { halfSipHash, halfSipKey } from '../../src/base/half-sip-hash.ts'

/** The authors' vectors (vectors.h, 64 bits of output): key 00 … 07, input 00, 01, 02 … of so many bytes. */
const AUTHORS: Readonly<Record<number, string>> = {
  0: '218d1f59b9b83cc8',
  4: 'd5e78a175be52ea1',
  8: 'edfee820bce4858c',
  12: '7bc71f9faef5c799',
  16: '7336aad25f7bf3b5',
  20: '1bf52b0a6feea7db',
  24: '70741045ae3fa6f1',
  28: '2d925ffb1e0016b5',
  32: '28709d46d811626c',
  36: '86d67a40ec4276dc',
  40: '5b38c81c67c8ae4c',
  44: '1e30f3ad27dcb15a',
  48: 'a9eaa8c04ba93e3e',
  52: '02445a7998f550e1',
  56: 'a1a492f942f15f1d',
  60: 'd6762890bf26e460',
}
const key = halfSipKey(Uint8Array.from({ length: 8 }, (_, i) => i))
const counting = Uint8Array.from({ length: 80 }, (_, i) => i)

function hexOf(source: Uint8Array, start: number, end: number, width = 8, by = key): string {
  const target = new Uint8Array(12).fill(0xaa)
  halfSipHash(by, { source, start, end }, { target, at: 2, width })
  expect([...target.subarray(0, 2), ...target.subarray(2 + width)]).toEqual(
    Array(12 - width).fill(0xaa),
  )
  return Buffer.from(target.subarray(2, 2 + width)).toString('hex')
}

describe('HalfSipHash-2-4', () => {
  it("gives the authors' outputs for whole words", () => {
    for (const [bytes, output] of Object.entries(AUTHORS))
      expect([bytes, hexOf(counting, 0, Number(bytes))]).toEqual([bytes, output])
  })

  it('writes as many bytes as it is asked for, the first ones, and no others', () => {
    for (const width of [5, 6, 7, 8])
      expect(hexOf(counting, 0, 32, width)).toBe(AUTHORS[32]!.slice(0, 2 * width))
  })

  it('reads from where it is told, also with bytes above 127', () => {
    const high = Uint8Array.from({ length: 32 }, (_, i) => 255 - i)
    const shifted = new Uint8Array(39)
    shifted.set(high, 7)
    expect(hexOf(shifted, 7, 39)).toBe(hexOf(high, 0, 32))
    expect(hexOf(shifted, 7, 39)).not.toBe(hexOf(shifted, 6, 38))
  })

  it('gives others under another key: no bit of it is without a part', () => {
    const seen = new Set([hexOf(counting, 0, 64)])
    for (let bit = 0; bit < 64; bit++) {
      const other = Uint8Array.from({ length: 8 }, (_, i) => i)
      other[bit >> 3]! ^= 1 << (bit & 7)
      seen.add(hexOf(counting, 0, 64, 8, halfSipKey(other)))
    }
    expect(seen.size).toBe(65)
  })
})
