/**
 * Addresses as text, between what libp2p listens on and what another member can dial. Pure: what
 * the machine's interfaces are was already answered by the transport.
 */
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'

/**
 * Own addresses for others: each with our peer id; those of this machine alone last, since they
 * serve only members beside us; none that needs the name of a network card (link-local IPv6).
 */
export function ownAddresses(listening: readonly Multiaddr[], self: MemberId): readonly string[] {
  const texts = listening
    .map(String)
    .filter(text => !text.startsWith('/ip6/fe80'))
    .map(text => withPeer(text, self))
  const local = texts.filter(isLoopback)
  const far = texts.filter(text => !isLoopback(text))
  return [...new Set([...far, ...local])].slice(0, limits.addressesMax)
}

/** Announced addresses as others dial them: with our peer id. */
export function announcedAddresses(announce: readonly string[], self: MemberId): readonly string[] {
  return announce.map(text => withPeer(text, self)).slice(0, limits.addressesMax)
}

/** The addresses of a peer that can be read, each with its peer id; the others are passed over. */
export function dialable(addresses: readonly string[], peer: MemberId): Multiaddr[] {
  return addresses.flatMap(text => {
    const address = readAddress(text)
    if (address === undefined || !isTcp(address)) return []
    const named = address.getComponents().findLast(({ code }) => code === CODE_P2P)?.value
    if (named === undefined) return [address.encapsulate(`/p2p/${peer}`)]
    return named === peer ? [address] : []
  })
}

/**
 * A host and a port, and at most the peer id behind them. Others give these addresses: nothing else
 * that the transport knows (a socket file of this machine, a relay, a list to look up) is dialled.
 */
function isTcp(address: Multiaddr): boolean {
  const [host, port, peer, ...rest] = address.getComponents().map(({ name }) => name)
  const isHost = /^(ip4|ip6|dns|dns4|dns6)$/.test(host ?? '')
  return isHost && port === 'tcp' && (peer ?? 'p2p') === 'p2p' && rest.length === 0
}

/** An address without the peer id at its end. */
export function bareAddress(text: string): string {
  return text.replace(/\/p2p\/[^/]*$/, '')
}

/** A multiaddr, or undefined where the text is none. */
export function readAddress(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    return undefined // not an error here: whoever gave the address is told that it was not reached
  }
}

function withPeer(text: string, self: MemberId): string {
  return text.includes('/p2p/') ? text : `${text}/p2p/${self}`
}

function isLoopback(text: string): boolean {
  return text.startsWith('/ip4/127.') || text.startsWith('/ip6/::1/')
}
