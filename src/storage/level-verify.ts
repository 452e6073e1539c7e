/**
 * The scrub: every record of every table is read and held against its checksum, every item against
 * its facts, every payload against its hash, and the counts against what was promised. It reads one
 * snapshot, so that writes meanwhile never look like damage.
 *
 * What follows from sound records is put right at once (the index id-hash → id, the places in the
 * pending queue) and told all the same.
 */
import { compareText, utf8, utf8Text } from '../base/bytes.ts'
import type { HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import { type Hash, hashBytes, hashText } from '../base/hash.ts'
import type { BlobFolder } from './blob-folder.ts'
import { itemDamages } from './item-check.ts'
import { damageOfKey, factOfKey, keys, nameOfKey, type Table, tableRange } from './keys.ts'
import { type Database, type Snapshot, sealedPages } from './level-table.ts'
import { damagedTables, demandCheck } from './mending.ts'
import type { Op, Row } from './overlay.ts'
import {
  factPayload,
  itemPayload,
  readFactPayload,
  readGroupPayload,
  readItemPayload,
  readRefPayload,
  readSizePayload,
  refPayload,
  seal,
  unseal,
} from './records.ts'
import type { Damage } from './store.ts'
import type { StorePaths } from './store-folder.ts'
import { lossOf, Tally } from './tally.ts'

/** A part of the scrub. */
export interface VerifyStep {
  readonly checked: number
  readonly damages: readonly Damage[]
}

/** What a scrub reads, and how it puts things right. */
export interface VerifyOptions {
  readonly db: Database
  readonly paths: StorePaths
  readonly blobs: BlobFolder
  /** Writes records anew that follow from others. */
  readonly repair: (ops: readonly Op[]) => Promise<void>
}

/** Items looked at in one step. */
const STEP_ITEMS = 200

interface FoundItem {
  readonly id: ItemId
  readonly summary: ItemSummary | undefined
  readonly facts: readonly HeldFact[]
  readonly damages: readonly Damage[]
}

/** Scrubs an open store, step by step; ends early where reading on could end the process. */
export async function* verifyLevel(options: VerifyOptions): AsyncGenerator<VerifyStep> {
  // LevelDB may end the process over a damaged table, so tables are looked at from outside first.
  const tables = await damagedTables(options.paths)
  yield { checked: 0, damages: tables.map(tableDamage) }
  if (tables.length > 0) return await demandCheck(options.paths)
  const snapshot = options.db.snapshot()
  try {
    const counted = new Tally()
    yield* verifyItems(options, snapshot, counted)
    yield* verifyQueue(options.db, snapshot, counted)
    for (const table of ['w', 'l', 'e', 'm', 'x'] as const) {
      yield* verifyTable(options.db, snapshot, table)
    }
    yield* verifyCounts(options.db, snapshot, counted)
    yield* verifyInline(options.db, snapshot)
    yield* verifyFiles(options, snapshot)
  } finally {
    await snapshot.close()
  }
}

function tableDamage(name: string): Damage {
  const sentence =
    `LevelDB's table ${name} is damaged: stop and start again, then its damaged parts are left ` +
    'out, and what was in them is fetched from the others.'
  return { what: 'engine', sentence }
}

async function* verifyItems(
  options: VerifyOptions,
  snapshot: Snapshot,
  counted: Tally,
): AsyncGenerator<VerifyStep> {
  let page: FoundItem[] = []
  for await (const item of joinedItems(options.db, snapshot)) {
    for (const { fact } of item.facts) counted.addFact(fact.version)
    page.push(item)
    if (page.length < STEP_ITEMS) continue
    yield await verifyPage(options, snapshot, page)
    page = []
  }
  if (page.length > 0) yield await verifyPage(options, snapshot, page)
}

async function verifyPage(
  options: VerifyOptions,
  snapshot: Snapshot,
  page: readonly FoundItem[],
): Promise<VerifyStep> {
  const accounted = await accountedBlobs(options.db, snapshot, page)
  const { damages, ops } = await derivedDamages(options.db, snapshot, page)
  if (ops.length > 0) await options.repair(ops)
  let checked = 0
  for (const item of page) {
    checked += item.facts.length + 1
    const isAccounted = (blob: Hash) => accounted.has(blob)
    damages.push(...item.damages, ...itemDamages({ ...item, isAccounted }))
  }
  return { checked, damages }
}

/** Payloads of these items that are here or wanted. */
async function accountedBlobs(
  db: Database,
  snapshot: Snapshot,
  page: readonly FoundItem[],
): Promise<Set<Hash>> {
  const facts = page.flatMap(item => item.facts)
  const blobs = [...new Set(facts.map(({ fact }) => fact.blob).filter(blob => blob !== null))]
  const asked = blobs.flatMap(blob => [keys.payload(blob), keys.have(blob), keys.wanted(blob)])
  const held = await db.hasMany(asked, { snapshot })
  return new Set(blobs.filter((_, at) => held.slice(3 * at, 3 * at + 3).includes(true)))
}

/**
 * Records that these items need and that a read by key does not find: the index and the queue
 * follow from the items; facts and summaries were just read in order, but a table whose filter is
 * damaged denies them to who asks by key. All are written anew.
 */
async function derivedDamages(db: Database, snapshot: Snapshot, page: readonly FoundItem[]) {
  const expected: { readonly key: string; readonly payload: Uint8Array; readonly id: ItemId }[] = []
  for (const { id, summary, facts } of page) {
    if (summary !== undefined) {
      expected.push({ key: keys.idHash(hashText(id)), payload: utf8(id), id })
      expected.push({ key: keys.item(id), payload: itemPayload(summary), id })
    }
    for (const held of facts) {
      const { fact, state } = held
      expected.push({ key: keys.fact(fact), payload: factPayload(held), id })
      if (state.kind !== 'pending') continue
      expected.push({ key: keys.pending(state.order), payload: refPayload(fact), id })
    }
  }
  const asked = expected.map(({ key }) => key)
  const found = await db.getMany(asked, { snapshot })
  const damages: Damage[] = []
  const ops: Op[] = []
  for (const [at, { key, payload, id }] of expected.entries()) {
    const value = seal(key, payload)
    const record = found[at]
    if (record !== undefined && Buffer.compare(record, value) === 0) continue
    ops.push({ type: 'put', key, value })
    const sentence = `A record of ${id} could not be found by its key and was written anew.`
    damages.push({ what: 'index', id, sentence })
  }
  return { damages, ops }
}

/** Items with their facts, in the order of ids; facts without an item come as items without one. */
async function* joinedItems(db: Database, snapshot: Snapshot): AsyncGenerator<FoundItem> {
  const groups = factGroups(db, snapshot)
  let group = await groups.next()
  for await (const page of sealedPages(db, tableRange('i'), snapshot)) {
    for (const [key, record] of page) {
      const id = nameOfKey(key)
      for (; !group.done && compareText(group.value.id, id) < 0; group = await groups.next()) {
        yield { ...group.value, summary: undefined }
      }
      const payload = unseal(key, record)
      const summary = payload === undefined ? undefined : readItemPayload(payload)
      const own =
        !group.done && group.value.id === id ? group.value : { id, facts: [], damages: [] }
      const damages = summary === undefined ? [damageOfKey(key), ...own.damages] : own.damages
      yield { ...own, summary, damages }
      if (!group.done && group.value.id === id) group = await groups.next()
    }
  }
  for (; !group.done; group = await groups.next()) yield { ...group.value, summary: undefined }
}

type FactGroup = Omit<FoundItem, 'summary'>

async function* factGroups(db: Database, snapshot: Snapshot): AsyncGenerator<FactGroup> {
  let group: { id: ItemId; facts: HeldFact[]; damages: Damage[] } | null = null
  for await (const page of sealedPages(db, tableRange('f'), snapshot)) {
    for (const [key, record] of page) {
      const ref = factOfKey(key)
      const id = ref?.id ?? nameOfKey(key)
      if (group !== null && group.id !== id) {
        yield group
        group = null
      }
      group ??= { id, facts: [], damages: [] }
      const held = ref === undefined ? undefined : openFact(key, record)
      if (held === undefined) group.damages.push(damageOfKey(key))
      else group.facts.push(held)
    }
  }
  if (group !== null) yield group
}

function openFact(key: string, record: Uint8Array): HeldFact | undefined {
  const payload = unseal(key, record)
  const held = payload === undefined ? undefined : readFactPayload(payload)
  return held !== undefined && keys.fact(held.fact) === key ? held : undefined
}

async function* verifyQueue(
  db: Database,
  snapshot: Snapshot,
  counted: Tally,
): AsyncGenerator<VerifyStep> {
  for await (const page of sealedPages(db, tableRange('q'), snapshot)) {
    const damages: Damage[] = []
    const refs: { readonly key: string; readonly fact: string }[] = []
    for (const [key, record] of page) {
      const payload = unseal(key, record)
      const ref = payload === undefined ? undefined : readRefPayload(payload)
      if (ref === undefined) {
        damages.push(damageOfKey(key))
        continue
      }
      counted.addPending(0, ref.version)
      refs.push({ key, fact: keys.fact(ref) })
    }
    const asked = refs.map(({ fact }) => fact)
    const held = await db.hasMany(asked, { snapshot })
    for (const [at, { fact }] of refs.entries()) {
      if (held[at] === true) continue
      const sentence = 'The pending queue names a fact that is not here.'
      damages.push({ what: 'fact', ...factOfKey(fact), sentence })
    }
    yield { checked: page.length, damages }
  }
}

/** Tables of which the records are all there is to say. */
async function* verifyTable(
  db: Database,
  snapshot: Snapshot,
  table: Table,
): AsyncGenerator<VerifyStep> {
  for await (const page of sealedPages(db, tableRange(table), snapshot)) {
    yield { checked: page.length, damages: page.flatMap(row => rowDamage(table, row)) }
  }
}

function rowDamage(table: Table, [key, record]: Row): Damage[] {
  const payload = unseal(key, record)
  if (payload === undefined) return [damageOfKey(key)]
  const isSound =
    (table !== 'w' || readSizePayload(payload) !== undefined) &&
    (table !== 'x' || hashText(utf8Text(payload) ?? '') === nameOfKey(key))
  return isSound ? [] : [damageOfKey(key)]
}

/** What was counted, against the promise of the last group in the same snapshot. */
async function* verifyCounts(
  db: Database,
  snapshot: Snapshot,
  counted: Tally,
): AsyncGenerator<VerifyStep> {
  const { from, until } = tableRange('g')
  const last = await db.iterator({ gte: from, lt: until, reverse: true, limit: 1, snapshot }).all()
  const [key, record] = last[0] ?? ['g', new Uint8Array()]
  const payload = unseal(key, record)
  const group = payload === undefined ? undefined : readGroupPayload(payload)
  if (group === undefined) {
    yield { checked: 1, damages: [damageOfKey(key)] }
    return
  }
  const found = counted.record()
  const { tally } = group
  const sentence =
    `The store promised ${tally.facts} facts and ${tally.pending} pending entries; ` +
    `${found.facts} and ${found.pending} are here and readable, or others.`
  const damages: Damage[] = lossOf(tally, found).differs ? [{ what: 'fact', sentence }] : []
  yield { checked: 1, damages }
}

async function* verifyInline(db: Database, snapshot: Snapshot): AsyncGenerator<VerifyStep> {
  for await (const page of sealedPages(db, tableRange('p'), snapshot)) {
    const damages: Damage[] = []
    for (const [key, record] of page) {
      const payload = unseal(key, record)
      if (payload === undefined || hashBytes(payload) !== nameOfKey(key)) {
        damages.push(damageOfKey(key))
      }
    }
    yield { checked: page.length, damages }
  }
}

async function* verifyFiles(
  { db, blobs }: VerifyOptions,
  snapshot: Snapshot,
): AsyncGenerator<VerifyStep> {
  for await (const page of sealedPages(db, tableRange('h'), snapshot)) {
    for (const [key, record] of page) {
      const blob = nameOfKey(key)
      const payload = unseal(key, record)
      const size = payload === undefined ? undefined : readSizePayload(payload)
      const damages: Damage[] = size === undefined ? [damageOfKey(key)] : []
      if ((await blobs.hash(blob)) !== blob) {
        const sentence = `The file of the payload ${blob} is damaged or gone.`
        damages.push({ what: 'payload', blob, sentence })
      }
      yield { checked: 1, damages }
    }
  }
}
