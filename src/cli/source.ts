/**
 * Where `put` takes its bytes from, with a size that is known before the first one is sent.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Bytes } from '../base/bytes.ts'
import { UsageError } from './usage.ts'

/** Up to here standard input is gathered in memory. */
const MEMORY_BYTES_MAX = 16 * 1024 * 1024

const HEAD_BYTES = 4096

export interface Source extends AsyncDisposable {
  readonly size: number
  /** The first bytes, up to a few KiB. */
  head(): Promise<Bytes>
  bytes(): Iterable<Bytes> | AsyncIterable<Bytes>
}

/** A file as it is now; one that changes its length while it is read is refused by the client. */
export async function sourceOfFile(path: string): Promise<Source> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new UsageError(`There is no file ${path}.`) : error
  })
  const found = await file.stat()
  if (found.isFile()) return sourceOfHandle(file, found.size)
  if (found.isDirectory()) {
    await file.close()
    throw new UsageError(`${path} is a folder: put its files one by one.`)
  }
  // A pipe or a device: its size is known at its end only.
  return sourceOfStream(file.createReadStream())
}

function sourceOfHandle(file: FileHandle, size: number): Source {
  return {
    size,
    head: async () => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    },
    bytes: () => file.createReadStream({ autoClose: false, start: 0 }),
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** A stream to its end, gathered in memory or, beyond a bound, in a nameless temporary file. */
export async function sourceOfStream(stream: Readable): Promise<Source> {
  const pieces: Bytes[] = []
  let size = 0
  let file: FileHandle | undefined
  try {
    for await (const piece of stream) {
      const bytes: Bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      size += bytes.length
      if (file === undefined && size > MEMORY_BYTES_MAX) {
        file = await namelessFile()
        for (const gathered of pieces.splice(0)) await file.writeFile(gathered)
      }
      if (file === undefined) pieces.push(bytes)
      else await file.writeFile(bytes)
    }
  } catch (error) {
    await file?.close()
    throw error
  }
  if (file !== undefined) return sourceOfHandle(file, size)
  return {
    size,
    head: async () => Buffer.concat(pieces).subarray(0, HEAD_BYTES),
    bytes: () => pieces,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Gone with the process, however that ends. */
async function namelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `veche-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  return file
}
