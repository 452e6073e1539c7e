/**
 * Entering a network by an invitation, over whatever network port: knocks at the door of the member
 * that issued the token until it answers for good, and carries home the facts that describe the
 * network. It says nothing else and answers nobody: who joins is no member yet.
 */
import type { Fact } from '../base/fact.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import { decodeDoorAnswer, encodeDoorAnswer, encodeDoorRequest } from '../wire/door.ts'
import type { Clock, Network, NetworkListener } from './ports.ts'
import type { Token } from './token.ts'

/** How long `join` goes on trying when the issuer is busy or away for the moment. */
const JOIN_MS = 30_000
const JOIN_RETRY_MS = 1000

/** Redeems a token; the network is started for it and stopped again. Throws as `redeem`. */
export async function enterOver(
  network: Network,
  clock: Clock,
  token: Token,
  name: string,
): Promise<readonly Fact[]> {
  await network.start(stranger)
  try {
    const request = encodeDoorRequest({
      kind: 'redeem',
      secret: token.secret,
      peer: network.self,
      name,
      addresses: network.addresses().slice(0, limits.addressesMax),
    })
    const contact = { peer: token.issuer, addresses: token.addresses }
    for (const until = clock.monotonicMs() + JOIN_MS; ; ) {
      const outcome = await knockOnce(() => network.knock(contact, request))
      if (outcome.kind === 'welcome') return outcome.facts
      if (outcome.kind === 'refused' || clock.monotonicMs() > until) throw outcome.error
      await new Promise<void>(resolve => clock.after(JOIN_RETRY_MS, resolve))
    }
  } finally {
    await network.stop()
  }
}

type Knocked =
  | { readonly kind: 'welcome'; readonly facts: readonly Fact[] }
  | { readonly kind: 'refused' | 'later'; readonly error: VecheError }

async function knockOnce(knock: () => Promise<Uint8Array>): Promise<Knocked> {
  let bytes: Uint8Array
  try {
    bytes = await knock()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const sentence = `No member in the token answers (${why}). Is it running, and reachable from here?`
    return { kind: 'later', error: new VecheError('UNAVAILABLE', sentence, {}, error) }
  }
  const decoded = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
  if (!decoded.ok) {
    const sentence = `The member's answer cannot be read: ${decoded.sentence}`
    return { kind: 'refused', error: new VecheError('UNAVAILABLE', sentence) }
  }
  const answer = decoded.value
  if (answer.kind === 'welcome') return answer
  if (answer.kind === 'removed') {
    const error = new VecheError('REMOVED', 'This machine was removed from the network.')
    return { kind: 'refused', error }
  }
  const { code, sentence } = answer
  if (code === 'BUSY') return { kind: 'later', error: new VecheError('UNAVAILABLE', sentence) }
  const errorCode =
    code === 'USED_TOKEN' ? 'USED' : code === 'EXPIRED_TOKEN' ? 'EXPIRED' : 'FORBIDDEN'
  return { kind: 'refused', error: new VecheError(errorCode, sentence) }
}

/** A member that hears of it before it does may ask at its door: that gets an answer, too. */
const JOINING = {
  kind: 'refused',
  code: 'BUSY',
  sentence: 'This machine is joining at this moment.',
} as const

/** Who joins answers nothing else yet: it is no member. */
const stranger: NetworkListener = {
  gossip() {},
  frame() {},
  connected() {},
  disconnected() {},
  admit: () => 'door',
  door: async () => encodeDoorAnswer(JOINING),
  discovered() {},
}
