/**
 * CRC-32C (Castagnoli), as LevelDB writes it into its tables. Node has the other CRC-32 only; this
 * one is for checking files after a crash, some hundred megabytes a second.
 */
import type { Bytes } from '../base/bytes.ts'

const POLYNOMIAL = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** The checksum of bytes. */
export function crc32c(bytes: Bytes): number {
  let crc = 0xffffffff
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 255]!
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** As LevelDB stores it: turned and shifted, because a CRC over a CRC is a poor one. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
