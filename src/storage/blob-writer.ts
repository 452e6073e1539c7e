/**
 * One large payload on its way to the blob folder. Bytes are hashed as they are written; of a
 * resumed one the kept bytes are hashed first, from the file. Nothing of it can be seen until
 * `finish` has verified it and put it in its place.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Bytes } from '../base/bytes.ts'
import { type Hash, hashStream, type StreamingHash } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { writeAll } from './files.ts'

/** Where a payload is written, what it should be, and what becomes of it. */
export interface BlobWriterOptions {
  readonly path: string
  readonly expect: { readonly blob: Hash; readonly size: number } | null
  /** Puts the whole, fsync'd file into its place, durably. */
  readonly place: (blob: Hash) => Promise<void>
  /** The writer has ended. */
  readonly release: (writer: BlobWriter) => void
}

/** A partial file; `close` or `finish` must be called. */
export class BlobWriter {
  /** Bytes that were here when it was opened. */
  readonly offset: number
  readonly #options: BlobWriterOptions
  readonly #file: FileHandle
  readonly #hash: StreamingHash
  #size: number
  #isOpen = true
  #isWhole = true

  private constructor(
    options: BlobWriterOptions,
    file: FileHandle,
    kept: { readonly hash: StreamingHash; readonly size: number },
  ) {
    this.#options = options
    this.#file = file
    this.#hash = kept.hash
    this.#size = kept.size
    this.offset = kept.size
  }

  /** Opens the partial file; what lies in it counts only where a certain payload is expected. */
  static async open(options: BlobWriterOptions): Promise<BlobWriter> {
    const { path, expect } = options
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      const { size } = await file.stat()
      if (expect === null || size > expect.size) await file.truncate(0)
      return new BlobWriter(options, file, await hashKept(file))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Size as of now. */
  get size(): number {
    return this.#size
  }

  async write(bytes: Bytes): Promise<void> {
    this.#mustBeWhole()
    const at = this.#size
    this.#size += bytes.length
    this.#hash.update(bytes)
    this.#isWhole = false // until the file has what the hash has
    await writeAll(this.#file, bytes, at)
    this.#isWhole = true
  }

  /** Verifies, fsyncs and places the file; a payload that is not the expected one is removed. */
  async finish(): Promise<Hash | undefined> {
    this.#mustBeWhole()
    const { expect, path, place } = this.#options
    const blob = this.#hash.digest()
    const fits = expect === null || (expect.blob === blob && expect.size === this.#size)
    this.#isOpen = false
    try {
      await this.#closeFile({ durably: fits })
      if (fits) await place(blob)
      else await rm(path, { force: true })
    } finally {
      this.#options.release(this)
    }
    return fits ? blob : undefined
  }

  async close(fate: 'keep' | 'remove'): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { expect, path } = this.#options
    try {
      await this.#file.close()
      if (fate === 'remove' || expect === null) await rm(path, { force: true })
    } finally {
      this.#options.release(this)
    }
  }

  async #closeFile({ durably }: { readonly durably: boolean }): Promise<void> {
    try {
      if (durably) await this.#file.sync()
    } finally {
      await this.#file.close()
    }
  }

  #mustBeWhole(): void {
    invariant(this.#isOpen && this.#isWhole, 'a payload writer is used after its end or a failure')
  }
}

/** The hash over what lies in a file, and its size. */
async function hashKept(file: FileHandle): Promise<{ hash: StreamingHash; size: number }> {
  const hash = hashStream()
  const piece = new Uint8Array(limits.chunkBytes)
  for (let size = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, size)
    if (bytesRead === 0) return { hash, size }
    hash.update(piece.subarray(0, bytesRead))
    size += bytesRead
  }
}
