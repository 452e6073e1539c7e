/**
 * Whether a record on disk says what its key promises: its checksum, its form, and, where the key is
 * a hash, the hash. Asked by the scrub of every record, and once more before one is set aside, for
 * it may have been written anew meanwhile. Nothing here changes anything.
 */
import { utf8Text } from '../base/bytes.ts'
import type { HeldFact } from '../base/fact.ts'
import { hashBytes, hashText } from '../base/hash.ts'
import { hashOfKey, keys, nameOfKey } from './keys.ts'
import {
  readFactPayload,
  readGroupPayload,
  readItemPayload,
  readRefPayload,
  readSizePayload,
  unseal,
} from './records.ts'

/** Whether a record can be believed. */
export function isSound(key: string, record: Uint8Array): boolean {
  const payload = unseal(key, record)
  if (payload === undefined) return false
  switch (key[0]) {
    case 'f':
      return openFact(key, record) !== undefined
    case 'g':
      return readGroupPayload(payload) !== undefined
    case 'h':
    case 'w':
      return readSizePayload(payload) !== undefined
    case 'i':
      return readItemPayload(payload)?.id === nameOfKey(key)
    case 'p':
      return hashBytes(payload) === hashOfKey(key)
    case 'q':
      return readRefPayload(payload) !== undefined
    case 'x':
      return hashText(utf8Text(payload) ?? '') === hashOfKey(key)
    default:
      return true // the checksum is all there is to say
  }
}

/** The fact of a record, if it is the one that its key names. */
export function openFact(key: string, record: Uint8Array): HeldFact | undefined {
  const payload = unseal(key, record)
  const held = payload === undefined ? undefined : readFactPayload(payload)
  return held !== undefined && keys.fact(held.fact) === key ? held : undefined
}
