/**
 * Noise whose messages are encrypted with a key that is handed to OpenSSL once. As it comes, each
 * message brings its key as bytes, of which Node makes a key object anew: that costs more than the
 * encryption of a frame with a small write. The handshake stays as the library does it.
 *
 * Invariants: the bytes on the wire are those of the library's own cipher; a message whose tag is
 * wrong throws and gives no byte of its text.
 */
import {
  type CipherChaCha20Poly1305,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherChaCha20Poly1305,
  type KeyObject,
} from 'node:crypto'
import { type NoiseInit, noise } from '@chainsafe/libp2p-noise'
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'
import type { Bytes } from '../../base/bytes.ts'
import { shorten } from './short-way.ts'

/** Bytes, or a list of them that was not joined. */
type Pieces = StreamMessageEvent['data']

type Cipher = (text: Pieces, nonce: Bytes, ad: Bytes, key: Bytes, target?: Bytes) => Pieces

/** A connection as the library makes it: what came is opened message by message. */
interface Opening {
  decrypt(sealed: Pieces): Pieces
  /** Cuts what came into messages, each behind its length. */
  readonly decoder: { lengthDecoder(bytes: Pieces): number }
  readonly handshake: { decrypt(sealed: Pieces): Pieces }
}

/** What the library made of its own cipher; its interface does not name it. */
interface Ciphers {
  encrypt: Cipher
  decrypt: Cipher
}

/** Up to here the library's cipher in WebAssembly is quicker than the way into OpenSSL. */
const SMALL_BYTES_MAX = 400

/** From here on a copy costs more than the parts do. */
const LARGE_BYTES = 8 * 1024

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16

/** As the library's `noise`, with the ciphers of this file. */
export function quickNoise(init: NoiseInit): ReturnType<typeof noise> {
  return components => {
    const made = noise(init)(components)
    const { crypto } = made as unknown as { readonly crypto: Ciphers }
    quicken(crypto)
    const { secureInbound, secureOutbound } = made
    made.secureInbound = async (...args) => lighter(await secureInbound.apply(made, args))
    made.secureOutbound = async (...args) => lighter(await secureOutbound.apply(made, args))
    return made
  }
}

const LENGTH_BYTES = 2
/** More than any message has: the library waits for so much, and does not throw. */
const NOT_YET = 1024 * 1024

/**
 * For each message the library makes room for its text, which the ciphers of this file do not use, and
 * behind each it looks for the next length, which is seldom there: then it makes an error with its stack.
 */
function lighter<Secured extends { readonly connection: MessageStream }>(
  secured: Secured,
): Secured {
  const opening = secured.connection as unknown as Opening
  const { decrypt, decoder } = opening
  const { lengthDecoder } = decoder
  decoder.lengthDecoder = bytes =>
    bytes.byteLength < LENGTH_BYTES ? NOT_YET : lengthDecoder(bytes)
  opening.decrypt = sealed => {
    if (sealed.byteLength <= SMALL_BYTES_MAX) return decrypt.call(opening, sealed)
    return opening.handshake.decrypt(sealed)
  }
  shorten(secured.connection)
  return secured
}

/** Puts the quicker ciphers in the place of the library's, for texts that are not small. */
export function quicken(ciphers: Ciphers): void {
  const { encrypt, decrypt } = ciphers
  // A key is one array for as long as its connection lasts, and goes with it.
  const keys = new WeakMap<Bytes, KeyObject>()
  const keyOf = (bytes: Bytes): KeyObject => {
    let key = keys.get(bytes)
    if (key === undefined) {
      key = createSecretKey(bytes)
      keys.set(bytes, key)
    }
    return key
  }
  ciphers.encrypt = (text, nonce, ad, key) => {
    if (text.byteLength <= SMALL_BYTES_MAX) return encrypt(text, nonce, ad, key)
    return seal(createCipheriv(CIPHER, keyOf(key), nonce, { authTagLength: TAG_BYTES }), text, ad)
  }
  ciphers.decrypt = (sealed, nonce, ad, key, target) => {
    if (sealed.byteLength <= SMALL_BYTES_MAX) return decrypt(sealed, nonce, ad, key, target)
    const options = { authTagLength: TAG_BYTES }
    return unseal(createDecipheriv(CIPHER, keyOf(key), nonce, options), sealed, ad)
  }
}

function seal(cipher: CipherChaCha20Poly1305, text: Pieces, ad: Bytes): Pieces {
  cipher.setAAD(ad, { plaintextLength: text.byteLength })
  const parts = pieces(text).map(piece => cipher.update(piece))
  cipher.final() // a stream cipher has no last bytes
  parts.push(cipher.getAuthTag())
  return joined(parts, text)
}

function unseal(decipher: DecipherChaCha20Poly1305, sealed: Pieces, ad: Bytes): Pieces {
  const length = sealed.byteLength - TAG_BYTES
  decipher.setAAD(ad, { plaintextLength: length })
  decipher.setAuthTag(sealed.subarray(length))
  const text = sealed instanceof Uint8Array ? sealed.subarray(0, length) : sealed.sublist(0, length)
  const parts = pieces(text).map(piece => decipher.update(piece))
  decipher.final() // throws where the tag does not fit; a stream cipher has no last bytes
  return joined(parts, text)
}

/** Large lists stay lists: a copy of each would be thrown away at once. */
function joined(parts: readonly Uint8Array[], like: Pieces): Pieces {
  if (parts.length === 1) return parts[0]!
  if (like instanceof Uint8Array || like.byteLength < LARGE_BYTES) return Buffer.concat(parts)
  const list = like.sublist(0, 0) // of the library's own kind
  for (const part of parts) list.append(part)
  return list
}

function pieces(bytes: Pieces): Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : [...bytes]
}
