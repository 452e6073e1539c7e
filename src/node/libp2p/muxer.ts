/**
 * The multiplexer with the bounds that it lacks. As it comes, it gathers a frame whole before it
 * looks at its length, which the other side names (up to 4 GiB), and what it answers to a side that
 * reads nothing (pings, refused streams) goes into a buffer without an end. Both are open to whoever
 * holds the network key, so also to a removed member.
 *
 * Invariants: no more of one frame is gathered than the window that its stream may ever have; what
 * waits for a side that does not read is bounded, and beyond that the connection is cut.
 */
import type {
  MultiaddrConnection,
  Stream,
  StreamMuxer,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { limits } from '../../base/limits.ts'
import { gatherWindows } from './gathering.ts'
import { watchOpening } from './opening.ts'
import { sendWhole, shortenFrames } from './short-frames.ts'
import { shorten } from './short-way.ts'

/** A frame's head: version, type, flags (2), stream (4), length (4). */
const HEAD_BYTES = 12
const DATA = 0

type Wire = Parameters<StreamMuxerFactory['createStreamMuxer']>[0]

/** What identify tells is read in messages, too, and by the same reader. */
const IDENTIFY = '/ipfs/id/1.0.0'

/** How the multiplexer makes a stream; its interface does not name that either. */
interface Making {
  _newStream(id: number, state: number, direction: 'inbound' | 'outbound'): Stream
}

/** How the multiplexer cuts what comes in; its interface does not name it. */
interface Decoding {
  readonly decoder: {
    readonly buffer: { readonly byteLength: number; get(at: number): number }
    readFrame(): unknown
  }
}

/**
 * The multiplexer for libp2p. `isSpoken` tells whether a protocol is one of ours: a stream that the
 * other side opens is watched until it has named one.
 */
export function boundedYamux(isSpoken: (protocol: string) => boolean): () => StreamMuxerFactory {
  const make = yamux({
    maxInboundStreams: limits.connectionStreamsMax,
    streamOptions: { maxStreamWindowSize: limits.streamWindowBytes },
  })
  return () => {
    const factory: StreamMuxerFactory = make()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (wire: MultiaddrConnection) =>
      watched(shortenFrames(bounded(create(wire), wire)), isSpoken)
    return factory
  }
}

function bounded(muxer: StreamMuxer, wire: Wire): StreamMuxer {
  wire.maxWriteBufferLength = limits.connectionUnsentBytesMax
  const { decoder } = muxer as unknown as Decoding
  const read = decoder.readFrame.bind(decoder)
  decoder.readFrame = () => {
    const { buffer } = decoder
    if (buffer.byteLength < HEAD_BYTES) return read()
    if (buffer.get(1) === DATA && lengthOf(buffer) > limits.streamWindowBytes)
      throw new Error('A frame of the multiplexer is larger than any window.')
    return read()
  }
  return muxer
}

/** Every stream is watched from its first byte on. */
function watched(muxer: StreamMuxer, isSpoken: (protocol: string) => boolean): StreamMuxer {
  const making = muxer as unknown as Making
  const make = making._newStream.bind(making)
  making._newStream = (id, state, direction) => {
    const stream = make(id, state, direction)
    sendWhole(stream)
    shorten(stream)
    gatherWindows(stream)
    watchOpening(stream, line => {
      const name = line.trimEnd()
      if (direction === 'inbound') return isSpoken(name) ? 'anything' : 'opening'
      if (name === 'na') return 'opening'
      return name === IDENTIFY ? 'messages' : 'anything'
    })
    return stream
  }
  return muxer
}

function lengthOf(buffer: { get(at: number): number }): number {
  return ((buffer.get(8) * 256 + buffer.get(9)) * 256 + buffer.get(10)) * 256 + buffer.get(11)
}
