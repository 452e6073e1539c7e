/**
 * The journal: a text file beside LevelDB that says what the store promised last, so that a log or
 * table which lost its end cannot pass for whole. A line is written when a group of batches is
 * durable, and when a cut was reached; it is not fsync'd.
 *
 * - A line is `<CRC-32, 8 hex digits> <JSON>`, complete in itself: tally, last cut, closed or not.
 *   Only the last good line counts. A damaged line is told and passed over.
 * - The journal may lie behind LevelDB (a crash between the two), never ahead of it: a line is
 *   written after the fsync of what it promises. Ahead means loss (tally.ts).
 * - It is begun anew, whole and fsync'd, at each opening and when it has grown to its limit.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { isHash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { isAbsent, replaceFile, writeAllNow } from './files.ts'
import type { StartReport } from './store.ts'
import type { TallyRecord } from './tally.ts'

const JOURNAL_FORMAT = 1

type Cut = NonNullable<StartReport['lastCut']>

/** What a line says. */
export interface JournalEntry {
  readonly tally: TallyRecord
  readonly cut: Cut | null
  /** The store was closed in order after this. */
  readonly closed: boolean
}

/** What a journal said when it was read. */
export interface JournalReading {
  /** The last good line; `null` when there is no journal, or no good line in it. */
  readonly last: JournalEntry | null
  readonly damagedLines: number
}

/** One line, with its end. */
export function journalLine(entry: JournalEntry): string {
  const text = JSON.stringify({ format: JOURNAL_FORMAT, ...entry })
  return `${checksum(text)} ${text}\n`
}

/** Reads the lines of a journal. */
export function readLines(content: string): JournalReading {
  let last: JournalEntry | null = null
  let damagedLines = 0
  for (const line of content.split('\n')) {
    if (line === '') continue
    const entry = readLine(line)
    if (entry === undefined) damagedLines += 1
    else last = entry
  }
  return { last, damagedLines }
}

/** Reads a journal; one that is not there says nothing. */
export async function readJournal(path: string): Promise<JournalReading> {
  try {
    return readLines(await readFile(path, 'latin1'))
  } catch (error) {
    if (isAbsent(error)) return { last: null, damagedLines: 0 }
    throw error
  }
}

/** The open journal of a store; the newest entry is what it says. */
export class Journal {
  readonly #path: string
  readonly #onFailure: (error: Error) => void
  #file: FileHandle
  #entry: JournalEntry
  #bytes: number
  /** The file is being begun anew. */
  #beginning: Promise<void> | null = null
  #hasFailed = false

  private constructor(options: JournalOptions, file: FileHandle, bytes: number) {
    this.#path = options.path
    this.#onFailure = options.onFailure
    this.#entry = options.entry
    this.#file = file
    this.#bytes = bytes
  }

  /** Begins the journal anew with one entry, durably. */
  static async begin(options: JournalOptions): Promise<Journal> {
    const line = journalLine(options.entry)
    await replaceFile(options.path, line)
    return new Journal(options, await open(options.path, 'r+'), line.length)
  }

  /** Says what is promised now; resolves when the operating system has the line, or failed to. */
  async promise(tally: TallyRecord): Promise<void> {
    this.#entry = { ...this.#entry, tally }
    await this.#write()
  }

  /** Says which cut was reached. */
  cut(cut: Cut): void {
    this.#entry = { ...this.#entry, cut }
    void this.#write() // never rejects: a journal that cannot be written is told, not thrown
  }

  /** Says that all is closed in order, durably, and closes. */
  async close(): Promise<void> {
    await this.#write()
    try {
      await replaceFile(this.#path, journalLine({ ...this.#entry, closed: true }))
    } finally {
      await this.#file.close()
    }
  }

  /** Closes without a word, as a crash would. */
  async abandon(): Promise<void> {
    await this.#beginning
    await this.#file.close()
  }

  /** Writes the newest entry; what is said while the file is begun anew comes after that. */
  async #write(): Promise<void> {
    while (this.#beginning !== null) await this.#beginning
    if (this.#bytes <= limits.journalBytesMax) {
      try {
        this.#appendLine()
        this.#hasFailed = false
      } catch (error) {
        this.#fails(error)
      }
      return
    }
    this.#beginning = this.#beginAnew()
      .then(
        () => {
          this.#hasFailed = false
        },
        error => this.#fails(error),
      )
      .finally(() => {
        this.#beginning = null
      })
    await this.#beginning
  }

  /** The journal only notices loss, it promises nothing: the store goes on without it, aloud. */
  #fails(error: unknown): void {
    if (!this.#hasFailed) this.#onFailure(error instanceof Error ? error : new Error(`${error}`))
    this.#hasFailed = true
  }

  /**
   * Some hundred bytes into the page cache, on a disk that has just ended an fsync: to hand them to
   * another thread costs twenty times as much, and each group's answers wait for it.
   */
  #appendLine(): void {
    // After a failure half a line may lie there: an empty line ends it.
    const line = Buffer.from((this.#hasFailed ? '\n' : '') + journalLine(this.#entry), 'latin1')
    const at = this.#bytes
    this.#bytes += line.length
    writeAllNow(this.#file, line, at)
  }

  async #beginAnew(): Promise<void> {
    const line = journalLine(this.#entry)
    await replaceFile(this.#path, line)
    const file = await open(this.#path, 'r+')
    await this.#file.close()
    this.#file = file
    this.#bytes = line.length
  }
}

/** Where a journal lies and what its first line says. */
export interface JournalOptions {
  readonly path: string
  readonly entry: JournalEntry
  /** Told when a line cannot be written, once until one can again. */
  readonly onFailure: (error: Error) => void
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

function readLine(line: string): JournalEntry | undefined {
  const text = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(text)) return undefined
  const entry = JSON.parse(text) as JournalEntry & { readonly format: number } // ours: checksummed
  if (entry.format !== JOURNAL_FORMAT || !isHash(entry.tally.factsXor)) return undefined
  return { tally: entry.tally, cut: entry.cut, closed: entry.closed }
}
