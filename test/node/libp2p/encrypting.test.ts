/**
 * Messages encrypted with a kept key: the same bytes as the library's own cipher makes, for every
 * size around its borders, whole and in pieces; and nothing of a message that was changed.
 */
import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise'
import { expect, test } from 'vitest'
import { quicken } from '../../../src/node/libp2p/encrypting.ts'

type Ciphers = Parameters<typeof quicken>[0]
type Pieces = Parameters<Ciphers['encrypt']>[0]

const SIZES = [0, 1, 384, 385, 400, 401, 416, 417, 1366, 16_384, 65_519] as const

const bytes = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed) & 255)

const nonce = (n: number) => bytes(12, n)
const noAd = new Uint8Array(0)

/** The library's ciphers, made as it makes them for a node. */
function own(): Ciphers {
  const components = { logger: { forComponent: () => () => undefined } }
  const made = noise()(components as unknown as NoiseComponents)
  return (made as unknown as { crypto: Ciphers }).crypto
}

function quick(): Ciphers {
  const ciphers = own()
  quicken(ciphers)
  return ciphers
}

/** Bytes that were not joined, as libp2p hands them on. */
class List {
  readonly #parts: Uint8Array[]

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = [...parts]
  }

  append(part: Uint8Array): void {
    this.#parts.push(part)
  }

  get byteLength(): number {
    return Buffer.concat(this.#parts).length
  }

  get length(): number {
    return this.byteLength
  }

  subarray(from?: number, to?: number): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts).subarray(from, to))
  }

  sublist(from: number, to: number): List {
    const cut: Uint8Array[] = []
    let at = 0
    for (const part of this.#parts) {
      const piece = part.subarray(Math.max(0, from - at), Math.max(0, to - at))
      if (piece.length > 0) cut.push(piece)
      at += part.length
    }
    return new List(cut)
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.#parts[Symbol.iterator]()
  }
}

const list = (parts: readonly Uint8Array[]) => new List(parts) as unknown as Pieces
const joined = (text: Pieces) => new Uint8Array(text.subarray())

test.each(SIZES)('%i bytes are sealed as the library seals them, and opened by either', size => {
  const key = bytes(32, 7)
  const text = bytes(size, 3)
  const a = own()
  const b = quick()
  // Copies: the library opens in place.
  const sealed = joined(b.encrypt(text.slice(), nonce(1), noAd, key))
  expect(sealed).toEqual(joined(a.encrypt(text.slice(), nonce(1), noAd, key)))
  expect(joined(b.decrypt(sealed.slice(), nonce(1), noAd, key))).toEqual(text)
  expect(joined(a.decrypt(sealed.slice(), nonce(1), noAd, key))).toEqual(text)
})

test('pieces are sealed and opened as the whole is', () => {
  const key = bytes(32, 7)
  const text = bytes(3000, 3)
  const { encrypt, decrypt } = quick()
  const whole = joined(encrypt(text, nonce(1), noAd, key))
  const parts = list([text.subarray(0, 12), text.subarray(12)])
  expect(joined(encrypt(parts, nonce(1), noAd, key))).toEqual(whole)
  const cut = list([whole.subarray(0, 1000), whole.subarray(1000, 3010), whole.subarray(3010)])
  expect(joined(decrypt(cut, nonce(1), noAd, key))).toEqual(text)
})

test('a large message in pieces stays in pieces, and is the same message', () => {
  const key = bytes(32, 7)
  const text = bytes(60_000, 3)
  const { encrypt, decrypt } = quick()
  const whole = joined(own().encrypt(text.slice(), nonce(1), noAd, key))
  const sealed = encrypt(list([text.subarray(0, 12), text.subarray(12)]), nonce(1), noAd, key)
  expect(sealed).toBeInstanceOf(List)
  expect(joined(sealed)).toEqual(whole)
  const cut = list([whole.subarray(0, 30_000), whole.subarray(30_000)])
  const opened = decrypt(cut, nonce(1), noAd, key)
  expect(opened).toBeInstanceOf(List)
  expect(joined(opened)).toEqual(text)
  const changed = whole.slice()
  changed[59_999]! ^= 1
  const spoilt = list([changed.subarray(0, 30_000), changed.subarray(30_000)])
  expect(() => decrypt(spoilt, nonce(1), noAd, key)).toThrow()
})

test('keys of two connections, and of two directions, are not mixed up', () => {
  const { encrypt, decrypt } = quick()
  const [one, other] = [bytes(32, 1), bytes(32, 2)]
  const text = bytes(1366, 3)
  const sealed = [one, other, one].map(key => joined(encrypt(text, nonce(1), noAd, key)))
  expect(sealed[0]).toEqual(sealed[2])
  expect(sealed[0]).not.toEqual(sealed[1])
  expect(joined(decrypt(sealed[1]!, nonce(1), noAd, other))).toEqual(text)
  expect(() => decrypt(sealed[1]!.slice(), nonce(1), noAd, one)).toThrow()
})

test('a message of which one bit was changed is not opened, wherever the bit is', () => {
  const key = bytes(32, 7)
  const { encrypt, decrypt } = quick()
  const sealed = joined(encrypt(bytes(1366, 3), nonce(1), noAd, key))
  for (const at of [0, 700, 1365, 1366, 1381]) {
    const changed = sealed.slice()
    changed[at]! ^= 1
    expect(() => decrypt(changed, nonce(1), noAd, key)).toThrow()
  }
  expect(() => decrypt(sealed.slice(), nonce(2), noAd, key)).toThrow()
  expect(() => decrypt(sealed.slice(0, 1000), nonce(1), noAd, key)).toThrow()
  expect(joined(decrypt(sealed, nonce(1), noAd, key)).length).toBe(1366)
})
