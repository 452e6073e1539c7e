/**
 * The formulas of versions (PROTOCOL 1 and 2). Hashes are joined as their 64 hex digits:
 *
 *   dataHash = SHA-256(CBOR [blob, size, type, sorted tags, description, meta, sorted dependsOn])
 *   first    = SHA-256(id + dataHash)
 *   next     = SHA-256(parents, sorted and joined + dataHash)
 *
 * test/vectors/recompute.py says the same in another language, and shares no code with this one.
 * The same content put again is a new version: it has the former one as parent. The same content
 * put by two members onto the same parents is one version.
 */
import { encodeCbor, hexBytes } from '../../base/cbor.ts'

import type { Content, ItemId } from '../../base/fact.ts'
import { type Hash, hashBytes, hashText, ZERO_HASH } from '../../base/hash.ts'

/** The dataHash of every delete. */
export const DELETE_DATA_HASH: Hash = ZERO_HASH

/** What a delete holds. */
export const deletedContent: Content = {
  blob: null,
  size: 0,
  type: '',
  tags: [],
  description: '',
  meta: null,
  dependsOn: [],
}

/** The dataHash of a content with normalised properties; that of a delete if it has no blob. */
export function dataHashOf(content: Content): Hash {
  if (content.blob === null) return DELETE_DATA_HASH
  const { size, type, tags, description, meta, dependsOn } = content
  return hashBytes(
    encodeCbor([hexBytes(content.blob), size, type, tags, description, meta, dependsOn]),
  )
}

/** The version of a fact with these sorted parents; a first version if there are none. */
export function versionOf(id: ItemId, parents: readonly Hash[], dataHash: Hash): Hash {
  return hashText((parents.length === 0 ? id : parents.join('')) + dataHash)
}
