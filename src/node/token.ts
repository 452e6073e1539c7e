/**
 * Invitation tokens (PROTOCOL 10): the network's key, where its members are, and a one-time secret,
 * as one word that can be pasted. Whoever has it can join once, so it is to be kept like a password.
 */
import type { Bytes } from '../base/bytes.ts'
import { decodeWith, encodeCbor } from '../base/cbor.ts'
import { asBytes, asInt, asList, asText, asTuple } from '../base/cbor-read.ts'
import type { MemberId } from '../base/fact.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import { INVITATION_SECRET_BYTES } from '../wire/door.ts'

const PREFIX = 'veche1-'
const NETWORK_KEY_BYTES = 32

export interface Token {
  readonly networkKey: Bytes
  readonly secret: Bytes
  /** The member that issued it, and the only one that redeems it. */
  readonly issuer: MemberId
  /** Multiaddrs of the issuer. */
  readonly addresses: readonly string[]
  /** Milliseconds since 1970, by the issuer's clock. */
  readonly expires: number
}

/** The token as a word. */
export function encodeToken(token: Token): string {
  const { networkKey, secret, issuer, addresses, expires } = token
  const bytes = encodeCbor([networkKey, secret, issuer, [...addresses], expires])
  return PREFIX + Buffer.from(bytes).toString('base64url')
}

/** The token that a word says; throws BAD_REQUEST when it says none. */
export function decodeToken(word: string): Token {
  const text = word.trim()
  if (!text.startsWith(PREFIX)) throw noToken()
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url')
  const decoded = decodeWith(bytes, limits.tokenBytesMax, value => {
    const field = asTuple(value, 5, 'a token')
    return {
      networkKey: asBytes(field[0], NETWORK_KEY_BYTES, 'the network key'),
      secret: asBytes(field[1], INVITATION_SECRET_BYTES, 'the secret'),
      issuer: asText(field[2], limits.memberIdBytesMax, 'the issuer'),
      addresses: asList(
        field[3],
        limits.addressesMax,
        entry => asText(entry, limits.addressBytesMax, 'an address'),
        'the addresses',
      ),
      expires: asInt(field[4], 0, Number.MAX_SAFE_INTEGER, 'the expiry'),
    }
  })
  if (!decoded.ok) throw noToken()
  return decoded.value
}

function noToken(): VecheError {
  const sentence = 'That is no invitation token. Copy the whole word that `veche invite` printed.'
  return new VecheError('BAD_REQUEST', sentence, { parameter: 'token' })
}
