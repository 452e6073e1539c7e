/**
 * A libp2p stream as `{ source, sink }` for it-pipe, with flow control both ways. The stream itself
 * has none by default: its window opens again on receipt, not on reading, and its drain promise
 * works once only. Here a reader that falls behind pauses the stream, so that the other side's
 * window closes; a writer goes on only when what it wrote has left the write buffer.
 *
 * Invariants: at most `unreadMax` plus one window is held for a slow reader; a writer never waits
 * for a stream that is already closed.
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { limits } from '../../base/limits.ts'

/** What a stream brings and takes: bytes, or a list of them that was not joined. */
export type Chunk = StreamMessageEvent['data']

export interface FlowDuplex {
  readonly source: AsyncGenerator<Chunk>
  readonly sink: (source: AsyncIterable<Chunk>) => Promise<void>
}

/** Both directions of a stream; attach before the first await after the stream was handed over. */
export function flowDuplex(stream: Stream): FlowDuplex {
  return { source: readFlow(stream), sink: source => writeFlow(stream, source) }
}

/**
 * Resolves when at most `laneUnsentBytes` of what was written still wait for the connection;
 * rejects when the stream ends before. A drain event says that something left, not that all did.
 */
export async function whenWritten(stream: Stream): Promise<void> {
  while (stream.writeBufferLength > limits.laneUnsentBytes) await drained(stream)
}

async function writeFlow(stream: Stream, source: AsyncIterable<Chunk>): Promise<void> {
  try {
    for await (const chunk of source) if (!stream.send(chunk)) await whenWritten(stream)
    await stream.close()
  } catch (error) {
    stream.abort(asError(error))
    throw error
  }
}

function drained(stream: Stream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (stream.status !== 'open') return Promise.reject(new Error(`the stream is ${stream.status}`))
  const onDrain = () => {
    stream.removeEventListener('close', onClose)
    resolve()
  }
  const onClose = (event: { error?: Error }) => {
    stream.removeEventListener('drain', onDrain)
    reject(event.error ?? new Error('the stream was closed'))
  }
  stream.addEventListener('drain', onDrain, { once: true })
  stream.addEventListener('close', onClose, { once: true })
  return promise
}

/** What arrives, as it is asked for. Listens from the call on, not from the first `next`. */
function readFlow(stream: Stream): AsyncGenerator<Chunk> {
  const unread: Chunk[] = []
  let unreadBytes = 0
  let isEnded = false
  let failure: Error | undefined
  let wake: (() => void) | undefined
  const kick = () => {
    wake?.()
    wake = undefined
  }
  const pauseIfFull = () => {
    if (unreadBytes > limits.laneUnreadBytesMax && stream.readStatus === 'readable') stream.pause()
  }
  stream.addEventListener('message', event => {
    unread.push(event.data)
    unreadBytes += event.data.byteLength
    kick()
    // A pause inside the event that a resume caused would be undone by that resume.
    if (unreadBytes > limits.laneUnreadBytesMax) queueMicrotask(pauseIfFull)
  })
  stream.addEventListener('remoteCloseWrite', () => {
    isEnded = true
    kick()
  })
  stream.addEventListener('close', event => {
    isEnded = true
    failure = event.error
    kick()
  })
  async function* read(): AsyncGenerator<Chunk> {
    while (true) {
      for (let chunk = unread.shift(); chunk !== undefined; chunk = unread.shift()) {
        unreadBytes -= chunk.byteLength
        yield chunk
      }
      if (stream.readStatus === 'paused') {
        stream.resume()
        continue
      }
      if (isEnded) {
        if (failure !== undefined) throw failure
        return
      }
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return read()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
