/**
 * The reads of the store on disk, table by table. Records come checked (level-table.ts); one whose
 * checksum is right and that says nothing all the same is damaged too. A page is as long as it was
 * asked for whenever there is more, for callers take a short page for the last one.
 */
import { type Bytes, utf8Text } from '../base/bytes.ts'
import type { FactRef, HeldFact, ItemId, ItemSummary } from '../base/fact.ts'
import type { Glance } from '../base/glance.ts'
import { type Hash, hashText } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import {
  damageOfKey,
  factsRange,
  hashOfKey,
  keys,
  linkSource,
  linksRange,
  nameOfKey,
  numberOfKey,
  rangeAfter,
  tableRange,
} from './keys.ts'
import type { LevelTable } from './level-table.ts'
import {
  readFactPayload,
  readGlancePayload,
  readItemPayload,
  readRefPayload,
  readSizePayload,
} from './records.ts'
import type { Damage, EventEntry, IdRange, PendingEntry, WantedEntry } from './store.ts'
import type { Tally } from './tally.ts'

/** What can be asked of an open store, payloads aside. */
export class LevelReads {
  readonly #table: LevelTable
  readonly #tally: Tally
  readonly #onDamage: (damage: Damage) => void

  constructor(table: LevelTable, tally: Tally, onDamage: (damage: Damage) => void) {
    this.#table = table
    this.#tally = tally
    this.#onDamage = onDamage
  }

  async items(ids: readonly ItemId[]): Promise<(ItemSummary | undefined)[]> {
    return await this.#readAll(ids.map(keys.item), readItemPayload)
  }

  async idsOf(idHashes: readonly Hash[]): Promise<(ItemId | undefined)[]> {
    const ids = await this.#readAll(idHashes.map(keys.idHash), utf8Text)
    return ids.map((id, at) => {
      if (id === undefined || hashText(id) === idHashes[at]) return id
      this.#onDamage(damageOfKey(keys.idHash(idHashes[at]!)))
      return undefined
    })
  }

  async facts(refs: readonly FactRef[]): Promise<(HeldFact | undefined)[]> {
    return await this.#readAll(refs.map(keys.fact), readFactPayload)
  }

  async factsOf(id: ItemId): Promise<HeldFact[]> {
    const rows = await this.#table.range(factsRange(id))
    return rows.flatMap(([key, payload]) => this.#read(key, payload, readFactPayload) ?? [])
  }

  async scanItems(range: IdRange, limit: number): Promise<ItemSummary[]> {
    const all = tableRange('i')
    const until = range.until === undefined ? all.until : keys.item(range.until)
    const found: ItemSummary[] = []
    for (let from = keys.item(range.from ?? ''); found.length < limit; ) {
      const asked = limit - found.length
      const rows = await this.#table.range({ from, until }, asked)
      for (const [key, payload] of rows) {
        const summary = this.#read(key, payload, readItemPayload)
        if (summary !== undefined) found.push(summary)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < asked) break
      from = `${last[0]}\u0000`
    }
    return found
  }

  async *allItems(): AsyncGenerator<readonly ItemSummary[]> {
    for (let from: ItemId | undefined; ; ) {
      const page = await this.scanItems(from === undefined ? {} : { from }, limits.pageMax)
      const last = page.at(-1)
      if (last === undefined) return
      yield page
      from = `${last.id}\u0000`
    }
  }

  /** Ends early only with the process: a start reads to the end, or fails. */
  async *glances(): AsyncGenerator<readonly Glance[]> {
    const { from, until } = tableRange('i')
    const pageFrom = (key: string) => this.#table.range({ from: key, until }, limits.pageMax)
    for (let next = pageFrom(from); ; ) {
      const rows = await next
      const last = rows.at(-1)
      if (last === undefined) return
      next = pageFrom(`${last[0]}\u0000`)
      next.catch(() => undefined) // told to whoever asks for the page; nobody may
      yield rows.flatMap(([key, payload]) => {
        const read = (bytes: Bytes) => readGlancePayload(nameOfKey(key), bytes)
        return this.#read(key, payload, read) ?? []
      })
    }
  }

  async pending(after: number, limit: number): Promise<PendingEntry[]> {
    const range = rangeAfter('q', after < 0 ? null : keys.pending(after))
    const rows = await this.#table.range(range, limit)
    return rows.flatMap(([key, payload]) => {
      const ref = this.#read(key, payload, readRefPayload)
      return ref === undefined ? [] : [{ order: numberOfKey(key), ref }]
    })
  }

  async wanted(after: Hash | null, limit: number): Promise<WantedEntry[]> {
    const range = rangeAfter('w', after === null ? null : keys.wanted(after))
    const rows = await this.#table.range(range, limit)
    return rows.flatMap(([key, payload]) => {
      const size = this.#read(key, payload, readSizePayload)
      return size === undefined ? [] : [{ blob: hashOfKey(key), size }]
    })
  }

  async dependedOnBy(id: ItemId, limit: number): Promise<ItemId[]> {
    return (await this.#table.range(linksRange(id), limit)).map(([key]) => linkSource(key))
  }

  async events(after: number, limit: number): Promise<EventEntry[]> {
    // Trimmed events may still lie on the disk; they are removed after their group.
    const last = Math.max(after, this.#tally.firstEvent - 1)
    const range = rangeAfter('e', last < 0 ? null : keys.event(last))
    const rows = await this.#table.range(range, limit)
    return rows.map(([key, body]) => ({ sequence: numberOfKey(key), body }))
  }

  async meta(key: string): Promise<Bytes | undefined> {
    return (await this.#table.get([keys.meta(key)]))[0]
  }

  async #readAll<Value>(
    asked: readonly string[],
    read: (payload: Bytes) => Value | undefined,
  ): Promise<(Value | undefined)[]> {
    const [first] = asked
    if (first !== undefined && asked.length === 1) {
      const payload = await this.#table.one(first)
      return [payload === undefined ? undefined : this.#read(first, payload, read)]
    }
    const payloads = await this.#table.get(asked)
    return payloads.map((payload, at) => {
      return payload === undefined ? undefined : this.#read(asked[at]!, payload, read)
    })
  }

  /** A payload whose checksum is right and that says nothing all the same is damaged too. */
  #read<Value>(key: string, payload: Bytes, read: (payload: Bytes) => Value | undefined) {
    const value = read(payload)
    if (value === undefined) this.#onDamage(damageOfKey(key))
    return value
  }
}
