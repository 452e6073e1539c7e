/** CBOR values of valid bytes, to build broken ones from. */

import type { Bytes } from '../../src/base/bytes.ts'
import { type CborValue, decodeCbor } from '../../src/base/cbor.ts'

/** The values of a list's bytes. */
export function fieldsOf(bytes: Bytes): CborValue[] {
  return decodeCbor(bytes, bytes.length, 16) as CborValue[]
}
