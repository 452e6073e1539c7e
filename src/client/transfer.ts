/**
 * Payloads of any size, each on a connection of its own so that small requests never wait behind
 * one. Bytes flow as fast as the slower side takes them; nothing is gathered.
 */
import type { Socket } from 'node:net'
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { hashStream } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import type {
  DownloadResult,
  HeadParams,
  ItemHeader,
  PutResult,
  UploadParams,
} from '../control/protocol.ts'
import { errorOfRpc } from '../control/protocol-errors.ts'
import type { ByteSource, Download } from '../control/protocol-member.ts'
import { lost } from './link.ts'
import { type Message, messageOf, messagesOf, openSocket, requestLine } from './socket.ts'

/** Sends exactly `params.size` bytes. Stores nothing when the source fails or has another size. */
export async function upload(
  path: string,
  params: UploadParams,
  source: ByteSource,
): Promise<PutResult> {
  const socket = await openSocket(path)
  try {
    const state: UploadState = { answer: undefined, sent: 0 }
    socket.write(requestLine(1, 'upload', params))
    const answered = firstMessage(socket).then(message => {
      state.answer = message // also ends the sending: the daemon may refuse before it has all
    })
    await Promise.all([send(socket, params.size, source, state), answered])
    const { answer } = state
    if (answer === undefined) throw state.sent === params.size ? lost() : brokeOff()
    if (answer.error !== undefined) throw errorOfRpc(answer.error)
    return answer.result as PutResult
  } finally {
    socket.destroy()
  }
}

interface UploadState {
  answer: Message | undefined
  sent: number
}

async function firstMessage(socket: Socket): Promise<Message | undefined> {
  try {
    for await (const message of messagesOf(socket)) return message
  } catch (error) {
    if (error instanceof VecheError) throw error
  }
  return undefined // the connection broke: the caller knows what that means
}

async function send(
  socket: Socket,
  size: number,
  source: ByteSource,
  state: UploadState,
): Promise<void> {
  for await (const piece of source) {
    if (state.answer !== undefined || !socket.writable) return
    state.sent += piece.length
    if (state.sent > size) throw wrongSize(size)
    if (!socket.write(piece)) await roomOrClose(socket)
  }
  if (state.sent < size && state.answer === undefined) throw wrongSize(size)
}

/** An answer closes the socket and so ends the wait, too. */
function roomOrClose(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}

function wrongSize(size: number): VecheError {
  return new VecheError('BAD_REQUEST', `The source does not have the announced ${size} bytes.`, {
    parameter: 'size',
  })
}

function brokeOff(): VecheError {
  return new VecheError(
    'UNAVAILABLE',
    'The daemon broke off before it had the whole payload: nothing was stored.',
  )
}

/** Asks for a payload of any size. */
export async function download(path: string, params: HeadParams): Promise<Download> {
  const socket = await openSocket(path)
  try {
    socket.write(requestLine(1, 'download', params))
    const pieces: AsyncIterator<Bytes> = socket[Symbol.asyncIterator]()
    const { line, rest } = await firstLine(pieces)
    const message = messageOf(line)
    if (message.error !== undefined) throw errorOfRpc(message.error)
    const header = message.result as DownloadResult
    return { header, stream: payloadOf(socket, header, rest, pieces) }
  } catch (error) {
    socket.destroy()
    throw error instanceof VecheError ? error : downloadBroken(error)
  }
}

function downloadBroken(cause?: unknown): VecheError {
  return new VecheError(
    'UNAVAILABLE',
    'The daemon broke off before the payload was whole: try again.',
    {},
    cause,
  )
}

async function firstLine(pieces: AsyncIterator<Bytes>): Promise<{ line: Bytes; rest: Bytes }> {
  const parts: Bytes[] = []
  let length = 0
  for (;;) {
    const next = await pieces.next()
    if (next.done) throw downloadBroken()
    const end = next.value.indexOf(0x0a)
    length += next.value.length
    if (end >= 0) {
      const line = concatBytes([...parts, next.value.subarray(0, end)])
      return { line, rest: next.value.subarray(end + 1) }
    }
    if (length > limits.answerBytesMax) throw downloadBroken()
    parts.push(next.value)
  }
}

async function* payloadOf(
  socket: Socket,
  header: ItemHeader,
  rest: Bytes,
  pieces: AsyncIterator<Bytes>,
): AsyncGenerator<Bytes, void, void> {
  const hash = hashStream()
  let left = header.size
  let piece = rest
  try {
    for (;;) {
      hash.update(piece)
      left -= piece.length
      if (left < 0) throw downloadBroken()
      if (left === 0 && hash.digest() !== header.blob) throw damaged(header)
      if (piece.length > 0) yield piece
      if (left === 0) return
      const next = await pieces.next()
      if (next.done) throw downloadBroken()
      piece = next.value
    }
  } catch (error) {
    throw error instanceof VecheError ? error : downloadBroken(error)
  } finally {
    socket.destroy()
  }
}

function damaged({ id, version, blob }: ItemHeader): VecheError {
  return new VecheError('DAMAGED', `The payload of ${id} does not match its hash.`, {
    id,
    version,
    blob,
  })
}
