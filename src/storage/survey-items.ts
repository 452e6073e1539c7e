/**
 * The counting of all items at an opening: most of the time that it takes, and nothing but a pass
 * over their summaries. Where there are very many of them, a thread of its own counts one half.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ZERO_HASH } from '../base/hash.ts'
import { stampOf } from '../base/stamp.ts'
import { HashXor } from './hash-xor.ts'
import { nameOfKey, type Range, tableRange } from './keys.ts'
import { type Database, sealedPages } from './level-table.ts'
import { addItemFold, type ItemFold, readGlancePayload, unseal } from './records.ts'
import { Seeing } from './seeing.ts'
import type { SeenItems } from './store.ts'

/** Fewer items are counted sooner than a thread has started. */
export const HALVES_FROM = 100_000

/** What is to be counted. */
export interface ItemsTask {
  readonly range: Range
  /** About so many are expected. */
  readonly expected: number
  /** For the gathering of what is seen (ms); null: nothing is gathered. */
  readonly lastCut: number | null
}

/** What was counted in a range. */
export interface ItemsCount {
  readonly items: number
  readonly fold: ItemFold
  /** Keys of summaries that cannot be read. */
  readonly damaged: readonly string[]
  readonly seen: SeenItems | null
}

/** What the thread is given: a task, and where LevelDB lies. */
export interface ThreadTask extends ItemsTask {
  readonly location: string
}

/** Counts the items of a range. */
export async function countItems(db: Database, task: ItemsTask): Promise<ItemsCount> {
  const { range, expected, lastCut } = task
  const seeing = lastCut === null ? null : new Seeing(expected, stampOf(lastCut))
  const damaged: string[] = []
  const xor = new HashXor()
  let items = 0
  let facts = 0
  for await (const page of sealedPages(db, range)) {
    for (const [key, record] of page) {
      const payload = unseal(key, record)
      if (payload !== undefined) seeing?.see(readGlancePayload(nameOfKey(key), payload))
      const its = payload === undefined ? undefined : addItemFold(payload, xor)
      if (its === undefined) {
        damaged.push(key) // its facts, if it has any, count it (`nameItems` of survey.ts)
        continue
      }
      items += 1
      facts += its
    }
  }
  return { items, fold: { facts, factsXor: xor.value() }, damaged, seen: seeing?.seen() ?? null }
}

/** Counts all items, in one or two parts; `halvesFrom` is how many are worth a second thread. */
export async function countAllItems(
  db: Database,
  task: Omit<ItemsTask, 'range'> & { readonly halvesFrom?: number | undefined },
): Promise<ItemsCount[]> {
  const { expected, lastCut, halvesFrom = HALVES_FROM } = task
  const all = tableRange('i')
  const isWorth = expected >= halvesFrom && availableParallelism() > 1
  const middle = isWorth ? await middleOf(db, all) : null
  if (middle === null) return [await countItems(db, { range: all, expected, lastCut })]
  const part = (range: Range) => ({ range, expected: Math.ceil((expected * 5) / 8), lastCut })
  const upper = part({ from: middle, until: all.until })
  const counting = countInThread({ ...upper, location: db.location })
  try {
    const lower = await countItems(db, part({ from: all.from, until: middle }))
    // What the thread could not count is counted here, and what is wrong told from here.
    return [lower, (await counting) ?? (await countItems(db, upper))]
  } finally {
    await counting // LevelDB closes when the last of both has closed it
  }
}

/** The fold of several parts. */
export function foldOf(counts: readonly ItemsCount[]): ItemFold {
  const xor = new HashXor(ZERO_HASH)
  for (const { fold } of counts) xor.toggle(fold.factsXor)
  return { facts: counts.reduce((sum, { fold }) => sum + fold.facts, 0), factsXor: xor.value() }
}

/** Counts in another thread; `undefined` when that came to nothing. */
function countInThread(task: ThreadTask): Promise<ItemsCount | undefined> {
  // Compiled, or as it is where Node runs the sources.
  const file = import.meta.url.endsWith('.ts') ? './survey-thread.ts' : './survey-thread.js'
  return new Promise(resolve => {
    let count: ItemsCount | undefined
    const warn = (error: Error) =>
      process.emitWarning(`A second thread could not count items: ${error.message}`)
    try {
      const thread = new Worker(new URL(file, import.meta.url), { workerData: task })
      thread.on('message', (message: ItemsCount) => {
        count = message
      })
      thread.on('error', warn)
      thread.on('exit', () => resolve(count))
    } catch (error) {
      warn(error instanceof Error ? error : new Error(String(error)))
      resolve(undefined)
    }
  })
}

/** Characters looked at for the middle, and how far off it may be. */
const MIDDLE_CHARACTERS_MAX = 128
const MIDDLE_SLACK = 0.05
/** The last character before the halves of a pair. */
const CHARACTER_MAX = 0xd7ff

/** What LevelDB can do beside what every `level` can. */
interface Sized {
  /** Bytes that the records between two keys take in tables. */
  approximateSize(from: string, until: string): Promise<number>
}

/**
 * A key with about as many bytes before it as behind it, found by asking LevelDB how much lies
 * between two keys; null where there is no such key. Any key is right, a better one is faster.
 */
async function middleOf(db: Database, { from, until }: Range): Promise<string | null> {
  const sized = db as unknown as Sized
  const bytes = await sized.approximateSize(from, until)
  const half = bytes / 2
  let middle = from
  for (let length = 0; length < MIDDLE_CHARACTERS_MAX; length++) {
    let [low, high] = [0, CHARACTER_MAX] // the last character with at most a half before it
    let before = 0
    while (low < high) {
      const character = Math.ceil((low + high) / 2)
      const size = await sized.approximateSize(from, middle + String.fromCharCode(character))
      if (size > half) high = character - 1
      else [low, before] = [character, size]
    }
    middle += String.fromCharCode(low)
    if (before > 0 && half - before <= bytes * MIDDLE_SLACK) return middle
  }
  return null
}
