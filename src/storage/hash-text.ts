/**
 * Hashes in keys: 43 characters of 6 bits each, where hexadecimal digits take 64. The characters
 * stand in the order of their bytes, so texts lie in the order of their hashes, and a range of hashes
 * is a range of keys. A key is a text for LevelDB; raw bytes would not be one.
 */
import type { Hash } from '../base/hash.ts'

const ALPHABET = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'

/** Characters of a hash in a key: 42 for its first 252 bits, and one for the last four. */
export const HASH_TEXT_LENGTH = 43
/** Hexadecimal digits of a hash; three of them are two characters. */
const HASH_DIGITS = 64
const WHOLE_DIGITS = 63

/** The last character carries four bits, and two that are 0: one hash has one text. */
const LAST = [...ALPHABET].filter((_, value) => value % 4 === 0).join('')
const HASH_TEXT = new RegExp(`^[${ALPHABET}]{${HASH_TEXT_LENGTH - 1}}[${LAST}]$`)

/** The codes of the characters, by their six bits. */
const CODES = Buffer.from(ALPHABET, 'latin1')
/** The codes of the hexadecimal digits. */
const DIGITS = Buffer.from('0123456789abcdef', 'latin1')
/** The six bits of a character, by its code. */
const BITS = new Uint8Array(128)
for (const [value, character] of [...ALPHABET].entries()) BITS[character.charCodeAt(0)] = value

/** Where texts are put together: joined piece by piece they would be trees of strings. */
const scratch = Buffer.alloc(HASH_DIGITS)

/** The text of a hash. */
export function textOfHash(hash: Hash): string {
  let to = 0
  for (let at = 0; at < WHOLE_DIGITS; at += 3) {
    const middle = digit(hash, at + 1)
    scratch[to++] = CODES[(digit(hash, at) << 2) | (middle >> 2)]!
    scratch[to++] = CODES[((middle & 3) << 4) | digit(hash, at + 2)]!
  }
  scratch[to] = CODES[digit(hash, WHOLE_DIGITS) << 2]!
  return scratch.toString('latin1', 0, HASH_TEXT_LENGTH)
}

/** The hash that a text names; only for what `isHashText` holds for. */
export function hashOfText(text: string): Hash {
  let to = 0
  for (let at = 0; at < HASH_TEXT_LENGTH - 1; at += 2) {
    const bits = (BITS[text.charCodeAt(at)]! << 6) | BITS[text.charCodeAt(at + 1)]!
    scratch[to++] = DIGITS[bits >> 8]!
    scratch[to++] = DIGITS[(bits >> 4) & 15]!
    scratch[to++] = DIGITS[bits & 15]!
  }
  scratch[to++] = DIGITS[BITS[text.charCodeAt(HASH_TEXT_LENGTH - 1)]! >> 2]!
  return scratch.toString('latin1', 0, to)
}

/** Whether a text is one of a hash. */
export function isHashText(text: string): boolean {
  return HASH_TEXT.test(text)
}

/** The value of a hexadecimal digit in small letters. */
function digit(hash: Hash, at: number): number {
  const code = hash.charCodeAt(at)
  return code > 57 ? code - 87 : code - 48
}
