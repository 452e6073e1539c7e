/**
 * One large payload on its way to the blob folder. Bytes are hashed as they come; of a resumed one
 * the kept bytes are hashed first, from the file. Nothing of it can be seen until `finish` has
 * verified it and put it in its place.
 *
 * Writing goes on behind the caller: while one write is with the operating system, the bytes that
 * follow are hashed and gathered for the next. So at most two of `limits.pieceBytes` are not yet
 * written when `write` resolves, and a write that failed is told by the call after it.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Bytes } from '../base/bytes.ts'
import { type Hash, hashStream, type StreamingHash } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import { limits } from '../base/limits.ts'
import { writeAllOf } from './files.ts'

/** Pieces that wait for one write: who sends byte by byte fills no memory with what surrounds them. */
const GATHERED_MAX = 64

/**
 * The disk begins with what is there before all has come. One fsync at the end of a large payload
 * would keep everything else on that disk waiting for seconds.
 */
const SYNC_BYTES = 16 * 1024 * 1024

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
  /** What is to be written next, and where. */
  #gathered: Bytes[] = []
  #gatheredBytes = 0
  #at: number
  #writing: Promise<void> | null = null
  /** An fsync of what was written so far, and how much that was. */
  #syncing: Promise<void> | null = null
  #syncedBytes = 0
  #isOpen = true
  #hasFailed = false
  /** An fsync failed: the next one could succeed although what was written is not on the disk. */
  #isDoubtful = false

  private constructor(
    options: BlobWriterOptions,
    file: FileHandle,
    kept: { readonly hash: StreamingHash; readonly size: number },
  ) {
    this.#options = options
    this.#file = file
    this.#hash = kept.hash
    this.#size = kept.size
    this.#at = kept.size
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

  /** The bytes are kept by reference until they are written. */
  async write(bytes: Bytes): Promise<void> {
    this.#mustBeSound()
    this.#hash.update(bytes)
    this.#size += bytes.length
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    if (this.#gatheredBytes < limits.pieceBytes && this.#gathered.length < GATHERED_MAX) return
    await this.#written()
    this.#begin()
    if (this.#at - this.#syncedBytes >= SYNC_BYTES && this.#syncing === null) this.#beginSync()
  }

  /** Hands what was gathered to the operating system. */
  #begin(): void {
    this.#writing = writeAllOf(this.#file, this.#gathered, this.#at)
    this.#writing.catch(() => undefined) // told by `#written`
    this.#at += this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
  }

  /** Behind the caller, too: its failure is told by `finish`. */
  #beginSync(): void {
    this.#syncedBytes = this.#at
    const syncing = this.#synced(this.#file.datasync()).then(() => {
      this.#syncing = null
    })
    syncing.catch(() => undefined) // told by `finish`
    this.#syncing = syncing
  }

  /** Resolves when the disk has it; remembers that it said no. */
  async #synced(syncing: Promise<void>): Promise<void> {
    try {
      await syncing
    } catch (error) {
      this.#isDoubtful = true
      throw error
    }
  }

  /** Resolves when the last write has ended. After one that failed nothing more is written. */
  async #written(): Promise<void> {
    try {
      await this.#writing
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  /** Resolves when all is written. */
  async #flushed(): Promise<void> {
    await this.#written()
    if (this.#gatheredBytes > 0) this.#begin()
    await this.#written()
  }

  /** Verifies, fsyncs and places the file; a payload that is not the expected one is removed. */
  async finish(): Promise<Hash | undefined> {
    this.#mustBeSound()
    const { expect, path, place } = this.#options
    const blob = this.#hash.digest()
    const fits = expect === null || (expect.blob === blob && expect.size === this.#size)
    this.#isOpen = false
    try {
      await this.#closeFile({ durably: fits })
      if (fits) await place(blob)
      else await rm(path, { force: true })
    } catch (error) {
      // Of an upload nothing is gone on with, and on a full disk each byte counts.
      if (expect === null || this.#isDoubtful) await rm(path, { force: true })
      throw error
    } finally {
      this.#options.release(this)
    }
    return fits ? blob : undefined
  }

  /** What cannot be written any more is not kept: it is fetched again. */
  async close(fate: 'keep' | 'remove'): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { expect, path } = this.#options
    try {
      const isKept = fate === 'keep' && !this.#hasFailed
      const ended = isKept ? this.#flushed() : this.#written()
      await ended.catch(() => undefined) // the write that failed told it, or will: the disk stays so
      await this.#syncing?.catch(() => undefined) // `#isDoubtful` remembers it
      await this.#file.close()
      if (fate === 'remove' || expect === null || this.#isDoubtful) await rm(path, { force: true })
    } finally {
      this.#options.release(this)
    }
  }

  async #closeFile({ durably }: { readonly durably: boolean }): Promise<void> {
    try {
      await this.#flushed()
      await this.#syncing
      if (durably) await this.#synced(this.#file.sync())
    } finally {
      await this.#file.close()
    }
  }

  #mustBeSound(): void {
    invariant(
      this.#isOpen && !this.#hasFailed,
      'a payload writer is used after its end or a failure',
    )
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
