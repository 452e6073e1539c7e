/**
 * A peer of libp2p that holds the network key and a keyboard for the bytes below its streams: it
 * opens streams like anybody, and beside them writes whatever frames of the multiplexer it likes.
 * For the tests of this folder; it must never be used by the product.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Connection, MultiaddrConnection, StreamMuxerFactory } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Bytes } from '../../src/base/bytes.ts'
import { dialable } from '../../src/node/libp2p/addresses.ts'
import { generatePrivateKey, memberIdOf, readPrivateKey } from '../../src/node/libp2p/keys.ts'
import type { Contact } from '../../src/node/ports.ts'

type Wire = Parameters<StreamMuxerFactory['createStreamMuxer']>[0]

export interface RawPeer {
  readonly id: string
  readonly connection: Connection
  /** The encrypted connection under the multiplexer. */
  readonly wire: Wire
  stop(): Promise<void>
}

/** Connects to a member with the network key; rejects when that member does not let it in. */
export async function rawPeer(to: Contact, networkKey: Bytes): Promise<RawPeer> {
  const key = await generatePrivateKey()
  let wire: Wire | undefined
  const spied = () => {
    const factory = yamux({ enableKeepAlive: false })()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection: MultiaddrConnection) => {
      wire = connection
      return create(connection)
    }
    return factory
  }
  const node = await createLibp2p({
    privateKey: readPrivateKey(key),
    transports: [tcp()],
    connectionEncrypters: [noise({ prologueBytes: networkKey })],
    streamMuxers: [spied],
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() },
  })
  const connection = await node.dial(dialable(to.addresses, to.peer)).catch(async error => {
    await node.stop()
    throw error
  })
  if (wire === undefined) throw new Error('connected without a multiplexer')
  return { id: memberIdOf(key), connection, wire, stop: async () => await node.stop() }
}

/** Types and flags of the multiplexer's frames. */
export const yamuxType = { data: 0, window: 1, ping: 2, goAway: 3 } as const
export const yamuxFlag = { none: 0, syn: 1, ack: 2, fin: 4, rst: 8 } as const

/** The head of a frame; for data, `length` bytes follow it, or are promised. */
export function yamuxHead(
  type: number,
  flag: number,
  stream: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint8(1, type)
  view.setUint16(2, flag)
  view.setUint32(4, stream)
  view.setUint32(8, length)
  return bytes
}
