/**
 * Large payloads as files `blobs/ab/cdef…` named by their SHA-256. A file appears there only by a
 * rename, after its bytes were verified and fsync'd, and the folder is fsync'd before anybody is
 * told: what has the name is whole. Partial files of fetches survive for resumption under
 * `partial/BLOB`; those of uploads, and of payloads that nobody wants any more, are of no use to
 * anybody after a restart and are removed.
 * Never more than a few pieces of a payload are in memory.
 */
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { type Hash, hashStream, isHash } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { BlobWriter } from './blob-writer.ts'
import { isAbsent, syncFolder } from './files.ts'
import type { StorePaths } from './store-folder.ts'

const UPLOAD_PREFIX = 'upload-'
const NOTHING: Bytes = new Uint8Array(0)

/** The payloads of one store that are files. */
export class BlobFolder {
  readonly #paths: StorePaths
  readonly #fetching = new Set<Hash>()
  readonly #writers = new Set<BlobWriter>()
  #uploads = 0

  constructor(paths: StorePaths) {
    this.#paths = paths
  }

  /** Removes what interrupted uploads left, and fetches of payloads that nobody wants any more. */
  async clean(wanted: ReadonlySet<Hash>): Promise<void> {
    for (const name of await readdir(this.#paths.partial)) {
      if (wanted.has(name)) continue
      await rm(join(this.#paths.partial, name), { force: true, recursive: true })
    }
  }

  /** The blobs that lie in the folder, one sub-folder at a time, each sorted. */
  async *list(): AsyncGenerator<{ readonly prefix: string; readonly blobs: Set<Hash> }> {
    const present = new Set(await readdir(this.#paths.blobs))
    for (let byte = 0; byte < 256; byte++) {
      const prefix = byte.toString(16).padStart(2, '0')
      const names = present.has(prefix) ? await readdir(join(this.#paths.blobs, prefix)) : []
      const blobs = names.map(name => prefix + name).filter(isHash)
      yield { prefix, blobs: new Set(blobs) }
    }
  }

  /** The size of a file, or `undefined` when it is not there. */
  async size(blob: Hash): Promise<number | undefined> {
    try {
      return (await stat(this.#path(blob))).size
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  /** Bytes [offset, end) in pieces, as many as are there; nothing when the file is not there. */
  async *read(blob: Hash, offset: number, end: number): AsyncGenerator<Bytes> {
    const file = await this.#open(blob)
    if (file !== undefined) yield* pieces(file, offset, end)
  }

  /** SHA-256 of a file, or `undefined` when it is not there. */
  async hash(blob: Hash): Promise<Hash | undefined> {
    const file = await this.#open(blob)
    return file === undefined ? undefined : await hashOf(file)
  }

  /**
   * Moves a file to the damaged ones. It is read once more where it lies then, and comes back if it is
   * whole: a new one may have taken the place of the one that was found damaged.
   */
  async setAside(blob: Hash): Promise<'whole' | 'aside'> {
    const aside = join(this.#paths.damaged, blob)
    try {
      await rename(this.#path(blob), aside)
    } catch (error) {
      if (isAbsent(error)) return 'aside'
      throw error
    }
    const isWhole = (await hashOf(await open(aside, 'r'))) === blob
    if (isWhole) await this.#place(aside, blob)
    await syncFolder(this.#paths.damaged)
    await syncFolder(join(this.#paths.blobs, blob.slice(0, 2)))
    return isWhole ? 'whole' : 'aside'
  }

  /** Begins or resumes a payload; a second writer for one that is being fetched is a bug. */
  async writer(expect: { readonly blob: Hash; readonly size: number } | null): Promise<BlobWriter> {
    if (expect !== null) {
      const { blob } = expect
      invariant(!this.#fetching.has(blob), `the payload ${blob} is being written already`)
      this.#fetching.add(blob)
    }
    this.#uploads += 1
    const name = expect?.blob ?? `${UPLOAD_PREFIX}${this.#uploads}`
    const path = join(this.#paths.partial, name)
    const release = (writer: BlobWriter | null) => {
      if (expect !== null) this.#fetching.delete(expect.blob)
      if (writer !== null) this.#writers.delete(writer)
    }
    try {
      const place = (blob: Hash) => this.#place(path, blob)
      const writer = await BlobWriter.open({ path, expect, place, release })
      this.#writers.add(writer)
      return writer
    } catch (error) {
      release(null)
      throw error
    }
  }

  /** Closes what is still being written; fetches can be resumed. */
  async close(): Promise<void> {
    for (const writer of [...this.#writers]) await writer.close('keep')
  }

  /** Puts a whole, fsync'd file into its place, durably. */
  async #place(path: string, blob: Hash): Promise<void> {
    const folder = join(this.#paths.blobs, blob.slice(0, 2))
    if ((await mkdir(folder, { recursive: true })) !== undefined) {
      await syncFolder(this.#paths.blobs)
    }
    await rename(path, this.#path(blob))
    await syncFolder(folder)
  }

  async #open(blob: Hash): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path(blob), 'r')
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  #path(blob: Hash): string {
    return join(this.#paths.blobs, blob.slice(0, 2), blob.slice(2))
  }
}

/**
 * Bytes [offset, end) of a file in pieces, as many as are there; it is closed in the end. The next
 * piece is read while whoever asked works on the last one.
 */
async function* pieces(file: FileHandle, offset: number, end: number): AsyncGenerator<Bytes> {
  const readAt = async (at: number): Promise<Bytes> => {
    if (at >= end) return NOTHING
    // A slab of its own: it is handed out, and filled at once.
    const piece = Buffer.allocUnsafeSlow(Math.min(limits.chunkBytes, end - at))
    const { bytesRead } = await file.read(piece, 0, piece.length, at)
    return new Uint8Array(piece.buffer, 0, bytesRead)
  }
  let next = readAt(offset)
  try {
    for (let at = offset; ; ) {
      const piece = await next
      if (piece.length === 0) return
      at += piece.length
      next = readAt(at)
      yield piece
    }
  } finally {
    // What was read ahead of somebody who stopped is of no use, nor is why it could not be read.
    await next.catch(() => NOTHING)
    await file.close()
  }
}

async function hashOf(file: FileHandle): Promise<Hash> {
  const hash = hashStream()
  for await (const piece of pieces(file, 0, Number.POSITIVE_INFINITY)) hash.update(piece)
  return hash.digest()
}
