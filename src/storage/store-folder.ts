/**
 * The folder of a store on disk, and the right to it. Beside `db/` (LevelDB), `blobs/ab/cd…` (large
 * payloads by SHA-256), `partial/` (payloads on their way), `damaged/` (what was set aside) and
 * `journal` it holds `veche.json`, the marker: this is a store, of which format, made whole or not.
 *
 * Without a marker nothing is taken for a store; with one, an empty database is never made in its
 * place (LevelDB would, if its file CURRENT is lost). Against other processes LevelDB's own lock
 * decides, which the system drops with a dead process; the file `lock` only names the holder. A
 * second opening in this process must be refused before LevelDB is touched, because LevelDB would
 * give up its lock to say no.
 */
import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { VecheError } from '../base/veche-error.ts'
import { isAbsent, makeFolder, replaceFile } from './files.ts'
import { holderText, readHolder } from './mending.ts'

/** The format of the store as a whole: 1 named hashes in keys by hexadecimal digits (upgrade.ts). */
export const STORE_FORMAT = 2

/** Stores that are open in this process, by the real path of their folder. */
const openHere = new Set<string>()

/** Paths inside a store. */
export function storePaths(folder: string) {
  return {
    marker: join(folder, 'veche.json'),
    /** Who holds the store, and how often in a row it was not closed in order. */
    lock: join(folder, 'lock'),
    /** There while an opening is under way: the next one that finds it knows it did not survive. */
    opening: join(folder, 'opening'),
    /** A scrub has found a damaged table: the next opening must mend it. */
    check: join(folder, 'check'),
    database: join(folder, 'db'),
    journal: join(folder, 'journal'),
    /** A second copy of what no other member could give back. */
    lasting: join(folder, 'lasting'),
    blobs: join(folder, 'blobs'),
    partial: join(folder, 'partial'),
    damaged: join(folder, 'damaged'),
  } as const
}

/** Where the parts of one store lie. */
export type StorePaths = ReturnType<typeof storePaths>

/**
 * How far a folder is a store: `none`; `new`, being made, no batch was ever accepted, so what it
 * lacks may be made; `made`, and nothing may be missing.
 */
export type Making = 'none' | 'new' | 'made'

/** The marker's text. */
export function markerText(making: 'new' | 'made'): string {
  const what = 'a Veche store: keep this folder whole, and copy it only while it is closed'
  return `${JSON.stringify({ what, format: STORE_FORMAT, making })}\n`
}

/** Takes the folder for this process; refuses when it is taken here already. */
export async function claimFolder(folder: string): Promise<string> {
  const real = await realpath(folder)
  if (openHere.has(real)) throw inUse(folder, process.pid)
  openHere.add(real)
  return real
}

/** Gives the folder back. */
export function releaseFolder(real: string): void {
  openHere.delete(real)
}

/** The refusal of a folder that another process holds; names its pid where it is known. */
export async function heldByOther(folder: string): Promise<VecheError> {
  const holder = await readHolder(storePaths(folder).lock)
  return inUse(folder, holder === null || holder.pid <= 0 ? null : holder.pid)
}

function inUse(folder: string, pid: number | null): VecheError {
  const who = pid === null ? 'another process' : `the process ${pid}`
  const sentence = `The store ${folder} is in use by ${who}: stop it first, or speak to it instead.`
  return new VecheError('IN_USE', sentence, pid === null ? { folder } : { folder, pid })
}

/** Leaves this process's id for others to read; a check of the tables begins the count anew. */
export async function writeLock(paths: StorePaths, wasChecked: boolean): Promise<void> {
  const before = await readHolder(paths.lock)
  const crashes = before === null || wasChecked ? 0 : before.crashes + 1
  await writeFile(paths.lock, holderText({ pid: process.pid, crashes }), { mode: 0o600 })
}

/** Says that an opening is under way; what it finds in LevelDB's files may end the process. */
export async function beginOpening(paths: StorePaths): Promise<void> {
  await writeFile(paths.opening, holderText({ pid: process.pid, crashes: 0 }), { mode: 0o600 })
}

/** The opening came to its end, one way or the other. */
export async function endOpening(paths: StorePaths): Promise<void> {
  await rm(paths.opening, { force: true })
}

/** The store was closed in order. */
export async function removeLock(paths: StorePaths): Promise<void> {
  await rm(paths.lock, { force: true })
}

/** What a marker says. */
export interface Marker {
  readonly making: Making
  /** At most `STORE_FORMAT`. */
  readonly format: number
}

/** How far the folder is a store, and of which format; throws when this version cannot open it. */
export async function readMarker(folder: string): Promise<Marker> {
  let text: string
  try {
    text = await readFile(storePaths(folder).marker, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return { making: 'none', format: STORE_FORMAT }
    throw error
  }
  const format = Number(/"format":([0-9]{1,9})\b/.exec(text)?.[1])
  if (format > STORE_FORMAT) {
    const sentence =
      `The store ${folder} was written by a newer version of Veche (format ${format}; ` +
      `this version knows ${STORE_FORMAT}): install the newer version.`
    throw new VecheError('NEWER_FORMAT', sentence, { folder, format })
  }
  const making = /"making":"(new|made)"/.exec(text)?.[1]
  if (Number.isNaN(format) || making === undefined) {
    const sentence = `The marker of the store ${folder} is damaged: its file veche.json is unreadable.`
    throw new VecheError('DAMAGED', sentence, { folder })
  }
  return { making: making === 'new' ? 'new' : 'made', format }
}

/** Refuses a folder in which no store may be made: parts of one lie there without its marker. */
export async function mustBeFree(folder: string): Promise<void> {
  const names = await readdir(folder)
  const found = names.find(name => ['db', 'blobs', 'journal'].includes(name))
  if (found === undefined) return
  const sentence =
    `The folder ${folder} holds ${found} of a store whose marker veche.json is missing: ` +
    'put the marker back, or choose another folder.'
  throw new VecheError('NOT_A_STORE', sentence, { folder })
}

/** The refusal of a folder without a store. */
export function notAStore(folder: string): VecheError {
  const sentence = `There is no Veche store in ${folder}: make one with \`veche init\`, or join one.`
  return new VecheError('NOT_A_STORE', sentence, { folder })
}

/** Makes the folders of a store. */
export async function makeFolders(paths: StorePaths): Promise<void> {
  for (const path of [paths.blobs, paths.partial, paths.damaged]) await makeFolder(path)
}

/** Marks the folder. */
export async function writeMarker(paths: StorePaths, making: 'new' | 'made'): Promise<void> {
  await replaceFile(paths.marker, markerText(making))
}
