/**
 * What an opening finds: every count is made anew from the records and held against what the store
 * promised, in itself and in its journal.
 *
 * Three things can tell of a loss, because LevelDB tells of none:
 * - each group of batches writes a record `g<number>` with the tally after it. The last one must
 *   equal what is counted;
 * - the records of all groups that may still lie in LevelDB's log are kept. A hole in their numbers
 *   is a group that was lost out of the middle of a damaged log;
 * - a journal that knows of a later group proves that the end was lost.
 *
 * Counting takes one pass over the items; the facts themselves are counted too when anything gives
 * reason to (no orderly close, a difference, damage), item by item, so that the damaged ones are named.
 */
import type { Hash } from '../base/hash.ts'
import type { BlobFolder } from './blob-folder.ts'
import type { JournalReading } from './journal.ts'
import type { Database } from './level-table.ts'
import type { Op } from './overlay.ts'
import type { Damage, ItemsSeen, StartReport } from './store.ts'
import {
  lastEvent,
  type Survey,
  surveyBlobs,
  surveyFacts,
  surveyGroups,
  surveyItems,
  surveyMetas,
  surveyPending,
  surveyWanted,
} from './survey.ts'
import { lossAtStart, Tally, type TallyRecord } from './tally.ts'

const NO_TALLY: TallyRecord = new Tally().record()
const NO_CUT = { items: 0, cut: 0 }

/** What an opening found, and what it must write before anybody is let in. */
export interface Opening {
  readonly report: StartReport
  /** What the store goes on from. */
  readonly tally: TallyRecord
  readonly items: number
  readonly wanted: Set<Hash>
  readonly repairs: readonly Op[]
  /** Records of earlier groups: the opening's own group takes their place. */
  readonly groups: readonly number[]
}

/** Counts everything; `isNew` for a store that is just being made. */
export async function survey(options: {
  readonly db: Database
  readonly blobs: BlobFolder
  readonly journal: JournalReading
  readonly isNew: boolean
  /** Hears of the items. */
  readonly seen?: ItemsSeen | undefined
  /** So many items are counted in two threads (survey-items.ts). */
  readonly halvesFrom?: number | undefined
}): Promise<Opening> {
  const { db, blobs, journal, isNew, seen, halvesFrom } = options
  const found: Survey = { damages: journalDamages(journal, isNew), repairs: [] }
  const groups = await surveyGroups(db, found)
  const wanted = await surveyWanted(db, found)
  const pending = await surveyPending(db, found)
  const { items: expected, cut: lastCut } = journal.last?.cut ?? NO_CUT
  const items = await surveyItems({ db, expected, lastCut, seen, halvesFrom }, found)
  await surveyBlobs({ db, blobs, wanted }, found)
  await surveyMetas(db, found)
  const recorded = groups.last ?? NO_TALLY
  const promised = journal.last?.tally ?? null
  let counted: TallyRecord = { ...recorded, ...items.fold, ...pending.fold }
  let count = items.count
  const closed = isNew || (journal.last?.closed === true && promised?.group === recorded.group)
  if (!closed || found.damages.length > 0 || differs(promised, recorded, counted)) {
    const facts = await surveyFacts(db, items.fold, found)
    counted = { ...counted, ...facts.fold }
    count = facts.items ?? count
  }
  const loss = lossAtStart({ journal: promised, recorded, found: counted })
  const isBroken = !isNew && (groups.isBroken || journal.last === null)
  const gap = isBroken || loss.differs || found.damages.some(isLoss)
  const report: StartReport = {
    clean: closed,
    factsMissing: loss.factsMissing,
    pendingMissing: loss.pendingMissing,
    gap,
    damages: found.damages,
    lastCut: journal.last?.cut ?? null,
  }
  const tally = goOn({ recorded, promised, counted, lastOrder: pending.lastOrder })
  const last = await lastEvent(db)
  return {
    report,
    tally: { ...tally, lastEvent: Math.max(tally.lastEvent, last) },
    items: count,
    wanted,
    repairs: found.repairs,
    groups: groups.numbers,
  }
}

/** Damage after which something that was promised is not here. */
function isLoss({ what }: Damage): boolean {
  return what === 'fact' || what === 'item' || what === 'engine'
}

function differs(promised: TallyRecord | null, recorded: TallyRecord, found: TallyRecord): boolean {
  return lossAtStart({ journal: promised, recorded, found }).differs
}

/** Counts as found; numbers that may not be used twice from whoever knows the highest. */
function goOn(from: {
  readonly recorded: TallyRecord
  readonly promised: TallyRecord | null
  readonly counted: TallyRecord
  readonly lastOrder: number
}): TallyRecord {
  const { recorded, promised, counted, lastOrder } = from
  const other = promised ?? recorded
  return {
    ...counted,
    group: Math.max(recorded.group, other.group),
    lastOrder: Math.max(recorded.lastOrder, other.lastOrder, lastOrder),
    firstEvent: Math.max(recorded.firstEvent, other.firstEvent),
    lastEvent: Math.max(recorded.lastEvent, other.lastEvent),
  }
}

function journalDamages({ last, damagedLines }: JournalReading, isNew: boolean): Damage[] {
  const damages: Damage[] = []
  if (damagedLines > 0) {
    const sentence = `${damagedLines} lines of the journal are damaged and were passed over.`
    damages.push({ what: 'journal', sentence })
  }
  if (last === null && !isNew) {
    const sentence = 'The journal is gone: whether something was lost cannot be told.'
    damages.push({ what: 'journal', sentence })
  }
  return damages
}
