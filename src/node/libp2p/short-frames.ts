/**
 * The short way through the multiplexer. For the log of each frame, which nobody reads, it makes an object
 * with a list of flags in words; it cuts what fits into one frame as if it did not, and leaves the head a piece
 * of its own, for which the cipher below costs as much again. Here a frame of data is made and read without that.
 *
 * Invariants: the bytes on the wire are the library's; frames that are not data or windows of a stream
 * are left to it, and so is what does not fit into a window.
 */
import type { Stream, StreamMessageEvent, StreamMuxer } from '@libp2p/interface'

/** Version (always 0), type, flags (2 bytes), stream (4), length (4). */
const HEAD_BYTES = 12
const DATA = 0
const WINDOW_UPDATE = 1

/** Larger frames are not copied for being one piece. */
const JOINED_BYTES_MAX = 16 * 1024

type Pieces = StreamMessageEvent['data']

interface Header {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

interface Frame {
  readonly header: Header
}

/** The multiplexer; its interface names nothing of this. */
interface Muxing {
  readonly decoder: {
    readonly buffer: { append(bytes: Pieces): void }
    readFrame(): Frame | undefined
  }
  onData(bytes: Pieces): void
  handleFrame(frame: Frame): void
  handleStreamMessage(frame: Frame): void
  sendFrame(header: Header, data?: Pieces): boolean
  send(bytes: Pieces): boolean
}

/** A stream of it. */
interface Sending {
  readonly streamId: number
  sendWindowCapacity: number
  getSendFlags(): number
  sendData(data: Pieces): { readonly sentBytes: number; readonly canSendMore: boolean }
  sendFrame(header: Header, data: Pieces): boolean
}

/** Before any stream is made of it. */
export function shortenFrames(muxer: StreamMuxer): StreamMuxer {
  const muxing = muxer as unknown as Muxing
  const { decoder } = muxing
  const sendFrame = muxing.sendFrame.bind(muxing)
  const handleFrame = muxing.handleFrame.bind(muxing)
  muxing.sendFrame = (header, data) => {
    if (header.type !== DATA || data === undefined || data.byteLength > JOINED_BYTES_MAX)
      return sendFrame(header, data)
    return muxing.send(joined(header, data))
  }
  muxing.handleFrame = frame => {
    const { streamID, type } = frame.header
    const isForStream = streamID !== 0 && (type === DATA || type === WINDOW_UPDATE)
    if (isForStream) muxing.handleStreamMessage(frame)
    else handleFrame(frame)
  }
  muxing.onData = bytes => {
    decoder.buffer.append(bytes)
    for (let frame = decoder.readFrame(); frame !== undefined; frame = decoder.readFrame())
      muxing.handleFrame(frame)
  }
  return muxer
}

/** What fits into the window of a stream is sent as it is, and not changed by that. */
export function sendWhole(stream: Stream): void {
  const sending = stream as unknown as Sending
  const sendInParts = sending.sendData.bind(sending)
  sending.sendData = data => {
    const length = data.byteLength
    if (length === 0 || length > sending.sendWindowCapacity) return sendInParts(data)
    const flag = sending.getSendFlags()
    const header = { type: DATA, flag, streamID: sending.streamId, length }
    const canSendMore = sending.sendFrame(header, data)
    sending.sendWindowCapacity -= length
    return { sentBytes: length, canSendMore }
  }
}

function joined({ type, flag, streamID, length }: Header, data: Pieces): Uint8Array {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + length)
  frame.writeUInt16BE(type, 0)
  frame.writeUInt16BE(flag, 2)
  frame.writeUInt32BE(streamID, 4)
  frame.writeUInt32BE(length, 8)
  frame.set(data.subarray(), HEAD_BYTES)
  return frame
}
