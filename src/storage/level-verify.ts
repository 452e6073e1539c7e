/**
 * The scrub: every record of every table is read and held against its checksum, every item against
 * its facts, every payload against its hash, and the counts against what was promised. It reads one
 * snapshot, so that writes meanwhile never look like damage.
 *
 * What follows from sound records is put right at once (the index id-hash → id, the places in the
 * pending queue, back-links) and told all the same. What cannot be read is told, then set aside
 * (aside.ts): a damage is named once, by the scrub that finds it.
 */
import { compareText, utf8 } from '../base/bytes.ts'
import type { HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import { type Hash, hashText } from '../base/hash.ts'
import { setJunkAside } from './aside.ts'
import type { BlobFolder } from './blob-folder.ts'
import { itemDamages, placeDamages } from './item-check.ts'
import {
  damageOfKey,
  factOfKey,
  hashOfKey,
  keys,
  nameOfKey,
  numberOfKey,
  type Table,
  tableRange,
} from './keys.ts'
import { type Database, type Snapshot, sealedPages } from './level-table.ts'
import { damagedTables, demandCheck } from './mending.ts'
import type { Op } from './overlay.ts'
import {
  factPayload,
  readGroupPayload,
  readItemPayload,
  readRefPayload,
  refPayload,
  seal,
  unseal,
} from './records.ts'
import { isSound, openFact } from './soundness.ts'
import type { Damage, PendingEntry } from './store.ts'
import type { StorePaths } from './store-folder.ts'
import { changeOf, lossOf, Tally, type TallyChange, type TallyRecord } from './tally.ts'

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
  /** Takes damaged records out, unless they were written anew meanwhile. */
  readonly setAside: (keys: readonly string[]) => Promise<void>
  /** What the store promises from now on is less, or more, by so much. */
  readonly rebase: (by: TallyChange) => Promise<void>
}

/** What a scrub knows while it goes on. */
interface Scrub extends VerifyOptions {
  readonly snapshot: Snapshot
  /** What was counted: records that can be read, and damaged ones by what their keys say. */
  readonly counted: Tally
  /** Keys of records that cannot be read. */
  readonly damaged: string[]
}

/** Items looked at in one step. */
const STEP_ITEMS = 200

interface FoundItem {
  readonly id: ItemId
  readonly summary: ItemSummary | undefined
  /** The summary as it lies there. */
  readonly payload?: Uint8Array | undefined
  readonly facts: readonly HeldFact[]
  readonly damages: readonly Damage[]
}

