/**
 * The counting of an opening, table by table: what is there, what is damaged, and what can be put
 * right at once because it follows from something else. Nothing is judged here (opening.ts does),
 * and nothing is kept in memory but counts, digests and the list of wanted payloads.
 */
import { compareText } from '../base/bytes.ts'
import type { ItemId } from '../base/fact.ts'
import { type Hash, hashText, ZERO_HASH } from '../base/hash.ts'
import type { BlobFolder } from './blob-folder.ts'
import { HashXor } from './hash-xor.ts'
import {
  damageOfKey,
  factOfKey,
  filesRange,
  hashOfKey,
  isKey,
  keys,
  nameOfKey,
  numberOfKey,
  tableRange,
} from './keys.ts'
import { type Database, keyPages, sealedPages } from './level-table.ts'
import type { Op } from './overlay.ts'
import {
  type ItemFold,
  readGroupPayload,
  readItemFold,
  readRefPayload,
  readSizePayload,
  seal,
  sizePayload,
  unseal,
} from './records.ts'
import type { Damage, ItemsSeen } from './store.ts'
import { countAllItems, foldOf } from './survey-items.ts'
import type { TallyRecord } from './tally.ts'

/** Damages named one by one at an opening; beyond, `verify` names them. */
const DAMAGES_MAX = 10_000

/** Small named records that cannot be read. */
export async function surveyMetas(db: Database, found: Survey): Promise<void> {
  for await (const page of sealedPages(db, tableRange('m'))) {
    for (const [key, record] of page) unsealed(key, record, found, payload => payload)
  }
}

/** What a survey found wrong, and the writes that put it right. */
export interface Survey {
  readonly damages: Damage[]
  readonly repairs: Op[]
}

/** The groups whose records are kept, and whether one of them was lost. */
export async function surveyGroups(db: Database, found: Survey) {
  const numbers: number[] = []
  let last: TallyRecord | null = null
  let oldest = 0
  let isBroken = false
  for await (const page of sealedPages(db, tableRange('g'))) {
    for (const [key, record] of page) {
      const number = numberOfKey(key)
      const group = unsealed(key, record, found, readGroupPayload)
      isBroken ||= group === undefined || (numbers.length > 0 && number !== numbers.at(-1)! + 1)
      numbers.push(number)
      if (group === undefined) continue
      last = group.tally
      oldest = group.oldest
    }
  }
  isBroken ||= last === null || numbers[0] !== oldest
  return { numbers, last, isBroken }
}

/** Items, and the facts that their summaries speak of; `seen` is shown what there is. */
export async function surveyItems(from: ItemsSurvey, found: Survey) {
  const { db, expected, lastCut, seen, halvesFrom } = from
  seen?.begin(lastCut)
  const wanted = { expected, lastCut: seen === undefined ? null : lastCut, halvesFrom }
  const counts = await countAllItems(db, wanted)
  for (const { damaged, seen: part } of counts) {
    for (const key of damaged) found.damages.push(damageOfKey(key))
    seen?.see(part)
  }
  const count = counts.reduce((sum, { items }) => sum + items, 0)
  return { count, fold: foldOf(counts) }
}

/** What the counting of items goes by; `expected` and `lastCut` are what the journal tells. */
export interface ItemsSurvey {
  readonly db: Database
  readonly expected: number
  readonly lastCut: number
  readonly seen: ItemsSeen | undefined
  readonly halvesFrom: number | undefined
}

/** The pending queue and its last place. */
export async function surveyPending(db: Database, found: Survey) {
  let pending = 0
  let lastOrder = -1
  const xor = new HashXor()
  for await (const page of sealedPages(db, tableRange('q'))) {
    for (const [key, record] of page) {
      const ref = unsealed(key, record, found, readRefPayload)
      if (ref === undefined) continue
      lastOrder = Math.max(lastOrder, numberOfKey(key)) // of sound records: a key may be flipped
      pending += 1
      xor.toggle(ref.version)
    }
  }
  return { lastOrder, fold: { pending, pendingXor: xor.value() } }
}

/** The payloads that are wanted. */
export async function surveyWanted(db: Database, found: Survey): Promise<Set<Hash>> {
  const wanted = new Set<Hash>()
  for await (const page of sealedPages(db, tableRange('w'))) {
    for (const [key, record] of page) {
      const size = unsealed(key, record, found, readSizePayload)
      if (size !== undefined) wanted.add(hashOfKey(key))
    }
  }
  return wanted
}

/** A lost file is wanted again; a file without a record (a crash came between) gets one. */
export async function surveyBlobs(
  from: { readonly db: Database; readonly blobs: BlobFolder; readonly wanted: Set<Hash> },
  found: Survey,
): Promise<void> {
  const { db, blobs, wanted } = from
  for await (const { prefix, blobs: present } of blobs.list()) {
    const range = filesRange(prefix)
    for await (const page of sealedPages(db, range)) {
      for (const [key, record] of page) {
        const blob = hashOfKey(key)
        const size = unsealed(key, record, found, readSizePayload)
        const isHere = present.delete(blob)
        if (isHere && size !== undefined) continue
        if (isHere) await adopt(blob, blobs, found)
        else lose(blob, size, wanted, found)
      }
    }
    for (const blob of present) await adopt(blob, blobs, found)
  }
}

