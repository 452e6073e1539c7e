/**
 * When LevelDB's tables are checked from outside, and what is done about damaged ones. It costs a
 * reading of the whole database, so it is done only where a crash of LevelDB itself is likely:
 * the last opening did not come to its end, several sessions in a row ended without a close, or a
 * scrub has left word. The originals of mended tables are kept under `damaged/`.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAbsent, replaceFile, syncFolder } from './files.ts'
import type { StorePaths } from './store-folder.ts'
import { checkTable } from './table-file.ts'

/** Sessions in a row that ended without a close before tables are checked; then counted anew. */
const CRASHES_MAX = 3

/** Whether LevelDB may not survive its own files. */
export async function mustCheckTables(paths: StorePaths): Promise<boolean> {
  const opening = await readHolder(paths.opening)
  const holder = await readHolder(paths.lock)
  if (isOtherAlive(opening?.pid) || isOtherAlive(holder?.pid)) return false
  const isDemanded = (await readHolder(paths.check)) !== null
  return isDemanded || opening !== null || (holder?.crashes ?? 0) >= CRASHES_MAX
}

/** Leaves word that the next opening must check the tables. */
export async function demandCheck(paths: StorePaths): Promise<void> {
  await writeFile(paths.check, holderText({ pid: process.pid, crashes: 0 }))
}

/** Mends all damaged tables; nobody may have the database open. Answers their names. */
export async function mendTables(paths: StorePaths): Promise<string[]> {
  const mended: string[] = []
  for (const name of await tableNames(paths)) {
    const path = join(paths.database, name)
    const file = await readFile(path)
    const state = checkTable(file)
    if (state.kind !== 'damaged') continue
    await replaceFile(join(paths.damaged, name), file)
    if (state.mended === null) await rm(path)
    else await replaceFile(path, state.mended)
    await syncFolder(paths.database)
    mended.push(name)
  }
  await rm(paths.check, { force: true })
  return mended
}

/** Tables of an open database that are damaged. */
export async function damagedTables(paths: StorePaths): Promise<string[]> {
  const damaged: string[] = []
  for (const name of await tableNames(paths)) {
    try {
      const file = await readFile(join(paths.database, name))
      if (checkTable(file).kind === 'damaged') damaged.push(name)
    } catch (error) {
      if (!isAbsent(error)) throw error // LevelDB has merged it into others meanwhile
    }
  }
  return damaged
}

/** Who holds the store, and how many sessions before ended without a close. */
export interface Holder {
  readonly pid: number
  readonly crashes: number
}

/** The text that names a holder. */
export function holderText({ pid, crashes }: Holder): string {
  return `${pid} ${crashes}\n`
}

/** Reads who holds the store, or did; null when it was closed in order. */
export async function readHolder(path: string): Promise<Holder | null> {
  try {
    const [pid = 0, crashes = 0] = (await readFile(path, 'latin1')).split(' ').map(Number)
    return { pid: pid || 0, crashes: crashes || 0 }
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/** Whether another process of this id lives. Our own id is that of a dead one before us. */
function isOtherAlive(pid: number | undefined): boolean {
  if (pid === undefined || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function tableNames({ database }: StorePaths): Promise<string[]> {
  try {
    return (await readdir(database)).filter(name => /\.(?:ldb|sst)$/.test(name)).sort()
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