/** Scrubs an open store, step by step; ends early where reading on could end the process. */
export async function* verifyLevel(options: VerifyOptions): AsyncGenerator<VerifyStep> {
  // LevelDB may end the process over a damaged table, so tables are looked at from outside first.
  const tables = await damagedTables(options.paths)
  yield { checked: 0, damages: tables.map(tableDamage) }
  if (tables.length > 0) return await demandCheck(options.paths)
  for await (const damages of setJunkAside(options.db, options.paths)) yield { checked: 0, damages }
  const snapshot = options.db.snapshot()
  try {
    const scrub = { ...options, snapshot, counted: new Tally(), damaged: [] }
    yield* verifyItems(scrub)
    yield* verifyQueue(scrub)
    for (const table of ['w', 'l', 'e', 'm', 'x'] as const) yield* verifyTable(scrub, table)
    yield* verifyCounts(scrub)
    yield* verifyTable(scrub, 'p')
    yield* verifyFiles(scrub)
    // Last: who is told of the damage has written down by now what is missing.
    await options.setAside(scrub.damaged)
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

async function* verifyItems(scrub: Scrub): AsyncGenerator<VerifyStep> {
  let page: FoundItem[] = []
  for await (const item of joinedItems(scrub)) {
    for (const { fact } of item.facts) scrub.counted.addFact(fact.version)
    page.push(item)
    if (page.length < STEP_ITEMS) continue
    yield await verifyPage(scrub, page)
    page = []
  }
  if (page.length > 0) yield await verifyPage(scrub, page)
}

async function verifyPage(scrub: Scrub, page: readonly FoundItem[]): Promise<VerifyStep> {
  const accounted = await accountedBlobs(scrub, page)
  const { damages, ops } = await derivedDamages(scrub, page)
  if (ops.length > 0) await scrub.repair(ops)
  let checked = 0
  for (const item of page) {
    checked += item.facts.length + 1
    const isAccounted = (blob: Hash) => accounted.has(blob)
    damages.push(...item.damages)
    // Where there are only damaged records, there may never have been such an item.
    if (item.summary !== undefined || item.facts.length > 0) {
      damages.push(...itemDamages({ ...item, isAccounted }))
    }
  }
  return { checked, damages }
}

/** Payloads of these items that are here or wanted. */
async function accountedBlobs(
  { db, snapshot }: Scrub,
  page: readonly FoundItem[],
): Promise<Set<Hash>> {
  const facts = page.flatMap(item => item.facts)
  const blobs = [...new Set(facts.map(({ fact }) => fact.blob).filter(blob => blob !== null))]
  const asked = blobs.flatMap(blob => [keys.payload(blob), keys.have(blob), keys.wanted(blob)])
  const held = await db.hasMany(asked, { snapshot })
  return new Set(blobs.filter((_, at) => held.slice(3 * at, 3 * at + 3).includes(true)))
}

/**
 * Records that these items need and that a read by key does not find: the index, the queue and the
 * back-links follow from the items; facts and summaries were just read in order, but a table whose
 * filter is damaged denies them to who asks by key. All are written anew.
 */
async function derivedDamages({ db, snapshot, counted }: Scrub, page: readonly FoundItem[]) {
  const expected: Expected[] = []
  for (const { id, payload, facts } of page) {
    if (payload !== undefined) {
      expected.push({ key: keys.idHash(hashText(id)), payload: utf8(id), id })
      expected.push({ key: keys.item(id), payload, id })
    }
    for (const held of facts) {
      const { fact, state } = held
      expected.push({ key: keys.fact(fact), payload: factPayload(held), id })
      for (const to of fact.dependsOn) {
        expected.push({ key: keys.link(id, to), payload: new Uint8Array(0), id })
      }
      if (state.kind !== 'pending') continue
      const queued = fact.version
      expected.push({ key: keys.pending(state.order), payload: refPayload(fact), id, queued })
    }
  }
  const asked = expected.map(({ key }) => key)
  const found = await db.getMany(asked, { snapshot })
  const damages: Damage[] = []
  const ops: Op[] = []
  for (const [at, { key, payload, id, queued }] of expected.entries()) {
    const value = seal(key, payload)
    const record = found[at]
    if (record !== undefined && Buffer.compare(record, value) === 0) continue
    ops.push({ type: 'put', key, value })
    // What is written anew is here; the look at the queue passes a damaged place over.
    if (queued !== undefined && (record === undefined || !isSound(key, record))) {
      counted.addPending(0, queued)
    }
    const sentence = `A record of ${id} could not be found by its key and was written anew.`
    damages.push({ what: 'index', id, sentence })
  }
  return { damages, ops }
}

/** A record that must be there; `queued` is the version that a place in the queue names. */
interface Expected {
  readonly key: string
  readonly payload: Uint8Array
  readonly id: ItemId
  readonly queued?: Hash
}

/** Items with their facts, in the order of ids; facts without an item come as items without one. */
async function* joinedItems(scrub: Scrub): AsyncGenerator<FoundItem> {
  const { db, snapshot } = scrub
  const groups = factGroups(scrub)
  let group = await groups.next()
  for await (const page of sealedPages(db, tableRange('i'), snapshot)) {
    for (const [key, record] of page) {
      const id = nameOfKey(key)
      for (; !group.done && compareText(group.value.id, id) < 0; group = await groups.next()) {
        yield { ...group.value, summary: undefined }
      }
      const payload = isSound(key, record) ? unseal(key, record) : undefined
      const summary = payload === undefined ? undefined : readItemPayload(payload)
      const own =
        !group.done && group.value.id === id ? group.value : { id, facts: [], damages: [] }
      const damages = summary === undefined ? [...tell(scrub, key), ...own.damages] : own.damages
      yield { ...own, summary, payload: summary === undefined ? undefined : payload, damages }
      if (!group.done && group.value.id === id) group = await groups.next()
    }
  }
  for (; !group.done; group = await groups.next()) yield { ...group.value, summary: undefined }
}

type FactGroup = Omit<FoundItem, 'summary'>

async function* factGroups(scrub: Scrub): AsyncGenerator<FactGroup> {
  let group: { id: ItemId; facts: HeldFact[]; damages: Damage[] } | null = null
  for await (const page of sealedPages(scrub.db, tableRange('f'), scrub.snapshot)) {
    for (const [key, record] of page) {
      const { id, version } = factOfKey(key)!
      if (group !== null && group.id !== id) {
        yield group
        group = null
      }
      group ??= { id, facts: [], damages: [] }
      const held = openFact(key, record)
      if (held !== undefined) {
        group.facts.push(held)
        continue
      }
      group.damages.push(...tell(scrub, key))
      scrub.counted.addFact(version) // until it is set aside
    }
  }
  if (group !== null) yield group
}

/** Notes a record that cannot be read. */
function tell(scrub: Scrub, key: string): Damage[] {
  scrub.damaged.push(key)
  return [damageOfKey(key)]
}

async function* verifyQueue(scrub: Scrub): AsyncGenerator<VerifyStep> {
  const { db, snapshot, counted } = scrub
  for await (const page of sealedPages(db, tableRange('q'), snapshot)) {
    const damages: Damage[] = []
    const places: PendingEntry[] = []
    for (const [key, record] of page) {
      const payload = unseal(key, record)
      const ref = payload === undefined ? undefined : readRefPayload(payload)
      if (ref === undefined) {
        damages.push(...tell(scrub, key))
        continue
      }
      counted.addPending(0, ref.version)
      places.push({ order: numberOfKey(key), ref })
    }
    const facts = places.map(({ ref }) => keys.fact(ref))
    const records = await db.getMany(facts, { snapshot })
    for (const [at, place] of places.entries()) {
      const record = records[at]
      const held = record && (openFact(facts[at]!, record) ?? 'damaged')
      damages.push(...placeDamages(place, held))
    }
    yield { checked: page.length, damages }
  }
}

/** Tables of which the records are all there is to say. */
async function* verifyTable(scrub: Scrub, table: Table): AsyncGenerator<VerifyStep> {
  for await (const page of sealedPages(scrub.db, tableRange(table), scrub.snapshot)) {
    const wrong = page.filter(([key, record]) => !isSound(key, record))
    yield { checked: page.length, damages: wrong.flatMap(([key]) => tell(scrub, key)) }
  }
}

/** What was counted, against the promise of the last group in the same snapshot. */
async function* verifyCounts(scrub: Scrub): AsyncGenerator<VerifyStep> {
  const { db, snapshot, counted } = scrub
  const damages: Damage[] = []
  let tally: TallyRecord | undefined
  const { from, until } = tableRange('g')
  for await (const [key, record] of db.iterator({
    gte: from,
    lt: until,
    reverse: true,
    snapshot,
  })) {
    const payload = unseal(key, record)
    tally = payload === undefined ? undefined : readGroupPayload(payload)?.tally
    if (tally !== undefined) break
    damages.push(...tell(scrub, key))
  }
  if (tally === undefined) damages.push(damageOfKey(from))
  const found = counted.record()
  if (tally !== undefined && lossOf(tally, found).differs) {
    const sentence =
      `The store promised ${tally.facts} facts and ${tally.pending} pending entries; ` +
      `${found.facts} and ${found.pending} are here, or others.`
    damages.push({ what: 'fact', sentence })
    // From here on the promise is what is here; what comes back counts as new.
    await scrub.rebase(changeOf(tally, found))
  }
  yield { checked: 1, damages }
}

async function* verifyFiles(scrub: Scrub): AsyncGenerator<VerifyStep> {
  const { blobs } = scrub
  for await (const page of sealedPages(scrub.db, tableRange('h'), scrub.snapshot)) {
    for (const [key, record] of page) {
      const blob = hashOfKey(key)
      const damages: Damage[] = isSound(key, record) ? [] : tell(scrub, key)
      if ((await blobs.hash(blob)) !== blob) {
        const sentence = `The file of the payload ${blob} is damaged or gone.`
        damages.push({ what: 'payload', blob, sentence })
      }
      yield { checked: 1, damages }
    }
  }
}
