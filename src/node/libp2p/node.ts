/**
 * The libp2p node of a member: transport, encryption, streams and gossip, each with the settings
 * that were measured to work (docs/decisions). The network key is the prologue of the noise
 * handshake: who does not have the same 32 bytes fails in the handshake, before anything is said.
 */
import { type Identify, identify } from '@libp2p/identify'
import type {
  ConnectionGater,
  Ed25519PrivateKey,
  Libp2p,
  MultiaddrConnection,
  PeerId,
  PeerInfo,
  ServiceMap,
} from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type Bytes, concatBytes, utf8 } from '../../base/bytes.ts'
import { hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { quickNoise } from './encrypting.ts'
import { gatherWrites } from './gathering.ts'
import { memberGossip } from './gossip.ts'
import { boundedYamux } from './muxer.ts'
import { watchOpening } from './opening.ts'
import { shorten } from './short-way.ts'

export interface NodeOptions {
  readonly privateKey: Ed25519PrivateKey
  readonly networkKey: Bytes
  readonly listen: readonly string[]
  /** What others are told to dial; default: where we listen. */
  readonly announce?: readonly string[]
  readonly mdns: boolean
  readonly gater: ConnectionGater
  readonly isMember: (peer: PeerId) => boolean
  /** A peer sent more gossip than any member does. */
  readonly onGossipFlood: (peer: PeerId) => void
  readonly onDiscovered: (found: PeerInfo) => void
}

interface Services extends ServiceMap {
  readonly identify: Identify
  readonly ping: Ping
  readonly gossip: ReturnType<ReturnType<typeof memberGossip>>
  readonly listening: { addresses(): Multiaddr[] }
}

export type Node = Libp2p<Services>

/** A name of the network that tells nothing of its key; for the gossip topic and mDNS. */
export function networkName(networkKey: Bytes): string {
  return hashBytes(concatBytes([utf8('veche network 1\n'), networkKey])).slice(0, 32)
}

/** The gossip topic of a network. */
export function gossipTopic(networkKey: Bytes): string {
  return `/veche/gossip/1/${networkName(networkKey)}`
}

/** A node, not started. */
export async function createNode(options: NodeOptions): Promise<Node> {
  const { privateKey, networkKey, listen, announce, gater, isMember, onDiscovered } = options
  const { onGossipFlood } = options
  let made: Node | null = null
  const node = await createLibp2p<Services>({
    privateKey,
    start: false,
    addresses: { listen: [...listen], announce: [...(announce ?? [])] },
    transports: [tcp()],
    connectionEncrypters: [quickNoise({ prologueBytes: networkKey })],
    streamMuxers: [boundedYamux(name => made?.getProtocols().includes(name) ?? false)],
    connectionGater: {
      ...gater,
      denyInboundConnection: connection => {
        begin(connection)
        return gater.denyInboundConnection?.(connection) ?? false
      },
      denyOutboundConnection: (_, connection) => {
        begin(connection)
        return false
      },
    },
    connectionManager: {
      maxConnections: limits.connectionsMax,
      inboundConnectionThreshold: limits.connectionsPerSecondMax,
      maxIncomingPendingConnections: limits.connectionsPerSecondMax,
      inboundUpgradeTimeout: limits.linkOpenMs,
      dialTimeout: limits.dialMs,
      addressDialTimeout: limits.dialAddressMs,
      // The dial loop knows which address worked last; libp2p would sort by kind of address.
      addressSorter: () => 0,
    },
    // The second judge of a dead connection; the watchdog is quicker, and costs nothing, while each
    // of these pings opens a stream. It waits longer than a member's busy moment, or the backlog of a
    // slow line.
    connectionMonitor: {
      pingInterval: 30_000, // the second judge of a dead connection; the watchdog is the first
      pingTimeout: { minTimeout: 3000, maxTimeout: 5000 },
    },
    services: {
      identify: identify(),
      ping: ping(),
      gossip: memberGossip(gossipTopic(networkKey), { isMember, onFlood: onGossipFlood }),
      // libp2p's own list leaves out public addresses that no stranger has confirmed.
      listening: (components: { transportManager: { getAddrs(): Multiaddr[] } }) => ({
        addresses: () => components.transportManager.getAddrs(),
      }),
      ...(options.mdns ? { local: localDiscovery(networkKey, onDiscovered) } : {}),
    },
  })
  made = node
  return node
}

/** Watched until both sides have agreed on noise, whose lengths have two bytes. */
function begin(connection: MultiaddrConnection): void {
  gatherWrites(connection)
  shorten(connection)
  watchOpening(connection, line => (line === '/noise\n' ? 'anything' : 'opening'))
}

type DiscoveryComponents = Parameters<ReturnType<typeof mdns>>[0]

/**
 * mDNS under a service name of this network, so that networks on one wire do not meet. What it hears
 * anybody on the wire may have said: libp2p is not told of it (it would keep every peer for hours).
 */
function localDiscovery(networkKey: Bytes, onDiscovered: (found: PeerInfo) => void) {
  const serviceTag = `_v${networkName(networkKey).slice(0, 12)}._udp.local`
  return (components: DiscoveryComponents) => {
    const discovery = mdns({ serviceTag, interval: 5000 })(components)
    discovery.addEventListener('peer', event => onDiscovered(event.detail))
    return {
      start: () => startable(discovery).start(),
      stop: () => startable(discovery).stop(),
    }
  }
}

/** What starts and stops, though its interface does not say so. */
function startable(part: object): { start(): Promise<void>; stop(): Promise<void> } {
  return part as { start(): Promise<void>; stop(): Promise<void> }
}