/** A file has no record, or none that can be read: it gets one. */
async function adopt(blob: Hash, blobs: BlobFolder, found: Survey): Promise<void> {
  const size = await blobs.size(blob)
  if (size !== undefined) found.repairs.push(putSize(keys.have(blob), size))
}

/** A record has no file: the payload is wanted again. */
function lose(blob: Hash, size: number | undefined, wanted: Set<Hash>, found: Survey): void {
  const sentence = `The file of the payload ${blob} is gone; it is fetched from the others.`
  found.damages.push({ what: 'payload', blob, sentence })
  found.repairs.push({ type: 'del', key: keys.have(blob) })
  if (size === undefined) return
  wanted.add(blob)
  found.repairs.push(putSize(keys.wanted(blob), size))
}

function putSize(key: string, size: number): Op {
  return { type: 'put', key, value: seal(key, sizePayload(size)) }
}

/** Facts as their keys have them, and how many items they and the index make (null: as counted). */
export interface FactSurvey {
  readonly fold: ItemFold
  readonly items: number | null
}

/** Counts the facts themselves; where they are not those of the summaries, names the items. */
export async function surveyFacts(
  db: Database,
  summaries: ItemFold,
  found: Survey,
): Promise<FactSurvey> {
  let facts = 0
  const xor = new HashXor()
  for await (const page of keyPages(db, tableRange('f'))) {
    for (const key of page) {
      facts += 1
      xor.toggle(factOfKey(key)!.version)
    }
  }
  const fold = { facts, factsXor: xor.value() }
  const isSame = fold.facts === summaries.facts && fold.factsXor === summaries.factsXor
  return { fold, items: isSame ? null : await nameItems(db, found) }
}

/**
 * Names each item whose summary speaks of other facts than are here; answers how many items there
 * are, those included whose summary is gone.
 */
async function nameItems(db: Database, found: Survey): Promise<number> {
  const none = { facts: 0, factsXor: ZERO_HASH }
  const items = foldedItems(db)
  let count = 0
  const alone = async (item: FoldOf<Partial<ItemFold>>): Promise<void> => {
    if (await isIndexed(db, item)) count += 1
    tellItem(item.id, none, item, found)
  }
  let item = await items.next()
  for await (const facts of foldedFacts(db)) {
    for (; !item.done && compareText(item.value.id, facts.id) < 0; item = await items.next()) {
      await alone(item.value)
    }
    const isSame = !item.done && item.value.id === facts.id
    count += 1
    tellItem(facts.id, facts, isSame ? item.value : undefined, found)
    if (isSame) item = await items.next()
  }
  for (; !item.done; item = await items.next()) await alone(item.value)
  return count
}

/** Whether there was such an item: a damaged summary may lie under a flipped key. */
async function isIndexed(db: Database, item: FoldOf<Partial<ItemFold>>): Promise<boolean> {
  return item.facts !== undefined || (await db.has(keys.idHash(hashText(item.id))))
}

function tellItem(
  id: ItemId,
  facts: ItemFold,
  summary: Partial<ItemFold> | undefined,
  found: Survey,
): void {
  if (summary?.facts === facts.facts && summary.factsXor === facts.factsXor) return
  if (found.damages.length >= DAMAGES_MAX) return
  const said = summary?.facts ?? 'an unknown number of'
  const sentence = `The summary of ${id} speaks of ${said} facts, and ${facts.facts} are here.`
  found.damages.push({ what: 'item', id, sentence })
}

type FoldOf<Fold> = Fold & { readonly id: ItemId }

async function* foldedItems(db: Database): AsyncGenerator<FoldOf<Partial<ItemFold>>> {
  for await (const page of sealedPages(db, tableRange('i'))) {
    for (const [key, record] of page) {
      const payload = unseal(key, record)
      const fold = payload === undefined ? undefined : readItemFold(payload)
      yield { id: nameOfKey(key), ...fold }
    }
  }
}

/** The facts of each item, counted from their keys. */
async function* foldedFacts(db: Database): AsyncGenerator<FoldOf<ItemFold>> {
  let id: ItemId | null = null
  let facts = 0
  let xor = new HashXor()
  for await (const page of keyPages(db, tableRange('f'))) {
    for (const key of page) {
      const ref = factOfKey(key)!
      if (ref.id !== id) {
        if (id !== null) yield { id, facts, factsXor: xor.value() }
        id = ref.id
        facts = 0
        xor = new HashXor()
      }
      facts += 1
      xor.toggle(ref.version)
    }
  }
  if (id !== null) yield { id, facts, factsXor: xor.value() }
}

/** The newest event on the disk that can be read; 0 when there is none. */
export async function lastEvent(db: Database): Promise<number> {
  const { from, until } = tableRange('e')
  for await (const [key, record] of db.iterator({ gte: from, lt: until, reverse: true })) {
    // A flipped key may name any number, and the next event would be numbered after it.
    if (isKey(key) && unseal(key, record) !== undefined) return numberOfKey(key)
  }
  return 0
}

/** Reads a record, or tells its damage. */
function unsealed<Value>(
  key: string,
  record: Uint8Array,
  found: Survey,
  read: (payload: Uint8Array) => Value | undefined,
): Value | undefined {
  const payload = unseal(key, record)
  const value = payload === undefined ? undefined : read(payload)
  if (value === undefined) found.damages.push(damageOfKey(key))
  return value
}
