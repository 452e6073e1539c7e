/**
 * Whether a fact is one at all: what can be told from the fact alone, before it is stored or
 * passed on (PROTOCOL 2 and 12, G8). Whether its parents are here, and whether its `base` yields
 * them, is asked of the whole family (family.ts). A fact that passes here keeps every limit, so
 * its encoding keeps `limits.factBytesMax`.
 */
import { type Fact, isDelete, isSystemId } from '../../base/fact.ts'
import { type Hash, hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { isStamp } from '../../base/stamp.ts'
import { parseId, splitIdsOnPath, stepCount } from './id.ts'
import { propertiesRefusal } from './properties.ts'
import { DELETE_DATA_HASH, dataHashOf, versionOf } from './version.ts'

/** Accepted, or refused with a sentence that names what is wrong. */
export type Checked = { readonly ok: true } | { readonly ok: false; readonly sentence: string }

const hashText = /^[0-9a-f]{64}$/

/** The blob of no bytes: a fact of another blob and size 0 would empty a payload that others name. */
export const EMPTY_BLOB: Hash = hashBytes(new Uint8Array(0))

/** Checks a fact as it came; never throws for what it says. */
export function checkFact(fact: Fact): Checked {
  return checked(formRefusal(fact) ?? hashRefusal(fact))
}

/** Checks a fact whose hashes were made of it a moment ago. */
export function checkForm(fact: Fact): Checked {
  return checked(formRefusal(fact))
}

function checked(sentence: string | undefined): Checked {
  return sentence === undefined ? { ok: true } : { ok: false, sentence }
}

function formRefusal(fact: Fact): string | undefined {
  return (
    idRefusal(fact) ??
    lineageRefusal(fact) ??
    baseRefusal(fact) ??
    stampRefusal(fact) ??
    contentRefusal(fact)
  )
}

/** Of a fact in good form: what it says of itself is what it holds. */
function hashRefusal(fact: Fact): string | undefined {
  if (versionOf(fact.id, fact.parents, fact.dataHash) !== fact.version) {
    return 'Its version is not the hash of its parents and its dataHash.'
  }
  return dataHashOf(fact) === fact.dataHash ? undefined : 'Its dataHash is not that of its content.'
}

function idRefusal(fact: Fact): string | undefined {
  if (isSystemId(fact.id)) {
    return fact.id.isWellFormed() && fact.id.length <= limits.idBytesMax
      ? undefined
      : 'The id of a system fact is too long or not valid Unicode.'
  }
  const parsed = parseId(fact.id)
  return parsed.ok ? undefined : parsed.sentence
}

function lineageRefusal(fact: Fact): string | undefined {
  const { parents } = fact
  if (parents.length > limits.parentsMax) return `It has more than ${limits.parentsMax} parents.`
  if (!isHashSet(parents)) return 'Its parents are not sorted hashes without duplicates.'
  if (!hashText.test(fact.dataHash)) return 'Its dataHash is no hash.'
  if (parents.length === 0 && isDelete(fact)) return 'It is a delete of nothing.'
  return undefined
}

function isHashSet(hashes: readonly Hash[]): boolean {
  return hashes.every((hash, at) => hashText.test(hash) && (at === 0 || hashes[at - 1]! < hash))
}

function baseRefusal(fact: Fact): string | undefined {
  const isSplitId = stepCount(fact.id) > 0
  if (fact.base === null) {
    return isSplitId && fact.parents.length === 0
      ? 'It is a first version on a split id, which only a split can begin.'
      : undefined
  }
  if (!isSplitId) return 'It carries a base, but its id is no split id.'
  if (fact.parents.length === 0) return 'It carries a base, but no parents.'
  if (fact.base.length === 0) return 'Its base is empty.'
  const path = splitIdsOnPath(fact.id)
  let next = 0
  for (const { id, heads } of fact.base) {
    const at = path.indexOf(id, next)
    if (at === -1) return 'Its base names an id that is not on its path, or not in order.'
    if (heads.length < 2 || heads.length > limits.parentsMax || !isHashSet(heads)) {
      return `Its base has no list of 2 to ${limits.parentsMax} sorted heads.`
    }
    next = at + 1
  }
  return undefined
}

function stampRefusal(fact: Fact): string | undefined {
  if (!isStamp(fact.at)) return 'Its stamp is none.'
  if (fact.by === '' || !fact.by.isWellFormed() || fact.by.length > limits.memberIdBytesMax) {
    return 'It does not name the member that accepted it.'
  }
  return undefined
}

function contentRefusal(fact: Fact): string | undefined {
  if (isDelete(fact)) {
    const isBare =
      fact.dataHash === DELETE_DATA_HASH &&
      fact.size === 0 &&
      fact.type === '' &&
      fact.tags.length === 0 &&
      fact.description === '' &&
      fact.meta === null &&
      fact.dependsOn.length === 0
    return isBare ? undefined : 'It is a delete that holds something.'
  }
  if (!hashText.test(fact.blob ?? '')) return 'Its blob is no hash.'
  if (!Number.isSafeInteger(fact.size) || fact.size < 0) return 'Its size is none.'
  if ((fact.size === 0) !== (fact.blob === EMPTY_BLOB)) return 'Its size is not that of its blob.'
  return propertiesRefusal(fact)
}
