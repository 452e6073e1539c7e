/**
 * Fewer, fuller writes below libp2p. As it comes, each piece of a frame (a length, a header, the
 * text, a tag) is a system call and a packet of its own, and each frame of data that is read is
 * answered by one that opens the window again by as much: up to four writes for a small message, and
 * two back. Here what is written to one connection in one turn of the event loop
 * leaves together, and a window is opened again when half of it is used.
 *
 * Invariants: bytes and their order stay as they are; nothing waits longer than one turn; a sender
 * always has half a window or an update on its way.
 */
import type { Socket } from 'node:net'
import type { MultiaddrConnection, Stream } from '@libp2p/interface'

/** How a TCP connection writes; its interface does not name it. */
interface Writing {
  readonly socket: Pick<Socket, 'cork' | 'uncork' | 'write'>
  sendData(data: Pieces): { readonly sentBytes: number; readonly canSendMore: boolean }
}

type Pieces = Iterable<Uint8Array> & { readonly byteLength: number; subarray(): Uint8Array }

/** Up to here pieces are joined: to copy them costs less than to hand each to the socket. */
const JOINED_BYTES_MAX = 16 * 1024

/** A TCP connection writes once a turn from here on. */
export function gatherWrites(connection: MultiaddrConnection): void {
  const writing = connection as unknown as Writing
  const { socket } = writing
  const sendEach = writing.sendData.bind(writing)
  let isCorked = false
  const uncork = () => {
    isCorked = false
    socket.uncork()
  }
  writing.sendData = data => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      setImmediate(uncork)
    }
    const isList = !(data instanceof Uint8Array)
    if (isList && data.byteLength > JOINED_BYTES_MAX) return sendEach(data)
    return { sentBytes: data.byteLength, canSendMore: socket.write(data.subarray()) }
  }
}

/** How the multiplexer's stream tells its window; its interface does not name it. */
interface Receiving {
  /** `Established` is the only state in which an update says nothing but the window. */
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

const ESTABLISHED = 3

/** A stream opens its window again when half of it is used, not with each frame. */
export function gatherWindows(stream: Stream): void {
  const receiving = stream as unknown as Receiving
  const update = receiving.sendWindowUpdate.bind(receiving)
  receiving.sendWindowUpdate = () => {
    const { state, recvWindow, recvWindowCapacity } = receiving
    if (state === ESTABLISHED && recvWindowCapacity * 2 > recvWindow) return
    update()
  }
}
