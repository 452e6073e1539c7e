/**
 * A table of LevelDB: a footer that names the index, an index that names the blocks, blocks of keys
 * that share their beginnings, each under a checksum and perhaps compressed. A block that does not
 * fit its checksum is an error: the lab damages no table, so none may be damaged.
 */
import { ByteReader } from './byte-reader.ts'
import { crcMatches } from './crc32c.ts'
import type { Entry } from './leveldb.ts'
import { unsnap } from './snappy.ts'

const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** Kind of compression and checksum, behind each block. */
const TRAILER_BYTES = 5

/** Every entry of a table. */
export function* tableEntries(bytes: Buffer): Generator<Entry> {
  const footer = bytes.subarray(bytes.length - FOOTER_BYTES)
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) throw new Error('a table without its end')
  const reader = new ByteReader(footer)
  readHandle(reader) // of the index of filters
  for (const { value } of blockEntries(blockOf(bytes, readHandle(reader)))) {
    const handle = readHandle(new ByteReader(value))
    for (const entry of blockEntries(blockOf(bytes, handle))) {
      const end = entry.key.length - 8
      const tag = entry.key.readBigUInt64LE(end)
      const value = (tag & 255n) === 1n ? entry.value : null
      yield { key: entry.key.toString('latin1', 0, end), sequence: tag >> 8n, value }
    }
  }
}

interface Handle {
  readonly offset: number
  readonly size: number
}

function readHandle(reader: ByteReader): Handle {
  return { offset: reader.varint(), size: reader.varint() }
}

function blockOf(bytes: Buffer, { offset, size }: Handle): Buffer {
  const whole = bytes.subarray(offset, offset + size + TRAILER_BYTES)
  const checked = whole.subarray(0, size + 1)
  if (!crcMatches(whole.readUInt32LE(size + 1), checked)) throw new Error('a damaged block')
  const data = whole.subarray(0, size)
  return whole[size] === 1 ? unsnap(data) : data
}

function* blockEntries(block: Buffer): Generator<{ key: Buffer; value: Buffer }> {
  const restarts = block.readUInt32LE(block.length - 4)
  const reader = new ByteReader(block.subarray(0, block.length - 4 * (restarts + 1)))
  let key: Buffer = Buffer.alloc(0)
  while (!reader.isAtEnd) {
    const shared = reader.varint()
    const own = reader.varint()
    const length = reader.varint()
    key = Buffer.concat([key.subarray(0, shared), reader.take(own)])
    yield { key, value: reader.take(length) }
  }
}
