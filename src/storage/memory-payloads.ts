/**
 * Large payloads of a store in memory: what is whole lies in the tables, what is being written is
 * partial and keyed by its blob. The twin of the blob folder, with its rules: a payload is here
 * only when it was whole, verified and durable; an interrupted fetch may leave bytes to go on
 * from; an upload never does.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { type Hash, hashBytes } from '../base/hash.ts'
import { invariant } from '../base/invariant.ts'
import { VecheError } from '../base/veche-error.ts'
import type { PayloadWriter } from './store.ts'

/** What was written of payloads that are not whole yet, in pieces, by blob. */
export type PartialPayloads = Map<Hash, Bytes[]>

/** What a writer should become, and what it shares with its store. */
export interface MemoryWriterOptions {
  readonly expect: { readonly blob: Hash; readonly size: number } | null
  /** Shared with the store. */
  readonly partial: PartialPayloads
  /** Blobs being fetched; shared with the store. */
  readonly open: Set<Hash>
  /** Whether the disk takes no more bytes of payloads. */
  readonly isFull: () => boolean
  /** Makes a whole payload durable and part of the store. */
  readonly keep: (blob: Hash, bytes: Bytes) => Promise<void>
}

/** Opens a writer; a second one for the same blob is a bug of the caller. */
export function openMemoryWriter(options: MemoryWriterOptions): PayloadWriter {
  const { expect, partial, open } = options
  const pieces = expect === null ? [] : resume(expect, partial)
  if (expect !== null) {
    invariant(!open.has(expect.blob), `the payload ${expect.blob} is being written already`)
    open.add(expect.blob)
  }
  let isOpen = true
  const end = (): void => {
    isOpen = false
    if (expect !== null) open.delete(expect.blob)
  }
  return {
    offset: bytesOf(pieces),
    async write(bytes) {
      invariant(isOpen, 'a payload writer is used after its end')
      if (options.isFull()) throw new VecheError('DISK_FULL', 'The disk is full.')
      pieces.push(bytes.slice())
    },
    async finish() {
      invariant(isOpen, 'a payload writer is used after its end')
      const bytes = concatBytes(pieces)
      const blob = hashBytes(bytes)
      const fits = expect === null || (bytes.length === expect.size && blob === expect.blob)
      if (fits) await options.keep(blob, bytes)
      end()
      if (expect !== null) partial.delete(expect.blob)
      return fits ? blob : undefined
    },
    async close(fate) {
      if (!isOpen) return
      end()
      if (fate === 'remove' && expect !== null) partial.delete(expect.blob)
    },
  }
}

/** A large payload whose file is being put in place: until then a crash may leave it or lose it. */
export async function placing(
  files: Map<Hash, Bytes>,
  file: { readonly blob: Hash; readonly bytes: Bytes; readonly placed: Promise<void> },
  onFault: (error: Error) => void,
): Promise<void> {
  files.set(file.blob, file.bytes)
  try {
    await file.placed
  } catch (error) {
    onFault(error instanceof Error ? error : new Error(String(error)))
    throw error
  } finally {
    files.delete(file.blob)
  }
}

/** The pieces kept of an earlier writing, to which the new one appends. */
function resume(expect: { readonly blob: Hash; readonly size: number }, partial: PartialPayloads) {
  const kept = partial.get(expect.blob)
  const pieces = kept !== undefined && bytesOf(kept) <= expect.size ? kept : []
  partial.set(expect.blob, pieces)
  return pieces
}

function bytesOf(pieces: readonly Bytes[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
