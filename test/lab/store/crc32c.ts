/**
 * CRC-32C (Castagnoli), the checksum of LevelDB's blocks and log records, and the mask under which
 * LevelDB keeps it. Slow and plain: the lab reads a few megabytes.
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc >>> 0
})

/** Whether a checksum, as LevelDB masks it, is that of the bytes. */
export function crcMatches(masked: number, bytes: Buffer): boolean {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!
  const value = (crc ^ 0xffffffff) >>> 0
  const expected = (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0
  return expected === masked >>> 0
}
