/**
 * Checkers for decoded CBOR values: each takes an `unknown`, answers the value in its own type, and
 * throws `DecodeError` with a sentence that names `what` was wrong. They belong inside the `read`
 * function of a `decodeWith`. Every list, text and byte string takes its limit as an argument.
 */
import { type Bytes, fromHex, putHex, toHex, utf8 } from './bytes.ts'
import { DecodeError } from './cbor.ts'
import type { Hash } from './hash.ts'
import type { Stamp } from './stamp.ts'

/** Ends the reading with a sentence. */
export function refuse(sentence: string): never {
  throw new DecodeError(sentence)
}

/** A list of exactly `length` values. */
export function asTuple(value: unknown, length: number, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) refuse(`${what} is no list of ${length}`)
  return value
}

/** A list of at most `limit` values, each read with `read`. */
export function asList<T>(
  value: unknown,
  limit: number,
  read: (value: unknown) => T,
  what: string,
): T[] {
  if (!Array.isArray(value)) refuse(`${what} is no list`)
  if (value.length > limit) refuse(`${what} has ${value.length} entries, at most ${limit} allowed`)
  return value.map(entry => read(entry))
}

/** A text of at most `limitBytes` UTF-8 bytes. */
export function asText(value: unknown, limitBytes: number, what: string): string {
  if (typeof value !== 'string') refuse(`${what} is no text`)
  // the bytes are counted only where the units do not settle it: a unit is one to three bytes
  if (
    value.length > limitBytes ||
    (value.length * 3 > limitBytes && utf8(value).length > limitBytes)
  )
    refuse(`${what} is longer than ${limitBytes} bytes`)
  return value
}

/** Exactly `length` bytes. */
export function asBytes(value: unknown, length: number, what: string): Bytes {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    refuse(`${what} is not ${length} bytes`)
  }
  return value
}

/** At most `limitBytes` bytes. */
export function asBytesUpTo(value: unknown, limitBytes: number, what: string): Bytes {
  if (!(value instanceof Uint8Array)) refuse(`${what} is no byte string`)
  if (value.length > limitBytes) refuse(`${what} is longer than ${limitBytes} bytes`)
  return value
}

/** A whole number between `min` and `max`, both included. */
export function asInt(value: unknown, min: number, max: number, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    refuse(`${what} is no whole number`)
  if (value < min || value > max) refuse(`${what} is not between ${min} and ${max}`)
  return value
}

/** True or false. */
export function asBoolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') refuse(`${what} is neither true nor false`)
  return value
}

/** Null, or what `read` makes of it. */
export function asNullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value)
}

/** 32 raw bytes as a hash. */
export function asHash(value: unknown, what: string): Hash {
  return toHex(asBytes(value, 32, what))
}

/** 8 raw bytes as a stamp. */
export function asStamp(value: unknown, what: string): Stamp {
  return toHex(asBytes(value, 8, what))
}

/** The raw bytes of a hash or stamp, for encoding; it must be hex, which our own values are. */
export function rawOf(hex: Hash | Stamp): Bytes {
  const bytes = fromHex(hex)
  if (bytes === undefined) throw new TypeError(`not lower-case hex: ${hex}`)
  return bytes
}

/** Writes them at a place of others. */
export function putRaw(hex: Hash | Stamp, target: Bytes, at: number): void {
  if (!putHex(hex, target, at)) throw new TypeError(`not lower-case hex: ${hex}`)
}
