/**
 * SHA-256 in two forms behind one door: the native one of Node (8 to 35 times faster) and the
 * portable one of @noble/hashes (browsers, and the oracle of our tests). `VECHE_HASH=noble`, read
 * once when the module loads, chooses the portable one; everything else follows from the bytes, so
 * members of both kinds agree.
 */
import * as nodeCrypto from 'node:crypto'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { type Bytes, toHex, utf8 } from './bytes.ts'

/** A SHA-256 as 64 lower-case hex digits. */
export type Hash = string

export type HashForm = 'native' | 'noble'

/** A hash over a payload that comes in pieces. */
export interface StreamingHash {
  update(bytes: Bytes): void
  /** Ends the hash; call once. */
  digest(): Hash
}

interface HashImplementation {
  readonly form: HashForm
  into(source: Bytes, start: number, end: number, target: Bytes, at: number): void
  bytes(bytes: Bytes): Hash
  ascii(text: string): Hash
  stream(): StreamingHash
}

const native: HashImplementation = {
  form: 'native',
  // A digest as a one-byte string, copied by hand, costs a quarter of one as a new Buffer.
  into(source, start, end, target, at) {
    const text = nodeCrypto.hash('sha256', rangeOf(source, start, end), 'binary')
    for (let i = 0; i < 32; i++) target[at + i] = text.charCodeAt(i)
  },
  bytes: bytes => nodeCrypto.hash('sha256', bytes, 'hex'),
  ascii: text => nodeCrypto.hash('sha256', text, 'hex'),
  stream() {
    const hash = nodeCrypto.createHash('sha256')
    return { update: bytes => void hash.update(bytes), digest: () => hash.digest('hex') }
  },
}

const noble: HashImplementation = {
  form: 'noble',
  into: (source, start, end, target, at) =>
    target.set(nobleSha256(rangeOf(source, start, end)), at),
  bytes: bytes => toHex(nobleSha256(bytes)),
  ascii: text => toHex(nobleSha256(utf8(text))),
  stream() {
    const hash = nobleSha256.create()
    return { update: bytes => void hash.update(bytes), digest: () => toHex(hash.digest()) }
  },
}

function rangeOf(source: Bytes, start: number, end: number): Bytes {
  return start === 0 && end === source.length ? source : source.subarray(start, end)
}

/** Both forms, for the tests that hold them against each other. */
export const hashForms = { native, noble } as const

const chosen: HashImplementation =
  process.env.VECHE_HASH === 'noble' || typeof nodeCrypto.hash !== 'function' ? noble : native

/** The form that this process uses. */
export const hashForm: HashForm = chosen.form

/** SHA-256 of bytes. */
export const hashBytes: (bytes: Bytes) => Hash = chosen.bytes

/** SHA-256 of a text's UTF-8 bytes. */
export const hashText: (text: string) => Hash = chosen.ascii

/**
 * SHA-256 of source[start, end), its 32 bytes written into `target` from `at` on: for trees, which
 * hash much and keep their hashes in large buffers.
 */
export const hashInto: HashImplementation['into'] = chosen.into

/** SHA-256 of a payload in pieces. */
export const hashStream: () => StreamingHash = chosen.stream

/** 64 zeros: the dataHash of a delete, the digest of a parent that is not held, the empty node. */
export const ZERO_HASH: Hash = '0'.repeat(64)

/** Whether a text is a hash: 64 lower-case hex digits. */
export function isHash(text: string): text is Hash {
  return text.length === 64 && /^[0-9a-f]{64}$/.test(text)
}
