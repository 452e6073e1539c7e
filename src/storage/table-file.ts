/**
 * LevelDB's table files, looked at from outside. LevelDB (as it is built for Node) reads blocks
 * without their checksums: a flipped bit in a key's length ends the whole process by an assertion,
 * again at every start. So a table that may be damaged is checked here, block by block, before
 * LevelDB sees it, and a damaged block is left out: a new index without it and a new footer are
 * appended, and LevelDB's repair takes the table as it then is. What was in the block is a loss
 * like any other, and noticed by counting (opening.ts).
 *
 * Format: doc/table_format.md of LevelDB. Every block is followed by a type byte (1: snappy) and a
 * masked CRC-32C of block and type; the footer points to the index and to the filter.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts'
import { crc32c, maskCrc } from './crc32c.ts'
import { unsnappy } from './snappy.ts'
import { readBlock, readVarint, type TableEntry, varint, writeBlock } from './table-block.ts'

const FOOTER_BYTES = 48
const HANDLES_BYTES = 40
const TRAILER_BYTES = 5
const MAGIC = new Uint8Array([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb])

/** What a look at a table says. */
export type TableState =
  | { readonly kind: 'sound' }
  /** It has no footer: its writing was interrupted, or its end is lost. LevelDB says which. */
  | { readonly kind: 'unfinished' }
  /** `mended` is the table without its damaged blocks; null when nothing of it can be read. */
  | { readonly kind: 'damaged'; readonly blocks: number; readonly mended: Bytes | null }

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Checks a whole table file. */
export function checkTable(file: Bytes): TableState {
  const footer = file.subarray(Math.max(0, file.length - FOOTER_BYTES))
  if (
    footer.length < FOOTER_BYTES ||
    !MAGIC.every((byte, at) => footer[HANDLES_BYTES + at] === byte)
  ) {
    return { kind: 'unfinished' }
  }
  const meta = readHandle(footer, 0)
  const index = meta === undefined ? undefined : readHandle(footer, meta.end)
  const entries = index === undefined ? undefined : entriesOf(file, index.handle)
  if (meta === undefined || entries === undefined) {
    return { kind: 'damaged', blocks: 1, mended: null }
  }
  const sound = entries.filter(entry => {
    const handle = readHandle(entry.value, 0)?.handle
    return handle !== undefined && blockOf(file, handle) !== undefined
  })
  const isFilterSound = filterIsSound(file, meta.handle)
  const blocks = entries.length - sound.length + (isFilterSound ? 0 : 1)
  if (blocks === 0) return { kind: 'sound' }
  if (sound.length === 0) return { kind: 'damaged', blocks, mended: null }
  return { kind: 'damaged', blocks, mended: mend(file, sound, isFilterSound ? meta.handle : null) }
}

/** The file with a new index, and without its filter if that is damaged. */
function mend(file: Bytes, sound: readonly TableEntry[], filter: Handle | null): Bytes {
  const parts: Bytes[] = [file]
  let end = file.length
  const append = (block: Bytes): Handle => {
    const handle = { offset: end, size: block.length }
    const typed = concatBytes([block, new Uint8Array([0])])
    const crc = maskCrc(crc32c(typed))
    const trailer = [crc & 255, (crc >>> 8) & 255, (crc >>> 16) & 255, crc >>> 24]
    parts.push(typed, new Uint8Array(trailer))
    end += block.length + TRAILER_BYTES
    return handle
  }
  const meta = filter ?? append(writeBlock([]))
  const index = append(writeBlock(sound))
  const footer = new Uint8Array(FOOTER_BYTES)
  footer.set([...handleBytes(meta), ...handleBytes(index)])
  footer.set(MAGIC, HANDLES_BYTES)
  return concatBytes([...parts, footer])
}

/** Whether the block that names the filter, and the filter, are sound. */
function filterIsSound(file: Bytes, meta: Handle): boolean {
  const entries = entriesOf(file, meta)
  return (
    entries?.every(({ value }) => {
      const handle = readHandle(value, 0)?.handle
      return handle !== undefined && blockOf(file, handle) !== undefined
    }) === true
  )
}

function entriesOf(file: Bytes, handle: Handle): TableEntry[] | undefined {
  const block = blockOf(file, handle)
  if (block === undefined) return undefined
  const plain = block.type === 1 ? unsnappy(block.bytes) : block.bytes
  return plain === undefined ? undefined : readBlock(plain)
}

/** A block whose checksum is right, as it lies in the file. */
function blockOf(file: Bytes, { offset, size }: Handle) {
  const end = offset + size
  if (end + TRAILER_BYTES > file.length) return undefined
  const [a, b, c, d] = file.subarray(end + 1, end + TRAILER_BYTES)
  const stored = (a! | (b! << 8) | (c! << 16) | (d! << 24)) >>> 0
  if (maskCrc(crc32c(file.subarray(offset, end + 1))) !== stored) return undefined
  return { bytes: file.subarray(offset, end), type: file[end]! }
}

function readHandle(bytes: Bytes, at: number) {
  const offset = readVarint(bytes, at)
  const size = offset === undefined ? undefined : readVarint(bytes, offset.end)
  if (offset === undefined || size === undefined) return undefined
  return { handle: { offset: offset.value, size: size.value }, end: size.end }
}

function handleBytes({ offset, size }: Handle): number[] {
  return [...varint(offset), ...varint(size)]
}
