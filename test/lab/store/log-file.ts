/**
 * LevelDB's log, the form of its write-ahead logs and manifests: blocks of 32 KiB with records that
 * may run over several. A record whose checksum fails ends its block, and a record that was begun and
 * not ended is none: what a crash tore is not there. It must never give out bytes of a record that
 * was not whole.
 */
import { crcMatches } from './crc32c.ts'

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const KINDS = { whole: 1, first: 2, middle: 3, last: 4 }

/** The records of a log, in order. */
export function* logRecords(bytes: Buffer): Generator<Buffer> {
  let open: Buffer[] | null = null
  for (const { kind, data } of fragments(bytes)) {
    if (kind === KINDS.whole) {
      open = null
      yield data
    } else if (kind === KINDS.first) open = [data]
    else if (open !== null) {
      open.push(data)
      if (kind !== KINDS.last) continue
      yield Buffer.concat(open)
      open = null
    }
  }
}

/** Pieces of records; a block is left where its checksum fails. */
function* fragments(bytes: Buffer): Generator<{ kind: number; data: Buffer }> {
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, bytes.length)
    for (let at = block; at + HEADER_BYTES <= end; ) {
      const length = bytes.readUInt16LE(at + 4)
      const kind = bytes[at + 6]!
      const until = at + HEADER_BYTES + length
      if (kind === 0 && length === 0) break
      if (until > end) break
      const told = bytes.readUInt32LE(at)
      if (!crcMatches(told, bytes.subarray(at + HEADER_BYTES - 1, until))) break
      yield { kind, data: bytes.subarray(at + HEADER_BYTES, until) }
      at = until
    }
  }
}
