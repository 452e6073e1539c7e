/**
 * The opening of a store on disk, step by step: claim the folder, read its marker, open LevelDB
 * (and repair it where it refuses), count everything, write what the opening found, begin the
 * journal anew. Only then is anybody let in. Whatever fails gives the folder back.
 */
import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { Level } from 'level'
import type { Bytes } from '../base/bytes.ts'
import { BlobFolder } from './blob-folder.ts'
import { damagedStore, isCorruption, isLocked, storeFault } from './faults.ts'
import { Journal, readJournal } from './journal.ts'
import { keys } from './keys.ts'
import { Lasting, type LastingLook } from './lasting.ts'
import { type Database, LEVEL_ENCODINGS } from './level-table.ts'
import { mendTables, mustCheckTables } from './mending.ts'
import { type Opening, survey } from './opening.ts'
import type { Op } from './overlay.ts'
import { groupPayload, seal } from './records.ts'
import { type Damage, GAP_META_KEY, type ItemsSeen } from './store.ts'
import {
  beginOpening,
  claimFolder,
  endOpening,
  heldByOther,
  makeFolders,
  mustBeFree,
  notAStore,
  readMarker,
  releaseFolder,
  removeLock,
  STORE_FORMAT,
  type StorePaths,
  storePaths,
  writeLock,
  writeMarker,
} from './store-folder.ts'
import { upgradeKeys } from './upgrade.ts'

/**
 * LevelDB keeps up to two buffers in its log. What it merges later is most of the cost of a small
 * write on its side: 16 MiB take 20 to 40 % less of it than 8; larger ones cost memory and restart time.
 * How large this one is, each opening draws: members take in the same, and with equal buffers they
 * would all merge at the same time, and every writer wait for a majority of them (decision 0030).
 */
const WRITE_BUFFER_BYTES_MIN = 10 * 1024 * 1024
export const WRITE_BUFFER_BYTES_MAX = 16 * 1024 * 1024
/** Tables of 8 MiB and not 2: a quarter of the files, and a little less to merge. */
const TABLE_BYTES = 8 * 1024 * 1024
/** Of blocks that are compressed; others are read where the system has mapped them. 16 MiB answer no more gets. */
const CACHE_BYTES = 4 * 1024 * 1024

/** An open store folder. */
export interface OpenFolder {
  readonly paths: StorePaths
  readonly db: Database
  readonly blobs: BlobFolder
  readonly journal: Journal
  readonly lasting: Lasting
  readonly opening: Opening
  /** Closes LevelDB and gives the folder back. */
  readonly release: () => Promise<void>
}

/** Which folder, whether it may be made, and who hears of a journal that fails. */
export interface OpenFolderOptions {
  readonly folder: string
  /** Make a store where there is none. */
  readonly create: boolean
  readonly onJournalFailure: (error: Error) => void
  /** Hears of a second copy of the identity that cannot be written. */
  readonly onCopyFailure: (error: Error) => void
  /** Hears how far the move of an older store to today's format is. */
  readonly onUpgrade: (sentence: string) => void
  readonly items: ItemsSeen | undefined
  /** So many items are counted in two threads. */
  readonly halvesFrom: number | undefined
}

/** Opens the folder; throws a VecheError that says what to do when it cannot. */
export async function openFolder(options: OpenFolderOptions): Promise<OpenFolder> {
  const { folder, create } = options
  try {
    if (create) await mkdir(folder, { recursive: true, mode: 0o700 })
    if ((await readMarker(folder)).making === 'none' && !create) throw notAStore(folder)
    const claim = await claimFolder(folder)
    try {
      return await openClaimed(options, claim)
    } catch (error) {
      releaseFolder(claim)
      throw error
    }
  } catch (error) {
    throw storeFault(folder, error)
  }
}

async function openClaimed(options: OpenFolderOptions, claim: string): Promise<OpenFolder> {
  const { folder } = options
  const paths = storePaths(folder)
  const marker = await readMarker(folder)
  let { making } = marker
  if (making === 'none') {
    await mustBeFree(folder)
    await writeMarker(paths, 'new')
    making = 'new'
  }
  await makeFolders(paths)
  const repaired: Damage[] = []
  const wasChecked = await mustCheckTables(paths)
  await beginOpening(paths)
  try {
    if (wasChecked) await mend(paths, repaired)
    const db = await openDatabase(folder, paths, making === 'new', repaired)
    const isOld = marker.format < STORE_FORMAT
    return await openCounted({ options, claim, paths, making, isOld, wasChecked, repaired, db })
  } finally {
    await endOpening(paths)
  }
}

