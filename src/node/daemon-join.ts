/**
 * Entering a network by an invitation over libp2p: a short-lived network of our own, with the keys
 * that the member will have, knocks at the door of the member that issued the token. What is said
 * there, and for how long it is tried, is in entering.ts.
 */
import type { Fact } from '../base/fact.ts'
import { VecheError } from '../base/veche-error.ts'
import { systemClock } from './clock.ts'
import { enterOver } from './entering.ts'
import type { Identity } from './identity.ts'
import { createLibp2pNetwork } from './libp2p/network.ts'
import { silentLog } from './log.ts'
import { decodeToken, type Token } from './token.ts'

/** The token that a word says. Throws BAD_REQUEST, EXPIRED. */
export function readToken(word: string): Token {
  const token = decodeToken(word)
  if (token.expires < systemClock.wallMs()) {
    throw new VecheError('EXPIRED', 'This token has expired. Ask for a new one: `veche invite`.')
  }
  return token
}

/**
 * Redeems an invitation: knocks until the issuer answers for good. Throws UNAVAILABLE, USED,
 * EXPIRED, FORBIDDEN, REMOVED, IN_USE.
 */
export async function redeem(token: Token, identity: Identity): Promise<readonly Fact[]> {
  const network = await createLibp2pNetwork({
    privateKey: identity.privateKey,
    networkKey: identity.networkKey,
    listen: identity.listen,
    announce: identity.announce,
    mdns: false,
    clock: systemClock,
    log: silentLog,
  })
  return await enterOver(network, systemClock, token, identity.name)
}
