/**
 * The short way through libp2p's layers. A frame passes a stream, the encryption and the TCP connection,
 * and each of them puts it into a queue, takes it out again as a copy of a list, and tells the next one by
 * an event of the DOM, as if something were always waiting there. Seldom does anything: here a layer in
 * which nothing waits hands on at once what it is given, and calls who listens as a function.
 *
 * Invariants: order, flow control, and what is told to whom stay as the library has them; whenever
 * something waits, is paused or is closing, the library's own code goes on.
 */
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'

/** Bytes, or a list of them that was not joined. */
type Pieces = StreamMessageEvent['data']

type Listener = (event: { readonly type: 'message'; readonly data: Pieces }) => void

/** What waits in a layer. */
interface Waiting {
  readonly byteLength: number
  prepend(bytes: Pieces): void
}

/** What a connection and a stream have in common in the library; its interface names little of it. */
interface Layer {
  readonly readBuffer: Waiting
  readonly writeBuffer: Waiting
  readonly readStatus: string
  readonly writeStatus: string
  readonly remoteWriteStatus: string
  readonly maxMessageSize?: number
  /** Bytes that the other side lets a stream of the multiplexer send. */
  readonly sendWindowCapacity?: number
  sendingData: boolean
  writableNeedsDrain: boolean
  send(data: Pieces): boolean
  sendData(data: Pieces): { readonly sentBytes: number; readonly canSendMore: boolean }
  onData(data: Pieces): void
  processSendQueue(): boolean
  checkWriteBufferLength(): void
  dispatchReadBuffer(): void
  abort(error: Error): void
  addEventListener(type: string, listener: unknown, options?: unknown): void
  removeEventListener(type: string, listener: unknown, options?: unknown): void
  dispatchEvent(event: Event): boolean
  safeDispatchEvent(type: string): boolean
  listenerCount(type: string): number
}

/**
 * Makes the way through a connection or stream short, both ways; before anybody listens to it. What it
 * sends must not be changed by its `sendData`.
 */
export function shorten(stream: MessageStream): void {
  const layer = stream as unknown as Layer
  shortenSending(layer)
  shortenReading(layer)
}

function shortenSending(layer: Layer): void {
  const send = layer.send.bind(layer)
  layer.send = data => {
    const isFree =
      !layer.sendingData &&
      !layer.writableNeedsDrain &&
      layer.writeStatus === 'writable' &&
      layer.writeBuffer.byteLength === 0
    const length = data.byteLength
    const { maxMessageSize = length, sendWindowCapacity = length } = layer
    if (!isFree || length === 0 || length > Math.min(maxMessageSize, sendWindowCapacity))
      return send(data)
    layer.sendingData = true
    let sentBytes = 0
    let canSendMore: boolean
    try {
      ;({ sentBytes, canSendMore } = layer.sendData(data))
    } catch (error) {
      layer.writeBuffer.prepend(data) // so that the end of the layer tells who waits for it
      layer.abort(error as Error)
      throw error
    } finally {
      layer.sendingData = false
    }
    if (sentBytes < length)
      layer.writeBuffer.prepend(
        data instanceof Uint8Array ? data.subarray(sentBytes) : data.sublist(sentBytes),
      )
    if (!canSendMore) {
      layer.writableNeedsDrain = true
      layer.checkWriteBufferLength()
    } else if (layer.writeBuffer.byteLength > 0) {
      return layer.processSendQueue() // sent by who was told of this sending
    }
    if (layer.writeBuffer.byteLength === 0 && layer.listenerCount('idle') > 0)
      layer.safeDispatchEvent('idle')
    return canSendMore
  }
}

function shortenReading(layer: Layer): void {
  const onData = layer.onData.bind(layer)
  const add = layer.addEventListener.bind(layer)
  const remove = layer.removeEventListener.bind(layer)
  const dispatch = layer.dispatchEvent.bind(layer)
  const count = layer.listenerCount.bind(layer)
  /** Who hears messages, in order; null once one came who wants more than a function can give. */
  let listeners: readonly Listener[] | null = []

  const tell = (heard: readonly Listener[], event: Parameters<Listener>[0]) => {
    for (const listener of heard) {
      try {
        listener(event)
      } catch (error) {
        // As with an event of the DOM: nobody else is kept from hearing it, and the process is told.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  layer.onData = data => {
    const isFree =
      layer.readStatus === 'readable' &&
      layer.remoteWriteStatus !== 'closed' &&
      layer.readBuffer.byteLength === 0
    if (!isFree || listeners === null || listeners.length === 0) return onData(data)
    if (data.byteLength === 0) return
    tell(listeners, { type: 'message', data })
    if ((layer.remoteWriteStatus as string) === 'closed') layer.dispatchReadBuffer() // ends the reading
  }
  layer.addEventListener = (type, listener, options) => {
    if (type !== 'message' || listeners === null) return add(type, listener, options)
    if (options !== undefined || typeof listener !== 'function') {
      const before = listeners
      listeners = null
      for (const each of before) add(type, each)
      return add(type, listener, options)
    }
    if (!listeners.includes(listener as Listener)) listeners = [...listeners, listener as Listener]
    if (layer.readBuffer.byteLength > 0) queueMicrotask(() => layer.dispatchReadBuffer())
  }
  layer.removeEventListener = (type, listener, options) => {
    if (type !== 'message' || listeners === null) return remove(type, listener, options)
    listeners = listeners.filter(each => each !== listener)
  }
  layer.listenerCount = type => (type === 'message' && listeners?.length) || count(type)
  layer.dispatchEvent = event => {
    if (event.type !== 'message' || listeners === null) return dispatch(event)
    tell(listeners, event as unknown as Parameters<Listener>[0])
    return true
  }
}
