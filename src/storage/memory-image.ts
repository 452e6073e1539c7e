/**
 * What a store in memory leaves behind, and what the next opening says about it. The report is made
 * as on disk: the tables are counted anew and held against the tally that was kept beside them and
 * against the journal, so that a test which drops records from an image sees the loss noticed.
 */
import { type FactRef, refKey } from '../base/fact.ts'
import { glanceOf } from '../base/glance.ts'
import { stampOf } from '../base/stamp.ts'
import type { PartialPayloads } from './memory-payloads.ts'
import { MemoryTables } from './memory-tables.ts'
import { rottenFact, rottenItem } from './memory-verify.ts'
import { Seeing } from './seeing.ts'
import type { Damage, ItemsSeen, StartReport } from './store.ts'
import { lossAtStart, type TallyRecord } from './tally.ts'

/** How durable a store in memory is. */
export interface MemoryStoreOptions {
  /**
   * Called for every fsync, with its size: of one group of batches at a time, and of each large
   * payload. It is durable when the promise resolves, and the disk has failed when it rejects.
   * Absent: durable at once.
   */
  readonly durability?: (bytes: number) => Promise<void>
  /** Hears of the items that are there at first. */
  readonly items?: ItemsSeen
}

/** What a line of the journal says. */
export interface JournalLine {
  readonly tally: TallyRecord
  readonly cut: StartReport['lastCut']
}

/** What a store leaves behind. */
export interface MemoryImage {
  readonly tables: MemoryTables
  readonly partial: PartialPayloads
  /** What the journal holds; null: it is lost. */
  readonly journal: TallyRecord | null
  readonly lastCut: StartReport['lastCut']
  /** The store was closed in order. */
  readonly clean: boolean
}

/** The image of a store that never was opened. */
export function emptyImage(): MemoryImage {
  const tables = new MemoryTables()
  return {
    tables,
    partial: new Map(),
    journal: tables.tally.record(),
    lastCut: null,
    clean: true,
  }
}

/** Partial payloads as of now; the pieces themselves are shared. */
export function copyPartial(partial: PartialPayloads): PartialPayloads {
  return new Map([...partial].map(([blob, pieces]) => [blob, pieces.slice()]))
}

/** The partial payloads that an opening keeps: those that are still wanted. */
export function wantedPartial({ partial, tables }: MemoryImage): PartialPayloads {
  return copyPartial(new Map([...partial].filter(([blob]) => tables.wanted.has(blob))))
}

/** Shows the items of an image as an opening on disk does. */
export function showItems({ tables, lastCut }: MemoryImage, seen: ItemsSeen): void {
  const cut = lastCut?.cut ?? 0
  const seeing = new Seeing(tables.items.size, stampOf(cut))
  for (const [id, summary] of tables.items.range()) {
    seeing.see(tables.rottenItems.has(id) ? undefined : glanceOf(summary))
  }
  seen.begin(cut)
  seen.see(seeing.seen())
}

/**
 * What is to be said about an image. Summaries are all read. The facts themselves are only when the
 * store was not closed in order, or when a summary gives reason to: until then a fact that rotted
 * while the store was closed is found by whoever reads it.
 */
export function startReport({ tables, journal, lastCut, clean }: MemoryImage): StartReport {
  const recorded = tables.tally.record()
  const isRead = !clean || tables.rottenItems.size > 0
  const isSound = (ref: FactRef) => !(isRead && tables.rotten.has(refKey(ref)))
  const loss = lossAtStart({ journal, recorded, found: tables.fold(isSound) })
  const damages: Damage[] =
    journal === null
      ? [{ what: 'journal', sentence: 'The journal is missing: loss would go unnoticed.' }]
      : []
  for (const id of tables.rottenItems) damages.push(rottenItem(id))
  for (const [id, facts] of isRead && tables.rotten.size > 0 ? tables.facts : []) {
    for (const version of facts.keys()) {
      if (!isSound({ id, version })) damages.push(rottenFact({ fact: { id, version } }))
    }
  }
  for (const id of new Set([...tables.items.keys(), ...tables.facts.keys()])) {
    const here = tables.facts.get(id)?.size ?? 0
    const said = tables.items.get(id)?.facts
    if (said === here || (said === undefined && here === 0)) continue
    const sentence = `The summary of ${id} speaks of ${said ?? 'no'} facts, and ${here} are here.`
    damages.push({ what: 'item', id, sentence })
  }
  const { factsMissing, pendingMissing } = loss
  const gap = loss.differs || damages.length > 0
  return { clean, factsMissing, pendingMissing, gap, damages, lastCut }
}
