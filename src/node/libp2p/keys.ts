/**
 * The key that is a member's identity: an Ed25519 private key in libp2p's own protobuf form (68
 * bytes), which other libp2p programs can read. The member id is the peer id that follows from it,
 * so whoever holds the bytes is the member; they are never logged and never sent.
 */
import { createPrivateKey, sign } from 'node:crypto'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { VecheError } from '../../base/veche-error.ts'

/** A new identity, as bytes to keep. */
export async function generatePrivateKey(): Promise<Bytes> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'))
}

/** The key in its bytes; a VecheError `DAMAGED` when they are no Ed25519 private key. */
export function readPrivateKey(bytes: Bytes): Ed25519PrivateKey {
  let cause: unknown
  try {
    const key = privateKeyFromProtobuf(bytes)
    if (key.type === 'Ed25519') return key
  } catch (error) {
    cause = error
  }
  throw new VecheError('DAMAGED', 'The private key of this member cannot be read.', {}, cause)
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

/**
 * The same key, which signs with what OpenSSL has made of it once. As it comes, each signature has the key
 * written as JSON and read again: that costs more than the signature, at every ping.
 */
export function quickSigner(key: PrivateKey): PrivateKey {
  if (key.type !== 'Ed25519') return key
  const der = Buffer.concat([PKCS8_HEAD, key.raw.subarray(0, SEED_BYTES)])
  const made = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const signing = {
    value: (message: { subarray(): Bytes }) => sign(null, message.subarray(), made),
  }
  return Object.create(key, { sign: signing })
}

/** The id of the member that holds this key. */
export function memberIdOf(privateKeyBytes: Bytes): MemberId {
  return peerIdFromPrivateKey(readPrivateKey(privateKeyBytes)).toString()
}
