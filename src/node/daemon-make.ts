/**
 * Making a member: its identity, and the facts that its store begins with, either those of a new
 * network or those that an invitation brings. Nothing is written here; the caller has the store.
 */

import { hostname } from 'node:os'
import type { Fact, MemberId } from '../base/fact.ts'
import { limits } from '../base/limits.ts'
import { stampOf } from '../base/stamp.ts'
import { VecheError } from '../base/veche-error.ts'
import type { Decision } from '../consensus/roster/configuration.ts'
import { systemClock, systemEntropy } from './clock.ts'
import { readToken, redeem } from './daemon-join.ts'
import { decisionFact } from './driver/roster-facts.ts'
import { systemFact, systemId } from './driver/system.ts'
import { fixPorts, type Identity } from './identity.ts'
import { readAddress } from './libp2p/addresses.ts'
import { generatePrivateKey, memberIdOf } from './libp2p/keys.ts'

const DEFAULT_LISTEN = ['/ip4/0.0.0.0/tcp/0']

/** What both ways of making a member take. */
export interface MakeOptions {
  /** Default: the host name. */
  readonly name?: string
  /** Multiaddrs; port 0 means: choose a free port once and keep it. Default: all interfaces. */
  readonly listen?: readonly string[]
  /** Multiaddrs that others are told to dial, where they are not those that we listen on. */
  readonly announce?: readonly string[]
}

/** What only the first member of a network can choose. */
export interface NetworkOptions {
  /** Name of the network; default: that of its first member. */
  readonly network?: string
  /** Who may add data in a cut; default `visible`. */
  readonly quorum?: 'visible' | 'roster'
}

/** A member that is made, but in no store yet. */
export interface NewMember {
  readonly identity: Identity
  /** Of the network. */
  readonly network: string
  readonly facts: readonly Fact[]
}

/** The first member of a new network. Throws BAD_REQUEST. */
export async function beginNetwork(options: MakeOptions & NetworkOptions): Promise<NewMember> {
  const identity = await newIdentity(options, systemEntropy.bytes(32))
  const { name, listen, announce } = identity
  const uuid = memberIdOf(identity.privateKey)
  const network = options.network ?? name
  const addresses = announce.length > 0 ? announce : listen
  const described = { peer: uuid, number: 1, name, addresses: [...addresses] }
  const stamp = { at: stampOf(systemClock.wallMs()), by: uuid }
  const facts = [
    systemFact(systemId.network, { name: network }, stamp),
    options.quorum === 'roster'
      ? decisionFact(firstOf(uuid), stamp)
      : systemFact(systemId.quorum, { quorum: 'visible' }, stamp),
    systemFact(systemId.member(uuid, 1), described, stamp),
  ]
  return { identity, network, facts }
}

/** A chain begins with its first member, who alone decides that. */
function firstOf(uuid: MemberId): Decision {
  const change = { kind: 'begin', members: [{ peer: uuid, membership: 1 }] } as const
  return { number: 1, change, ballot: { counter: 1, peer: uuid }, accepted: [uuid] }
}

/** One more member of the network that a token belongs to. Throws as `readToken` and `redeem`. */
export async function enterNetwork(options: MakeOptions, word: string): Promise<NewMember> {
  const token = readToken(word)
  const identity = await newIdentity(options, token.networkKey)
  const facts = await redeem(token, identity)
  return { identity, network: networkNameOf(facts), facts }
}

/** The name of the network that system facts tell of. */
export function networkNameOf(facts: readonly Fact[]): string {
  const meta = facts.find(fact => fact.id === systemId.network)?.meta as { name?: string } | null
  return meta?.name ?? ''
}

/** Addresses to announce, as they are. Throws BAD_REQUEST for one that nobody could dial. */
export function checkedAnnounce(announce: readonly string[]): readonly string[] {
  if (announce.length > limits.addressesMax)
    throw badAnnounce(`At most ${limits.addressesMax} addresses can be announced.`)
  for (const text of announce) {
    const names = readAddress(text)
      ?.getComponents()
      .map(({ name }) => name)
    const isHost = /^(ip4|ip6|dns|dns4|dns6)$/.test(names?.[0] ?? '')
    if (isHost && names?.[1] === 'tcp' && names.length === 2 && !text.endsWith('/tcp/0')) continue
    throw badAnnounce(
      `${text} cannot be announced: name what others dial, for example ` +
        '/dns4/home.example/tcp/4001 or /ip4/203.0.113.7/tcp/4001.',
    )
  }
  return announce
}

function badAnnounce(sentence: string): VecheError {
  return new VecheError('BAD_REQUEST', sentence, { parameter: 'announce' })
}

async function newIdentity(options: MakeOptions, networkKey: Uint8Array): Promise<Identity> {
  const announce = checkedAnnounce(options.announce ?? [])
  return {
    privateKey: await generatePrivateKey(),
    networkKey,
    name: options.name ?? hostname(),
    listen: await fixPorts(options.listen ?? DEFAULT_LISTEN),
    announce,
  }
}
