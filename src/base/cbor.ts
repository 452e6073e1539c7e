/**
 * The one door for hostile bytes: CBOR in and out. What is read here comes from strangers or from a
 * disk, so decoding is strict (shortest integers, no whole number as a float, definite lengths, no
 * tags, no undefined, no duplicate keys, valid UTF-8, finite numbers, no integer beyond 2^53),
 * bounded in bytes, depth and number of values, and allocates nothing from a number that it read.
 *
 * Reading has two steps: `decodeWith` turns bytes into plain values and hands them to a `read`
 * function made of the small `as…` checkers of cbor-read.ts; a value that does not fit ends the
 * reading with a sentence. Writing (cbor-write.ts) is deterministic: keys sorted as RFC 8949 4.2.1
 * demands (for text keys its order and cborg's default, length first, are the same one), shortest
 * numbers. Equal values give equal bytes on every member. Texts must be well-formed UTF-16.
 */
import { type DecodeOptions, decode, Tokenizer, Type } from 'cborg'
import { type Bytes, utf8Text } from './bytes.ts'
import { NOT_PLAIN, parsePlain } from './cbor-parse.ts'
import { type CborValue, writeCbor } from './cbor-write.ts'
import { limits } from './limits.ts'

export { type CborValue, hexBytes } from './cbor-write.ts'

/** A value, or the sentence that says why the bytes were refused. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string }

/** Thrown by the checkers, caught by `decodeWith`; it never leaves a decoding. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Deterministic CBOR of a value, in memory of its own. */
export const encodeCbor: (value: CborValue) => Bytes = writeCbor

/**
 * Reads at most `limitBytes` bytes with `read`, which is made of checkers and may throw
 * `DecodeError`. Never throws for what the bytes say. Bytes from a stranger also need `valuesMax`:
 * three megabytes of one-byte values would keep the event loop for most of a second.
 */
export function decodeWith<T>(
  bytes: Bytes,
  limitBytes: number,
  read: (value: unknown) => T,
  depthMax: number = limits.frameDepthMax,
  valuesMax: number = limitBytes,
): Decoded<T> {
  try {
    return { ok: true, value: read(decodeCbor(bytes, limitBytes, depthMax, valuesMax)) }
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, sentence: error.message }
    throw error
  }
}

const strictOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} satisfies DecodeOptions

/** Plain values of CBOR bytes; throws `DecodeError`, so it belongs inside a `decodeWith`. */
export function decodeCbor(
  bytes: Bytes,
  limitBytes: number,
  depthMax: number,
  valuesMax: number = limitBytes,
): unknown {
  if (bytes.length > limitBytes) {
    throw new DecodeError(`${bytes.length} bytes where at most ${limitBytes} are allowed`)
  }
  // a Buffer's `slice` is a view: byte strings would alias the caller's memory and keep all of it
  const plain =
    bytes.constructor === Uint8Array
      ? bytes
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const value = parsePlain(plain, depthMax, valuesMax)
  return value === NOT_PLAIN ? decodeStrictly(plain, depthMax, valuesMax) : value
}

/** With every check, and a sentence for whatever is wrong; exported for the tests. */
export function decodeStrictly(plain: Bytes, depthMax: number, valuesMax: number): unknown {
  const tokenizer = boundedTokenizer(plain, depthMax, valuesMax)
  try {
    return decode(plain, { ...strictOptions, tokenizer })
  } catch (error) {
    if (error instanceof DecodeError) throw error
    throw new DecodeError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * The tokenizer of cborg with the checks that it lacks: nesting is bounded (cborg recurses), so is
 * the number of values, counted when a list announces them; texts are valid UTF-8 taken as they are
 * (cborg replaces bad bytes and drops a leading U+FEFF, either of which would change what a hash
 * was made of); and a whole number has one form.
 */
function boundedTokenizer(bytes: Bytes, depthMax: number, valuesMax: number) {
  const inner = new Tokenizer(bytes, strictOptions)
  const open: number[] = [] // values still missing in each open list or map
  let valuesLeft = valuesMax
  return {
    done: () => inner.done(),
    pos: () => inner.pos(),
    next() {
      const start = inner.pos()
      const token = inner.next()
      while (open.length > 0 && open[open.length - 1] === 0) open.pop()
      if (open.length > 0) open[open.length - 1]! -= 1
      const type = token.type
      if (Type.equals(type, Type.array) || Type.equals(type, Type.map)) {
        if (open.length >= depthMax) throw new DecodeError(`nested deeper than ${depthMax}`)
        const inside = Type.equals(type, Type.map) ? 2 * token.value : token.value
        valuesLeft -= inside
        if (valuesLeft < 0) throw new DecodeError(`more than ${valuesMax} values`)
        open.push(inside)
      } else if (Type.equals(type, Type.string)) {
        token.value = strictText(bytes.subarray(start, inner.pos()), token.value)
      } else if (Type.equals(type, Type.float) && Number.isSafeInteger(token.value)) {
        throw new DecodeError('a whole number is written as a float')
      }
      return token
    },
  }
}

/** Bytes of the head (type and length) of a CBOR item by the low five bits of its first byte. */
function headBytes(first: number): number {
  const minor = first & 31
  return minor < 24 ? 1 : 1 + (1 << (minor - 24))
}

function strictText(item: Bytes, decoded: string): string {
  const body = item.subarray(headBytes(item[0]!))
  if (decoded.length === body.length && !decoded.includes('\ufffd')) return decoded // plain ASCII
  const text = utf8Text(body)
  if (text === undefined) throw new DecodeError('a text is not valid UTF-8')
  return text
}
