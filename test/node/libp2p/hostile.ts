/**
 * A libp2p node that has the network key and a member's identity, and says what it likes.
 */
import type { Stream } from '@libp2p/interface'
import type { Bytes } from '../../../src/base/bytes.ts'
import { dialable } from '../../../src/node/libp2p/addresses.ts'
import { publishGossip } from '../../../src/node/libp2p/gossip.ts'
import { generatePrivateKey, memberIdOf, readPrivateKey } from '../../../src/node/libp2p/keys.ts'
import { protocols } from '../../../src/node/libp2p/link.ts'
import { createNode, gossipTopic, type Node } from '../../../src/node/libp2p/node.ts'
import type { Member, Scene } from './scene.ts'

export interface Hostile {
  readonly id: string
  readonly node: Node
  /** Connects to a member and opens a stream of one of our protocols. */
  stream(to: Member, protocol: keyof typeof protocols): Promise<Stream>
  publish(frame: Bytes): Promise<void>
}

/** Started, with handlers that take whatever is sent to them. */
export async function startHostile(scene: Scene): Promise<Hostile> {
  const key = await generatePrivateKey()
  const node = await createNode({
    privateKey: readPrivateKey(key),
    networkKey: scene.networkKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    gater: {},
    isMember: () => true,
    onGossipFlood: () => undefined,
    onDiscovered: () => undefined,
  })
  for (const protocol of [protocols.main, protocols.bulk])
    await node.handle(protocol, stream => stream.addEventListener('message', () => undefined))
  await node.start()
  scene.onEnd(() => node.stop())
  const topic = gossipTopic(scene.networkKey)
  node.services.gossip.subscribe(topic)
  return {
    id: memberIdOf(key),
    node,
    async stream(to, protocol) {
      const { addresses, peer } = to.contact()
      const connection = await node.dial(dialable(addresses, peer))
      const stream = await connection.newStream(protocols[protocol])
      stream.addEventListener('close', () => scene.changed())
      return stream
    },
    publish: frame => publishGossip(node.services.gossip, topic, frame),
  }
}
