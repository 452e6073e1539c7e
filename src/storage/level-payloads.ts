/**
 * Payloads of a store on disk, wherever they lie: small ones are records, large ones are files with
 * a record that says their size. A payload that is given away whole is held against its hash first.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { type Hash, hashBytes } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import type { BlobFolder } from './blob-folder.ts'
import { replaceFile } from './files.ts'
import { keys } from './keys.ts'
import type { LevelTable } from './level-table.ts'
import { readSizePayload } from './records.ts'
import type { Damage } from './store.ts'

/** Where a payload lies. */
type Place =
  | { readonly kind: 'inline'; readonly bytes: Bytes }
  | { readonly kind: 'file'; readonly size: number }

/** Places of files that are remembered: those that a few members fetch at once, many times over. */
const FILES_KNOWN_MAX = 64

/** The payloads of an open store. */
export class LevelPayloads {
  readonly #table: LevelTable
  readonly #blobs: BlobFolder
  readonly #onDamage: (damage: Damage) => void
  /** Files that are being read, in pieces by whoever fetches them: a file stays one until `setAside`. */
  readonly #files = new Map<Hash, Place>()

  constructor(table: LevelTable, blobs: BlobFolder, onDamage: (damage: Damage) => void) {
    this.#table = table
    this.#blobs = blobs
    this.#onDamage = onDamage
  }

  async has(blobs: readonly Hash[]): Promise<boolean[]> {
    const found = await this.#table.has([...blobs.map(keys.payload), ...blobs.map(keys.have)])
    return blobs.map((_, at) => found[at] === true || found[blobs.length + at] === true)
  }

  async size(blob: Hash): Promise<number | undefined> {
    const place = await this.#placeOf(blob)
    return place?.kind === 'inline' ? place.bytes.length : place?.size
  }

  /** Moves what does not match its hash to a folder; answers whether its records say too much now. */
  async setAside(blob: Hash, folder: string): Promise<boolean> {
    const record = await this.#table.raw(keys.payload(blob))
    if (record !== undefined) {
      if ((await this.verify(blob)) === 'ok') return false
      await replaceFile(`${folder}/${blob}`, record)
    }
    this.#files.delete(blob)
    return (await this.#blobs.setAside(blob)) !== 'whole'
  }

  /** Small payloads, verified. */
  async small(blobs: readonly Hash[]): Promise<(Bytes | undefined)[]> {
    const places = await this.places(blobs)
    const found: (Bytes | undefined)[] = []
    for (const [at, place] of places.entries()) {
      const blob = blobs[at]!
      if (place?.kind === 'inline') found.push(this.#verified(blob, place.bytes))
      else if (place === undefined || place.size > limits.inlinePayloadBytesMax)
        found.push(undefined)
      else found.push(this.#verified(blob, await this.#readFile(blob, place.size)))
    }
    return found
  }

  async *read(blob: Hash, offset: number, length: number): AsyncGenerator<Bytes> {
    const place = await this.#placeOf(blob)
    if (place === undefined) {
      throw new VecheError('NOT_FOUND', `The payload ${blob} is not here.`, { blob })
    }
    const size = place.kind === 'inline' ? place.bytes.length : place.size
    const end = Math.min(offset + length, size)
    if (place.kind === 'inline') {
      if (offset < end) yield place.bytes.subarray(offset, end)
      return
    }
    let at = offset
    for await (const piece of this.#blobs.read(blob, offset, end)) {
      at += piece.length
      yield piece
    }
    if (at >= end) return
    this.#onDamage(damaged(blob))
    throw new VecheError('DAMAGED', damaged(blob).sentence, { blob })
  }

  async verify(blob: Hash): Promise<'ok' | 'absent' | 'damaged'> {
    const [place] = await this.places([blob])
    if (place === undefined) {
      const [isThere] = await this.#table.has([keys.payload(blob)])
      return isThere === true ? 'damaged' : 'absent' // the record is there and cannot be read
    }
    if (place.kind === 'inline') {
      return this.#verified(blob, place.bytes) === undefined ? 'damaged' : 'ok'
    }
    if ((await this.#blobs.hash(blob)) === blob) return 'ok'
    this.#onDamage(damaged(blob))
    return 'damaged'
  }

  /** The place of one payload that is read in pieces: of a file it is looked up once. */
  async #placeOf(blob: Hash): Promise<Place | undefined> {
    const known = this.#files.get(blob)
    if (known !== undefined) return known
    const [place] = await this.places([blob])
    if (place?.kind !== 'file') return place
    if (this.#files.size >= FILES_KNOWN_MAX) this.#files.clear()
    this.#files.set(blob, place)
    return place
  }

  /** Where payloads lie; a payload that is both a record and a file is the record. */
  async places(blobs: readonly Hash[]): Promise<(Place | undefined)[]> {
    const [first] = blobs
    const inline =
      first !== undefined && blobs.length === 1
        ? [await this.#table.one(keys.payload(first))]
        : await this.#table.get(blobs.map(keys.payload))
    const rest = blobs.filter((_, at) => inline[at] === undefined)
    const files = rest.length === 0 ? [] : await this.#table.get(rest.map(keys.have))
    let next = 0
    return inline.map(bytes => {
      if (bytes !== undefined) return { kind: 'inline', bytes }
      const record = files[next++]
      const size = record === undefined ? undefined : readSizePayload(record)
      return size === undefined ? undefined : { kind: 'file', size }
    })
  }

  async #readFile(blob: Hash, size: number): Promise<Bytes> {
    const pieces: Bytes[] = []
    for await (const piece of this.#blobs.read(blob, 0, size + 1)) pieces.push(piece)
    return concatBytes(pieces)
  }

  #verified(blob: Hash, bytes: Bytes): Bytes | undefined {
    if (hashBytes(bytes) === blob) return bytes
    this.#onDamage(damaged(blob))
    return undefined
  }
}

function damaged(blob: Hash): Damage {
  const sentence = `The payload ${blob} does not match its hash and is not shown.`
  return { what: 'payload', blob, sentence }
}
