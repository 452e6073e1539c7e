/**
 * What items lack of which facts were damaged, and the record that keeps it: without it a restart
 * would show old versions of them.
 *
 * How many facts there were is no witness alone: an item that is written to goes on growing, and
 * would seem whole with one of its old versions gone. So versions that are lost are known by name
 * wherever the summary's XOR over all versions can tell which they are.
 */
import { utf8, utf8Text } from '../../base/bytes.ts'
import type { ItemId, ItemSummary } from '../../base/fact.ts'
import { type Hash, ZERO_HASH } from '../../base/hash.ts'
import { HashXor } from '../../storage/hash-xor.ts'
import type { Store, Write } from '../../storage/store.ts'
import type { MendedItem } from './mend.ts'
import type { ItemWork } from './work.ts'

/** The `meta` record of items that lack facts. */
const SHORT_META_KEY = 'gap/items'

/** While there is no network clock yet. */
const LATER = Number.MAX_SAFE_INTEGER

/** The form in the record; the first version of it had two fields. */
type Entry = readonly [ItemId, number, (readonly Hash[])?, number?]

/** What one item lacks. */
export interface Short {
  /** How many facts there were. */
  readonly promised: number
  /** Versions that were held and are not here, as far as they are known. */
  readonly lost: readonly Hash[]
  /** Network milliseconds at which that was noted: what a user writes here later stands by itself. */
  readonly since: number
}

export type ShortItems = ReadonlyMap<ItemId, Short>

export async function readShort(store: Store): Promise<Map<ItemId, Short>> {
  const known = await store.meta(SHORT_META_KEY)
  if (known === undefined) return new Map()
  // The record has a checksum of its own: what can be read is what was written.
  const entries = JSON.parse(utf8Text(known) ?? '[]') as readonly Entry[]
  const shortOf = ([id, promised, lost = [], since = LATER]: Entry): [ItemId, Short] => [
    id,
    { promised, lost, since },
  ]
  return new Map(entries.map(shortOf))
}

/** How many facts, and the XOR of their versions. */
export type FactFold = Pick<ItemSummary, 'facts' | 'factsXor'>

/** The same with the facts that a change brings, but for those that come back. */
export function grown(
  { facts, factsXor }: FactFold,
  { changed }: Pick<ItemWork, 'changed'>,
  isBack: (version: Hash) => boolean,
): FactFold {
  const xor = new HashXor(factsXor)
  let count = facts
  for (const [version, { isNew }] of changed) {
    if (!isNew || isBack(version)) continue
    xor.toggle(version)
    count += 1
  }
  return { facts: count, factsXor: xor.value() }
}

export function shortWrite(short: ShortItems): Write {
  const entries = [...short].map(
    ([id, { promised, lost, since }]): Entry => [id, promised, lost, since],
  )
  const value = entries.length === 0 ? null : utf8(JSON.stringify(entries))
  return { kind: 'meta', key: SHORT_META_KEY, value }
}

/**
 * What an item lacks that was made anew; undefined when nothing. `named` are versions that damaged
 * records tell of, which may lie: a record under a flipped key names what never was.
 */
export function lackOf(
  item: Pick<MendedItem, 'before' | 'whole' | 'isKnown' | 'facts'>,
  named: readonly Hash[],
  known: Short | undefined,
  nowMs = LATER,
): Short | undefined {
  const { isKnown, facts } = item
  const before = wholeOf(item)
  const here = new Set(facts.map(({ fact }) => fact.version))
  const gone = named.filter(version => !here.has(version))
  // A summary knows how many facts there were. Damaged records are counted only without one, and
  // only of an item that there was.
  const counted = before?.facts ?? (isKnown ? facts.length + gone.length : 0)
  const promised = Math.max(counted, known?.promised ?? 0)
  // What a damaged record names and a fact stands on was here, whatever a summary says that was worked
  // out from what could be read since.
  const parents = parentsOf(facts)
  const stoodOn = gone.filter(version => parents.has(version))
  const lost = new Set([...(known?.lost ?? []), ...stoodOn, ...lostOf(item, here, gone)])
  for (const version of here) lost.delete(version)
  if (promised <= facts.length && lost.size === 0) return undefined
  return { promised, lost: [...lost], since: Math.min(known?.since ?? nowMs, nowMs) }
}

/** Which versions an item lost, where its old summary tells: one by what is left over, or several
 * that damaged records and children name, if they are exactly what is left over. */
function lostOf(
  item: Pick<MendedItem, 'before' | 'whole' | 'facts'>,
  here: ReadonlySet<Hash>,
  gone: readonly Hash[],
): readonly Hash[] {
  const { facts } = item
  const before = wholeOf(item)
  if (before === undefined) return []
  const left = new HashXor(before.factsXor)
  for (const version of here) left.toggle(version)
  const count = before.facts - here.size
  if (count === 1) return [left.value()]
  const absent = [...parentsOf(facts)].filter(version => !here.has(version))
  const named = new Set([...gone, ...absent])
  if (named.size !== count) return []
  for (const version of named) left.toggle(version)
  return left.value() === ZERO_HASH ? [...named] : []
}

/** What there was of an item: its summary tells, unless a change has forgotten some of it since. */
function wholeOf({ before, whole }: Pick<MendedItem, 'before' | 'whole'>): FactFold | undefined {
  return whole === undefined ? before : (whole ?? undefined)
}

/** Versions that facts stand on; on a split item these may be derived, and nobody holds them. */
function parentsOf(facts: MendedItem['facts']): ReadonlySet<Hash> {
  return new Set(facts.flatMap(({ fact }) => (fact.base === null ? fact.parents : [])))
}
