/**
 * Gossip between members only: gossipsub behind a gate, so that a peer at the door is neither sent
 * to nor listened to. The gate stands in the registrar that gossipsub is given, because gossipsub
 * itself sends its topic and its messages to whoever connects.
 *
 * The score of peers is switched off: strangers are kept out by the gate, and a member that often
 * comes back, or ten members behind one address, must never be muted by arithmetic.
 */
import {
  type GossipSub,
  type GossipSubComponents,
  gossipsub,
  type Message,
  TopicValidatorResult,
} from '@libp2p/gossipsub'
import type { Connection, PeerId } from '@libp2p/interface'
import { limits } from '../../base/limits.ts'
import { GossipBudget } from './gossip-budget.ts'
import { passOnInTurns } from './gossip-turns.ts'
import { quickSigner } from './keys.ts'

type Registrar = GossipSubComponents['registrar']

/** What gossipsub offers and its interface does not name. */
interface FloodPublish {
  publish(topic: string, data: Uint8Array, options: { floodPublish: boolean }): Promise<unknown>
}

export interface MemberGossipOptions {
  /** Asked at every stream and message. */
  readonly isMember: (peer: PeerId) => boolean
  /** A peer brings far more than any member does: its link is to be cut. */
  readonly onFlood: (peer: PeerId) => void
}

/** The service for libp2p. */
export function memberGossip(topic: string, { isMember, onFlood }: MemberGossipOptions) {
  return (components: GossipSubComponents): GossipSub => {
    const budget = new GossipBudget(() => performance.now())
    const registrar = gatedRegistrar(components.registrar, isMember)
    const { privateKey, peerId, peerStore, connectionManager, logger } = components
    const gossip = gossipsub({
      allowPublishToZeroTopicPeers: true,
      fallbackToFloodsub: false,
      allowedTopics: [topic],
      asyncValidation: true, // for passOnInTurns
      // Without it each further copy of a message is verified again.
      fastMsgIdFn: message => latin1(message.from) + latin1(message.seqno),
      scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
      doPX: false,
      seenTTL: limits.gossipSeenMs,
      maxOutboundBufferSize: limits.gossipUnsentBytesMax,
    })({
      privateKey: quickSigner(privateKey),
      peerId,
      peerStore,
      connectionManager,
      logger,
      registrar,
    })
    forgetDeadStreams(gossip as unknown as Outbound)
    passOnInTurns(gossip, peerId.toString())
    gossip.topicValidators.set(topic, (through, message) => {
      if (!isGood(message, isMember)) return TopicValidatorResult.Ignore
      const verdict = budget.take(
        message.type === 'signed' ? message.from.toString() : '',
        through.toString(),
        message.data.length,
      )
      if (verdict === 'flood') onFlood(through)
      return verdict === 'good' ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
    })
    return gossip
  }
}

/** How gossipsub keeps one stream to each peer; its interface does not name this either. */
interface Outbound {
  readonly streamsOutbound: Map<string, { readonly rawStream: { readonly status: string } }>
  createOutboundStream(peer: PeerId, connection: Connection): Promise<void>
}

/**
 * A stream that closed while it was being opened (a member that joins has a connection of a moment)
 * is kept by gossipsub for good: it listens for an end that is over, and opens no other one. Such a
 * peer would hear no gossip until the watchdog cuts the link.
 */
function forgetDeadStreams(gossip: Outbound): void {
  const create = gossip.createOutboundStream.bind(gossip)
  gossip.createOutboundStream = async (peer, connection) => {
    await create(peer, connection)
    const opened = gossip.streamsOutbound.get(peer.toString())
    if (opened !== undefined && opened.rawStream.status !== 'open')
      gossip.streamsOutbound.delete(peer.toString())
  }
}

/** Publishes to all peers directly, or by neighbours where there are many. */
export async function publishGossip(
  gossip: GossipSub,
  topic: string,
  frame: Uint8Array,
): Promise<void> {
  const floodPublish = gossip.getSubscribers(topic).length <= limits.floodPeersMax
  await (gossip as unknown as FloodPublish).publish(topic, frame, { floodPublish })
}

/** Neither delivered nor passed on: what is too large, unsigned, or not from a member. */
function isGood(message: Message, isMember: (peer: PeerId) => boolean): boolean {
  return (
    message.type === 'signed' &&
    message.data.length <= limits.gossipFrameBytesMax &&
    isMember(message.from)
  )
}

/** A registrar that shows members only; everything else passes through. */
function gatedRegistrar(registrar: Registrar, isMember: (peer: PeerId) => boolean): Registrar {
  return {
    getProtocols: () => registrar.getProtocols(),
    getHandler: protocol => registrar.getHandler(protocol),
    unhandle: (protocol, options) => registrar.unhandle(protocol, options),
    use: (protocol, middleware) => registrar.use(protocol, middleware),
    unuse: protocol => registrar.unuse(protocol),
    getMiddleware: protocol => registrar.getMiddleware(protocol),
    unregister: id => registrar.unregister(id),
    getTopologies: protocol => registrar.getTopologies(protocol),
    handle: (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          if (isMember(connection.remotePeer)) return handler(stream, connection)
          stream.abort(new Error('gossip is for members'))
        },
        options,
      ),
    register: (protocol, topology, options) =>
      registrar.register(
        protocol,
        {
          ...topology,
          onConnect: (peer: PeerId, connection: Connection) =>
            isMember(peer) ? topology.onConnect?.(peer, connection) : undefined,
        },
        options,
      ),
  }
}

function latin1(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return ''
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
