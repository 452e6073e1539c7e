/**
 * The network of a real member, on libp2p: gossip to all, ordered and flow-controlled lanes to each
 * member, a door for those who are none, and a dial loop that never gives up. This file joins the
 * parts; each part says in its own header what it must never do.
 *
 * Invariants: nothing of a peer is delivered that `listener.admit` does not call a member; `up` and
 * `down` of a peer alternate. The daemon also installs `guardProcess` (process-guard.ts).
 */
import type { Connection, PeerId, PeerInfo } from '@libp2p/interface'
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { invariant } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
import {
  type Admission,
  type Clock,
  type Contact,
  type Lane,
  type Log,
  type Network,
  NetworkError,
  type NetworkListener,
} from '../ports.ts'
import { announcedAddresses, bareAddress, dialable, ownAddresses } from './addresses.ts'
import { Dialer } from './dialer.ts'
import { DoorKeeper, knockOver } from './door.ts'
import { publishGossip } from './gossip.ts'
import { plainBytes } from './in-lane.ts'
import { memberIdOf, readPrivateKey } from './keys.ts'
import { protocols } from './link.ts'
import { Links } from './links.ts'
import { createNode, gossipTopic, type Node } from './node.ts'
import { dialSentence } from './reasons.ts'
import { Strangers } from './strangers.ts'
import { Unproven } from './unproven.ts'
import { Watchdog } from './watchdog.ts'

/** Own addresses are looked up so often, milliseconds. */
const ADDRESSES_MS = 5000

export interface Libp2pOptions {
  /** As `generatePrivateKey` makes it. */
  readonly privateKey: Bytes
  /** 32 random bytes that all members of a network share, and nobody else. */
  readonly networkKey: Bytes
  /** Multiaddrs to listen on; port 0 takes a free one, which `addresses()` then shows. */
  readonly listen: readonly string[]
  /** What others are told to dial, where it is not what we listen on (NAT, a container). */
  readonly announce?: readonly string[]
  /** Whether to find and be found on the local network. */
  readonly mdns: boolean
  readonly clock: Clock
  readonly log: Log
}

/** A network that is not started. A VecheError `DAMAGED` when the private key is none. */
export async function createLibp2pNetwork(options: Libp2pOptions): Promise<Network> {
  invariant(options.networkKey.length === 32, 'a network key has 32 bytes')
  const joint: Joint = { network: null }
  const unproven = new Unproven()
  const node = await createNode({
    privateKey: readPrivateKey(options.privateKey),
    networkKey: options.networkKey,
    listen: options.listen,
    announce: options.announce ?? [],
    mdns: options.mdns,
    gater: {
      denyInboundConnection: connection => unproven.refuses(connection),
      denyInboundEncryptedConnection: (peer, connection) => {
        unproven.proved(connection)
        return joint.network?.refuses(peer) ?? true
      },
      denyOutboundEncryptedConnection: peer => joint.network?.refuses(peer) ?? true,
    },
    isMember: peer => joint.network?.admits(peer) === 'member',
    onGossipFlood: peer => joint.network?.flooded(peer),
    onDiscovered: found => joint.network?.discovered(found),
  })
  const network = new NodeNetwork(node, options)
  joint.network = network
  return network
}

/** The node asks the network who is let in, the network drives the node. */
interface Joint {
  network: NodeNetwork | null
}

class NodeNetwork implements Network {
  readonly self: MemberId
  readonly #node: Node
  readonly #topic: string
  readonly #announce: readonly string[]
  readonly #log: Log
  readonly #clock: Clock
  readonly #links: Links
  readonly #dialer: Dialer
  readonly #watchdog: Watchdog
  readonly #door: DoorKeeper
  readonly #strangers: Strangers
  /** Peers at whose doors we knock, with the number of knocks at work. */
  readonly #knocking = new Map<MemberId, number>()
  /** Each ping tells them; they change when an interface does. */
  #addresses: readonly string[] = []
  #addressesAt = 0
  #listener: NetworkListener | null = null
  #isStopped = false