/** Counts what LevelDB holds, writes what follows from it, and lets the caller in. */
async function openCounted(from: {
  readonly options: OpenFolderOptions
  readonly claim: string
  readonly paths: StorePaths
  readonly making: 'new' | 'made'
  readonly isOld: boolean
  readonly wasChecked: boolean
  readonly repaired: Damage[]
  readonly db: Database
}): Promise<OpenFolder> {
  const { options, claim, paths, making, repaired } = from
  const isNew = making === 'new'
  let { db } = from
  try {
    await writeLock(paths, from.wasChecked)
    const blobs = new BlobFolder(paths)
    const journal = await readJournal(paths.journal)
    const look = async () => {
      if (from.isOld) await upgradeKeys(db, options.onUpgrade)
      const { items: seen, halvesFrom } = options
      return await survey({ db, blobs, journal, isNew, seen, halvesFrom })
    }
    let opening: Opening
    try {
      opening = await look()
    } catch (error) {
      if (!isCorruption(error) || repaired.length > 0) throw error
      await db.close()
      db = await repair(paths, error, repaired)
      opening = await look()
    }
    // Every opening leaves the record of a group: without one the database is another's, or gone.
    if (!isNew && opening.groups.length === 0 && opening.items === 0) {
      throw damagedStore(options.folder, 'its database is gone')
    }
    await blobs.clean(opening.wanted)
    opening = withDamages(opening, repaired)
    const onFailure = options.onJournalFailure
    const lasting = new Lasting(paths.lasting, options.onCopyFailure)
    opening = withLasting(opening, await lasting.look(db))
    const tally = await writeOpening(db, opening)
    if (isNew || from.isOld) await writeMarker(paths, 'made')
    const entry = { tally, cut: opening.report.lastCut, closed: false }
    const begun = await Journal.begin({ path: paths.journal, entry, onFailure })
    const release = async () => {
      try {
        await db.close()
        await removeLock(paths)
      } finally {
        releaseFolder(claim)
      }
    }
    return { paths, db, blobs, lasting, journal: begun, opening: { ...opening, tally }, release }
  } catch (error) {
    await db.close()
    throw error
  }
}

/** Opens LevelDB, repaired if it refuses its own files. */
async function openDatabase(
  folder: string,
  paths: StorePaths,
  isNew: boolean,
  repaired: Damage[],
): Promise<Database> {
  try {
    if (repaired.length > 0) await repairLevel(paths)
    return await openLevel(paths, isNew)
  } catch (error) {
    if (isLocked(error)) throw await heldByOther(folder)
    if (isNew || !isCorruption(error)) throw error
    return await repair(paths, error, repaired)
  }
}

/** Leaves the damaged blocks of tables out, before LevelDB meets them. */
async function mend(paths: StorePaths, repaired: Damage[]): Promise<void> {
  const mended = await mendTables(paths)
  if (mended.length === 0) return
  const sentence =
    `Damaged parts of LevelDB's tables were left out (${mended.join(', ')}; ` +
    'the files as they were are in the folder damaged).'
  repaired.push({ what: 'engine', sentence })
}

async function openLevel(paths: StorePaths, createIfMissing: boolean): Promise<Database> {
  const db: Database = new Level<string, Bytes>(paths.database, {
    ...LEVEL_ENCODINGS,
    createIfMissing,
    multithreading: true, // very many items are counted by two threads
    writeBufferSize: randomInt(WRITE_BUFFER_BYTES_MIN, WRITE_BUFFER_BYTES_MAX + 1),
    maxFileSize: TABLE_BYTES,
    cacheSize: CACHE_BYTES,
  })
  await db.open({ passive: false })
  return db
}

/**
 * Lets LevelDB make the best of what is left; it keeps bad files under `db/lost`. What vanished with
 * them is noticed by counting, so a repair never passes for health.
 */
async function repair(paths: StorePaths, reason: unknown, repaired: Damage[]): Promise<Database> {
  await repairLevel(paths)
  const db = await openLevel(paths, false)
  const cause = reason instanceof Error && reason.cause instanceof Error ? reason.cause : reason
  const why = cause instanceof Error ? cause.message : String(cause)
  const sentence = `LevelDB could not read its files and was repaired (${why}).`
  repaired.push({ what: 'engine', sentence })
  return db
}

async function repairLevel(paths: StorePaths): Promise<void> {
  const { repair: run } = Level as unknown as { repair(path: string): Promise<void> }
  await run.call(Level, paths.database)
}

function withDamages(opening: Opening, repaired: readonly Damage[]): Opening {
  if (repaired.length === 0) return opening
  const { report } = opening
  const damages = [...repaired, ...report.damages]
  return { ...opening, report: { ...report, clean: false, gap: true, damages } }
}

/** What was mended from a second copy is told, and no loss. */
function withLasting(opening: Opening, { damages, repairs }: LastingLook): Opening {
  if (damages.length + repairs.length === 0) return opening
  const report = { ...opening.report, damages: [...opening.report.damages, ...damages] }
  return { ...opening, report, repairs: [...opening.repairs, ...repairs] }
}

/** The opening's own group: its tally is the new beginning, and a gap is written down with it. */
async function writeOpening(db: Database, { report, tally, repairs, groups }: Opening) {
  const next = { ...tally, group: tally.group + 1 }
  const ops: Op[] = [...repairs]
  for (const group of groups) ops.push({ type: 'del', key: keys.group(group) })
  const put = (key: string, payload: Bytes): void => {
    ops.push({ type: 'put', key, value: seal(key, payload) })
  }
  put(keys.group(next.group), groupPayload({ tally: next, oldest: next.group }))
  if (report.gap) put(keys.meta(GAP_META_KEY), new Uint8Array([1]))
  await db.batch(ops, { sync: true })
  return next
}
