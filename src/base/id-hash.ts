/**
 * Where an item lies in the trees: the SHA-256 of its id. One change asks for it several times, at
 * its place in the ledger, in the trees and in the store, and then not again for long.
 */
import type { ItemId } from './fact.ts'
import { type Hash, hashText } from './hash.ts'
import { Memo } from './memo.ts'

/** Enough for the items of the largest batch. */
const hashes = new Memo<ItemId, Hash>(2048, hashText)

/** The place of an item. */
export function idHashOf(id: ItemId): Hash {
  return hashes.of(id)
}
