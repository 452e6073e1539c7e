/**
 * Takes apart what Snappy compressed, from the description of its raw format: literals, and copies
 * of what already came out. It must never write beyond the length that the bytes announce.
 */
import { ByteReader } from './byte-reader.ts'

/** The bytes that were compressed. */
export function unsnap(bytes: Buffer): Buffer {
  const reader = new ByteReader(bytes)
  const out = Buffer.alloc(reader.varint())
  let at = 0
  while (!reader.isAtEnd) {
    const tag = reader.byte()
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const length = (short < 60 ? short : littleEndian(reader, short - 59)) + 1
      at += reader.take(length).copy(out, at)
      continue
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back =
      kind === 1 ? ((tag >> 5) << 8) | reader.byte() : littleEndian(reader, kind === 2 ? 2 : 4)
    if (back === 0 || back > at || at + length > out.length) throw new Error('a copy from nowhere')
    // Byte by byte: a copy may run into what it writes.
    for (let step = 0; step < length; step++, at++) out[at] = out[at - back]!
  }
  if (at !== out.length) throw new Error('less came out than was announced')
  return out
}

function littleEndian(reader: ByteReader, bytes: number): number {
  let value = 0
  for (let at = 0; at < bytes; at++) value += reader.byte() * 256 ** at
  return value
}