  constructor(node: Node, { privateKey, networkKey, announce, clock, log }: Libp2pOptions) {
    this.self = memberIdOf(privateKey)
    this.#node = node
    this.#topic = gossipTopic(networkKey)
    this.#announce = announce ?? []
    this.#log = log
    this.#clock = clock
    this.#dialer = new Dialer({
      self: this.self,
      clock,
      log,
      isConnected: peer => this.#links.has(peer),
      chance: Math.random,
      dial: async contact => bareAddress((await this.#dial(contact)).remoteAddr.toString()),
    })
    this.#links = new Links({
      clock,
      log,
      admit: peer => this.#admission(peer),
      isKnocking: peer => this.#knocking.has(peer),
      frame: (from, lane, frame) => this.#listener?.frame(from, lane, frame),
      up: peer => this.#listener?.connected(peer),
      down: (peer, forMs) => {
        this.#dialer.ended(peer, forMs)
        this.#listener?.disconnected(peer)
      },
      twice: peer => this.#dialer.twice(peer),
      failed: (peer, reason) => this.#dialer.failed(peer, reason),
      gone: peer => this.#dialer.gone(peer),
    })
    this.#watchdog = new Watchdog({
      clock,
      links: () => this.#links.allStanding(),
      cut: (peer, reason) => {
        log('info', 'A link was cut to be made anew.', { peer, reason })
        this.reconnect(peer)
      },
    })
    this.#strangers = new Strangers({
      clock,
      isKnown: peer => this.#dialer.isContact(peer) || this.#links.has(peer),
      forget: peer =>
        node.peerStore.delete(peer).catch((error: unknown) => {
          log('debug', 'A stranger was not forgotten.', { error: String(error) })
        }),
    })
    this.#door = new DoorKeeper({
      clock,
      log,
      mayKnock: peer => this.#admission(peer) !== 'refuse',
      answer: (from, request) => this.#answer(from, request),
    })
  }

  addresses(): readonly string[] {
    const now = this.#clock.monotonicMs()
    if (this.#addresses.length > 0 && now - this.#addressesAt < ADDRESSES_MS) return this.#addresses
    this.#addressesAt = now
    this.#addresses =
      this.#announce.length > 0
        ? announcedAddresses(this.#announce, this.self)
        : ownAddresses(this.#node.services.listening.addresses(), this.self)
    return this.#addresses
  }

  async start(listener: NetworkListener): Promise<void> {
    invariant(this.#listener === null, 'a network is started once')
    this.#listener = listener
    const node = this.#node
    node.addEventListener('connection:open', ({ detail }) => this.#links.opened(detail))
    node.addEventListener('connection:close', ({ detail }) => {
      this.#links.closed(detail)
      this.#strangers.left(detail.remotePeer)
    })
    for (const lane of ['main', 'bulk'] as const) {
      await node.handle(
        protocols[lane],
        (stream, connection) => this.#links.accept(lane, stream, connection),
        { maxInboundStreams: 2, maxOutboundStreams: 2 },
      )
    }
    await node.handle(
      protocols.door,
      (stream, connection) => this.#door.serve(stream, connection),
      { maxInboundStreams: 4, maxOutboundStreams: 4 },
    )
    const { gossip } = node.services
    gossip.addEventListener('gossipsub:message', ({ detail: { msg, propagationSource } }) => {
      if (msg.type === 'signed') this.#gossip(msg.from, propagationSource, msg.data)
    })
    try {
      await node.start()
    } catch (error) {
      await this.stop()
      throw listenError(error)
    }
    gossip.subscribe(this.#topic)
    this.#dialer.start()
    this.#watchdog.start()
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#dialer.stop()
    this.#watchdog.stop()
    this.#strangers.stop()
    await this.#node.stop()
    // Whoever did not hear the farewell is cut; it ends every open lane and timer.
    this.#links.cutAll('This member stops.')
  }

  setContacts(contacts: readonly Contact[]): void {
    this.#dialer.setContacts(contacts)
    this.#links.review()
  }

  publish(frame: Bytes): void {
    invariant(frame.length <= limits.gossipFrameBytesMax, 'a gossip frame has its bound')
    // Before the start nobody could hear it; whatever it says is said again.
    if (this.#isStopped || this.#node.status !== 'started') return
    publishGossip(this.#node.services.gossip, this.#topic, frame).catch((error: unknown) => {
      this.#log('warn', 'A gossip message was not sent.', { error: String(error) })
    })
  }

  send(peer: MemberId, lane: Lane, frame: Bytes): Promise<void> {
    invariant(frame.length <= limits.streamFrameBytesMax, 'a frame has its bound')
    const link = this.#links.standing(peer)
    if (link === undefined) return Promise.reject(new NetworkError('There is no link.'))
    return link.send(lane, frame)
  }

  isConnected(peer: MemberId): boolean {
    return this.#links.standing(peer) !== undefined
  }

  reconnect(peer: MemberId): void {
    this.#dialer.awaited(peer)
    this.#links.cut(peer, 'The link is made anew.')
  }

  async knock(contact: Contact, request: Bytes): Promise<Bytes> {
    const { peer } = contact
    await this.#links.settled(peer)
    this.#knocking.set(peer, (this.#knocking.get(peer) ?? 0) + 1)
    const hadLink = this.#links.has(peer)
    let connection: Connection | undefined
    try {
      connection = await this.#dial(contact)
      return await knockOver(connection, request)
    } finally {
      const left = (this.#knocking.get(peer) ?? 1) - 1
      if (left > 0) this.#knocking.set(peer, left)
      else this.#knocking.delete(peer)
      // What was opened to knock is closed after it: a member's link begins with a new connection.
      if (!hadLink && left === 0 && connection?.status === 'open' && !this.isConnected(peer))
        await connection.close().catch(() => connection?.abort(new NetworkError('closed')))
    }
  }

  /** The gate's question: is this peer kept out altogether? */
  refuses(peer: PeerId): boolean {
    const id = peer.toString()
    return this.#admission(id) === 'refuse' && !this.#knocking.has(id)
  }

  /** How far a peer is let in. */
  admits(peer: PeerId): Admission {
    return this.#admission(peer.toString())
  }

  /** A peer brings more gossip than any member has to say. */
  flooded(through: PeerId): void {
    const peer = through.toString()
    if (!this.isConnected(peer)) return
    this.#log('warn', 'A member floods the network with gossip: its link is cut.', { peer })
    this.#links.cut(peer, 'It floods the network with gossip.')
  }

  /** A peer was seen on the local network. */
  discovered(found: PeerInfo): void {
    const peer = found.id.toString()
    if (peer === this.self || this.#listener === null || this.#isStopped) return
    const addresses = found.multiaddrs.slice(0, limits.addressesMax).map(String)
    const contact = { peer, addresses }
    this.#listener.discovered(contact)
    this.#dialer.found(contact)
  }

  #admission(peer: MemberId): Admission {
    return this.#isStopped ? 'refuse' : (this.#listener?.admit(peer) ?? 'refuse')
  }

  #gossip(from: PeerId, through: PeerId, data: Uint8Array): void {
    // Whoever passed it on is alive; the author's gossip is alive by whatever path it came.
    this.#links.standing(through.toString())?.heard()
    const author = from.toString()
    if (this.#admission(author) !== 'member') return
    const link = this.#links.standing(author)
    if (link !== undefined) link.gossipHeardAt = this.#clock.monotonicMs()
    this.#listener?.gossip(author, plainBytes(data))
  }

  async #answer(from: MemberId, request: Bytes): Promise<Bytes> {
    if (this.#listener === null) throw new NetworkError('The network is not started.')
    return await this.#listener.door(from, request)
  }

  async #dial({ peer, addresses }: Contact): Promise<Connection> {
    const targets = dialable(addresses, peer)
    if (targets.length === 0) throw new NetworkError('No address of it is known.')
    try {
      return await this.#node.dial(targets, {
        signal: AbortSignal.timeout(limits.dialMs),
      })
    } catch (error) {
      throw new NetworkError(dialSentence(error), { cause: error })
    }
  }
}

/** What the operator can do about a node that could not listen. */
function listenError(error: unknown): unknown {
  const text = String(error)
  const busy = /EADDRINUSE[^,]*?address already in use ([^\s,]+)/.exec(text)?.[1]
  if (text.includes('EADDRINUSE'))
    return new VecheError(
      'IN_USE',
      `The port to listen on is in use by another program${busy === undefined ? '' : `: ${busy}`}.`,
      {},
      error,
    )
  if (text.includes('EACCES'))
    return new VecheError('NO_PERMISSION', 'The port to listen on is not permitted.', {}, error)
  if (text.includes('failed to be listened on') || text.includes('EADDRNOTAVAIL'))
    return new VecheError('BAD_REQUEST', `An address cannot be listened on: ${text}`, {}, error)
  return error
}
